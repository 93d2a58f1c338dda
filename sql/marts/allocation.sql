-- Capital assigned by the province's decisions: the sum of the signed changes in force at p_as_of, as known at
-- p_known_at, per line and source.
create function mart.allocation_at(p_as_of date, p_known_at timestamptz)
returns table (
    budget_year integer,
    commune_code text,
    project_code text,
    capital_kind text,
    source text,
    amount_vnd numeric
)
language sql stable
as $$
    select a.budget_year, a.commune_code, a.project_code, a.capital_kind, a.source, sum(a.amount_vnd) as amount_vnd
    from ref.allocation as a
    where a.effective_on <= p_as_of and a.loaded_at <= p_known_at
    group by a.budget_year, a.commune_code, a.project_code, a.capital_kind, a.source
$$;
