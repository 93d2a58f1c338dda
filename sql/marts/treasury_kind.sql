-- Differences from the State Treasury by kind, of the latest comparison of each period and budget year; all kinds
-- together where the kind is null. What the communes report above the Treasury and what below is kept apart: the two do
-- not make each other good. An overdue advance is no difference between the two: its amount stands in overdue.
create function mart.treasury_kind_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    kind text,
    communes integer,
    differences integer,
    above numeric,
    below numeric,
    overdue numeric
)
language sql stable
as $$
    select
        d.period,
        d.budget_year,
        d.kind,
        count(distinct d.commune_code)::integer as communes,
        count(*)::integer as differences,
        coalesce(sum(d.difference) filter (where d.difference > 0 and d.kind <> 'advance_overdue'), 0) as above,
        coalesce(sum(d.difference) filter (where d.difference < 0 and d.kind <> 'advance_overdue'), 0) as below,
        sum(d.treasury) filter (where d.kind = 'advance_overdue') as overdue
    from mart.treasury_reconciliation_at(p_known_at) as d
    group by grouping sets ((d.period, d.budget_year), (d.period, d.budget_year, d.kind))
$$;
