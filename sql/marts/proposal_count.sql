-- Number of proposals by addressee and state in each period; addressee null = all agencies, state null = all states.
create function mart.proposal_count_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    addressee text,
    state text,
    proposals integer,
    communes integer
)
language sql stable
as $$
    select
        p.period,
        p.budget_year,
        p.addressee,
        p.state,
        count(*)::integer as proposals,
        count(distinct p.commune_code)::integer as communes
    from mart.proposal_at(p_known_at) as p
    group by p.period, p.budget_year, cube (p.addressee, p.state)
$$;
