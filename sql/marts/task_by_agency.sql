-- Tasks of the register by lead agency and derived state as of each period's day; lead_vi null = all agencies, state
-- null = all states (mart.task_count for any other day).
create function mart.task_by_agency_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    as_of date,
    lead_vi text,
    state text,
    tasks integer,
    longest_overdue_days integer
)
language sql stable
as $$
    select w.period, w.budget_year, w.as_of, t.lead_vi, t.state, t.tasks, t.longest_overdue_days
    from ref.reporting_calendar as w
    cross join lateral mart.task_count(w.as_of, p_known_at) as t
$$;
