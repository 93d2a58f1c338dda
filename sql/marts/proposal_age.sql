-- Open proposals with their age: since which period each has been reported, in how many periods, and how many months
-- that is. A proposal keeps its number from period to period.
create function mart.proposal_age_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    issue_id text,
    addressee text,
    category text,
    state text,
    project_code text,
    proposal text,
    adjust_amount numeric,
    first_period text,
    periods_reported integer,
    months_open integer,
    submission_id bigint,
    row_no integer
)
language sql stable
as $$
    with numbered as (
        select
            p.*,
            first_value(p.period) over w as first_period,
            dense_rank() over w as periods_reported
        from mart.proposal_at(p_known_at) as p
        window w as (partition by p.commune_code, p.issue_id order by p.period)
    )

    select
        p.period,
        p.budget_year,
        p.commune_code,
        p.commune_vi,
        p.issue_id,
        p.addressee,
        p.category,
        p.state,
        p.project_code,
        p.proposal,
        p.adjust_amount,
        p.first_period,
        p.periods_reported::integer,
        (substr(p.period, 1, 4)::integer - substr(p.first_period, 1, 4)::integer) * 12
        + substr(p.period, 6)::integer - substr(p.first_period, 6)::integer as months_open,
        p.submission_id,
        p.row_no
    from numbered as p
    where p.state in ('Chưa giải quyết', 'Đang giải quyết')
$$;
