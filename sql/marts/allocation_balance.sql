-- Each decision against itself (check CK27): what it gives to communes and to provincial units beside the provincial
-- total that it states, per line and source. Only decisions whose total is known; a line without a total has total 0.
create function mart.allocation_balance_at(p_known_at timestamptz)
returns table (
    decision_no text,
    budget_year integer,
    project_code text,
    capital_kind text,
    source text,
    provincial_total numeric,
    communes numeric,
    units numeric,
    difference numeric
)
language sql stable
as $$
    with parts as (
        select a.decision_no, a.budget_year, a.project_code, a.capital_kind, a.source, 'commune' as kind, a.amount_vnd
        from ref.allocation as a
        where a.loaded_at <= p_known_at
        union all
        select
            p.decision_no, p.budget_year, p.project_code, p.capital_kind, p.source,
            case when p.unit_code = 'TINH' then 'total' else 'unit' end, p.amount_vnd
        from ref.allocation_province as p
        where p.loaded_at <= p_known_at
    )

    select
        p.decision_no,
        p.budget_year,
        p.project_code,
        p.capital_kind,
        p.source,
        coalesce(sum(p.amount_vnd) filter (where p.kind = 'total'), 0) as provincial_total,
        coalesce(sum(p.amount_vnd) filter (where p.kind = 'commune'), 0) as communes,
        coalesce(sum(p.amount_vnd) filter (where p.kind = 'unit'), 0) as units,
        sum(case p.kind when 'total' then -p.amount_vnd else p.amount_vnd end) as difference
    from parts as p
    where (p.decision_no, p.budget_year) in (
        select t.decision_no, t.budget_year from ref.allocation_province as t
        where t.unit_code = 'TINH' and t.loaded_at <= p_known_at
    )
    group by p.decision_no, p.budget_year, p.project_code, p.capital_kind, p.source
$$;
