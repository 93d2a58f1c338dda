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
    -- Each month apart, so that a question about one month reads one.
    select
        w.period,
        w.budget_year,
        x.side,
        x.project_code,
        n.name_vi as project_vi,
        x.commune_code,
        x.commune_vi,
        x.basis,
        x.amount,
        x.possible,
        x.plan_total,
        x.disb_ytd,
        x.rate_total,
        x.issue_id,
        x.proposal,
        x.submission_id,
        x.row_no
    from ref.reporting_calendar as w
    cross join lateral (
        with open_one as materialized (
            select p.* from mart.proposal_at(p_known_at) as p
            where
                p.period = w.period and p.budget_year = w.budget_year and p.adjust_amount <> 0
                and p.state in ('Chưa giải quyết', 'Đang giải quyết')
        ),

        line as materialized (
            select l.subproject_code, l.commune_code, l.commune_vi, l.plan_total, l.disb_ytd
            from mart.disbursement_line_at(p_known_at) as l
            where l.period = w.period and l.budget_year = w.budget_year and exists (select 1 from open_one)
        ),

        node as (
            select c.subproject_code, o.project_code
            from (select distinct l.subproject_code from line as l) as c
            inner join (select distinct q.project_code from open_one as q) as o
                on c.subproject_code = o.project_code or starts_with(c.subproject_code, o.project_code || '-')
        ),

        money as materialized (
            select
                d.project_code, l.commune_code, max(l.commune_vi) as commune_vi,
                sum(l.plan_total) as plan_total, sum(l.disb_ytd) as disb_ytd,
                mart.rate_pct(
                    sum(l.disb_ytd) filter (where l.plan_total is not null),
                    sum(l.plan_total) filter (where l.disb_ytd is not null)
                ) as rate_total
            from line as l
            inner join node as d on l.subproject_code = d.subproject_code
            group by d.project_code, l.commune_code
        ),

        asked as (
            select
                case when o.adjust_amount < 0 then 'give' else 'take' end as side, o.project_code,
                o.commune_code, o.commune_vi, 'proposal' as basis, abs(o.adjust_amount) as amount,
                case
                    when o.adjust_amount < 0
                        then least(abs(o.adjust_amount), greatest(coalesce(m.plan_total - m.disb_ytd, 0), 0))
                    else o.adjust_amount
                end as possible,
                m.plan_total, m.disb_ytd, m.rate_total, o.issue_id, o.proposal, o.submission_id, o.row_no
            from open_one as o
            left join money as m on o.project_code = m.project_code and o.commune_code = m.commune_code
        ),

        able as (
            select
                'take' as side, m.project_code, m.commune_code, m.commune_vi, 'rate' as basis,
                null::numeric as amount, null::numeric as possible, m.plan_total, m.disb_ytd, m.rate_total,
                null::text as issue_id, null::text as proposal, null::bigint as submission_id,
                null::integer as row_no
            from money as m
            inner join ref.threshold as h
                on
                    h.threshold_code = 'absorb_rate_pct' and w.as_of >= h.valid_from
                    and (h.valid_to is null or w.as_of <= h.valid_to)
            where
                m.rate_total >= h.value
                and m.project_code in (select o.project_code from open_one as o where o.adjust_amount < 0)
                and not exists (
                    select 1 from open_one as o
                    where o.project_code = m.project_code and o.commune_code = m.commune_code
                )
        )

        select * from asked
        union all
        select * from able
    ) as x
    left join ref.programme_node as n
        on x.project_code = n.code and w.as_of >= n.valid_from and (n.valid_to is null or w.as_of <= n.valid_to)
$$;
