-- Whether a period was held against the State Treasury's statement of its very date (check CK31), one row per period and
-- budget year of the calendar: the statement and how many communes were compared, or the dates of the statements that
-- there are.
create function mart.treasury_comparison_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    as_of date,
    statement_file text,
    communes_compared integer,
    compared_at timestamptz,
    other_dates date[]
)
language sql stable
as $$
    select
        w.period,
        w.budget_year,
        w.as_of,
        s.file_name as statement_file,
        cardinality(r.communes) as communes_compared,
        r.known_at as compared_at,
        array(
            select t.as_of from core.treasury_in_force(p_known_at) as t
            where t.budget_year = w.budget_year and t.as_of <> w.as_of
            order by t.as_of
        ) as other_dates
    from ref.reporting_calendar as w
    left join lateral (
        select c.sha256, c.communes, c.known_at
        from core.reconciliation as c
        where
            c.period = w.period and c.budget_year = w.budget_year and c.as_of = w.as_of and c.known_at <= p_known_at
        order by c.known_at desc, c.reconciliation_id desc limit 1
    ) as r on true
    left join core.treasury_statement as s on r.sha256 = s.sha256
$$;
