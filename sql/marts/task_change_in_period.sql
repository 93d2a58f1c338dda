-- What changed in the register since the period before: as the last release of that period that was published said it,
-- else as it is known now. No rows where the calendar has no period before.
create function mart.task_change_in_period(p_period text, p_budget_year integer, p_known_at timestamptz)
returns table (
    task_id text,
    lead_vi text,
    content_vi text,
    change text,
    state_before text,
    state text,
    due_date_before date,
    due_date date,
    done_date date,
    days_overdue integer
)
language sql stable
as $$
    select c.*
    from ref.reporting_calendar as w
    inner join lateral (
        select b.as_of, b.period, b.budget_year from ref.reporting_calendar as b
        where b.as_of < w.as_of and not b.is_closing
        order by b.as_of desc
        limit 1
    ) as b on true
    left join lateral (
        select r.known_at from mart.release as r
        where r.period = b.period and r.budget_year = b.budget_year and r.published_at <= p_known_at
        order by r.release_no desc
        limit 1
    ) as p on true
    cross join lateral mart.task_change(b.as_of, coalesce(p.known_at, p_known_at), w.as_of, p_known_at) as c
    where w.period = p_period and w.budget_year = p_budget_year
$$;
