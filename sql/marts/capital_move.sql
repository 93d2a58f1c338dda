-- Capital that should move (item 2 of the seed: what cannot be disbursed goes to who can use it). side give: communes
-- that ask in Biểu 04 to have capital of a project reduced; amount is what they ask, possible at most what is still
-- undisbursed there. side take: communes that ask for more of a project, or that have disbursed of the same project at
-- least the threshold absorb_rate_pct of their plan; amount is what they ask, blank where they only can. Only open
-- proposals; a project is the code that stands in the proposal, a sub-project or one above it.
create function mart.capital_move_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    side text,
    project_code text,
    project_vi text,
    commune_code text,
    commune_vi text,
    basis text,
    amount numeric,
    possible numeric,
    plan_total numeric,
    disb_ytd numeric,
    rate_total numeric,
    issue_id text,
    proposal text,
    submission_id bigint,
    row_no integer
)
language sql stable
as $$
    with open_ones as materialized (
        select p.* from mart.proposal_at(p_known_at) as p
        where p.adjust_amount <> 0 and p.state in ('Chưa giải quyết', 'Đang giải quyết')
    ),

    projects as (
        select distinct o.period, o.budget_year, o.project_code from open_ones as o where o.adjust_amount < 0
    ),

    money as (
        select
            x.period, x.budget_year, x.project_code, l.commune_code, max(l.commune_vi) as commune_vi,
            sum(l.plan_total) as plan_total, sum(l.disb_ytd) as disb_ytd,
            mart.rate_pct(
                sum(l.disb_ytd) filter (where l.plan_total is not null),
                sum(l.plan_total) filter (where l.disb_ytd is not null)
            ) as rate_total
        from (
            select q.period, q.budget_year, q.project_code from projects as q
            union
            select o.period, o.budget_year, o.project_code from open_ones as o
        ) as x
        inner join mart.disbursement_line_at(p_known_at) as l
            on
                x.period = l.period and x.budget_year = l.budget_year
                and (l.subproject_code = x.project_code or starts_with(l.subproject_code, x.project_code || '-'))
        group by x.period, x.budget_year, x.project_code, l.commune_code
    ),

    asked as (
        select
            o.period, o.budget_year, case when o.adjust_amount < 0 then 'give' else 'take' end as side, o.project_code,
            o.commune_code, o.commune_vi, 'proposal' as basis, abs(o.adjust_amount) as amount,
            case
                when o.adjust_amount < 0
                    then least(abs(o.adjust_amount), greatest(coalesce(m.plan_total - m.disb_ytd, 0), 0))
                else o.adjust_amount
            end as possible,
            m.plan_total, m.disb_ytd, m.rate_total, o.issue_id, o.proposal, o.submission_id, o.row_no
        from open_ones as o
        left join money as m
            on
                o.period = m.period and o.budget_year = m.budget_year and o.project_code = m.project_code
                and o.commune_code = m.commune_code
    ),

    able as (
        select
            m.period, m.budget_year, 'take' as side, m.project_code, m.commune_code, m.commune_vi, 'rate' as basis,
            null::numeric as amount, null::numeric as possible, m.plan_total, m.disb_ytd, m.rate_total,
            null::text as issue_id, null::text as proposal, null::bigint as submission_id, null::integer as row_no
        from money as m
        inner join projects as q
            on m.period = q.period and m.budget_year = q.budget_year and m.project_code = q.project_code
        inner join ref.reporting_calendar as w on m.period = w.period and m.budget_year = w.budget_year
        inner join ref.threshold as h
            on
                h.threshold_code = 'absorb_rate_pct' and w.as_of >= h.valid_from
                and (h.valid_to is null or w.as_of <= h.valid_to)
        where
            m.rate_total >= h.value
            and not exists (
                select 1 from open_ones as o
                where
                    o.period = m.period and o.budget_year = m.budget_year and o.project_code = m.project_code
                    and o.commune_code = m.commune_code
            )
    )

    select
        a.period,
        a.budget_year,
        a.side,
        a.project_code,
        n.name_vi as project_vi,
        a.commune_code,
        a.commune_vi,
        a.basis,
        a.amount,
        a.possible,
        a.plan_total,
        a.disb_ytd,
        a.rate_total,
        a.issue_id,
        a.proposal,
        a.submission_id,
        a.row_no
    from (select * from asked union all select * from able) as a
    left join ref.reporting_calendar as w on a.period = w.period and a.budget_year = w.budget_year
    left join ref.programme_node as n
        on a.project_code = n.code and w.as_of >= n.valid_from and (n.valid_to is null or w.as_of <= n.valid_to)
$$;

create view mart.capital_move as
select * from mart.capital_move_at('infinity');
