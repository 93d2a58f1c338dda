-- Capital that should move (item 2 of the seed: what cannot be disbursed goes to who can use it). side give: communes
-- that ask in Biểu 04 to have capital of a project reduced; amount is what they ask, possible at most what is still
-- undisbursed there. side take: communes that ask for more of a project; and candidates, in a project and capital kind of
-- which a giver has something left, that have disbursed at least absorb_rate_pct of their plan (basis rate) or at least
-- absorb_pace_pct of what the calendar needs by then (basis pace: of thirteen months to 31 January as many as are over).
-- Nobody asked them: amount is blank, possible what they would have used up beyond their own plan at the pace of the last
-- three periods, order_no their rank by pace. At the close of the budget year nothing can be used any more. Only open
-- proposals; a project is the code that stands in the proposal, a sub-project or one above it; capital_kind is told of a
-- proposal where the commune has one kind there.
create function mart.capital_move_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    side text,
    project_code text,
    project_vi text,
    capital_kind text,
    commune_code text,
    commune_vi text,
    basis text,
    order_no integer,
    amount numeric,
    possible numeric,
    plan_total numeric,
    disb_ytd numeric,
    rate_total numeric,
    rate_needed numeric,
    pace_pct numeric,
    pace_recent numeric,
    sources text,
    issue_id text,
    proposal text,
    submission_id bigint,
    row_no integer
)
language sql stable
as $$
    -- Each month apart, so that a question about one month reads few.
    select
        w.period,
        w.budget_year,
        x.side,
        x.project_code,
        n.name_vi as project_vi,
        x.capital_kind,
        x.commune_code,
        x.commune_vi,
        x.basis,
        x.order_no,
        x.amount,
        x.possible,
        x.plan_total,
        x.disb_ytd,
        x.rate_total,
        mart.rate_pct(t.months_over, 13) as rate_needed,
        x.pace_pct,
        x.pace_recent,
        x.sources,
        x.issue_id,
        x.proposal,
        x.submission_id,
        x.row_no
    from ref.reporting_calendar as w
    cross join lateral (
        select
            (left(w.period, 4)::integer - w.budget_year) * 12 + right(w.period, 2)::integer as months_over,
            array(
                select to_char((w.period || '-01')::date - make_interval(months => g.back), 'YYYY-MM')
                from generate_series(0, 2) as g (back)
            ) as last_periods
    ) as t
    cross join lateral (
        with open_one as materialized (
            select p.* from mart.proposal_at(p_known_at) as p
            where
                p.period = w.period and p.budget_year = w.budget_year and p.adjust_amount <> 0
                and p.state in ('Chưa giải quyết', 'Đang giải quyết')
        ),

        line as materialized (
            select l.* from mart.disbursement_line_at(p_known_at) as l
            where l.period = w.period and l.budget_year = w.budget_year and exists (select 1 from open_one)
        ),

        node as (
            select c.subproject_code, o.project_code
            from (select distinct l.subproject_code from line as l) as c
            inner join (select distinct q.project_code from open_one as q) as o
                on c.subproject_code = o.project_code or starts_with(c.subproject_code, o.project_code || '-')
        ),

        -- Of each capital kind, and of all of them (of_all = 1).
        money as materialized (
            select
                d.project_code, l.commune_code, l.capital_kind, grouping(l.capital_kind) as of_all,
                case when count(distinct l.capital_kind) = 1 then min(l.capital_kind) end as only_kind,
                max(l.commune_vi) as commune_vi, sum(l.plan_total) as plan_total, sum(l.disb_ytd) as disb_ytd,
                mart.rate_pct(
                    sum(l.disb_ytd) filter (where l.plan_total is not null),
                    sum(l.plan_total) filter (where l.disb_ytd is not null)
                ) as rate_total,
                mart.rate_pct(
                    13 * sum(l.disb_ytd) filter (where l.plan_total is not null),
                    t.months_over * sum(l.plan_total) filter (where l.disb_ytd is not null)
                ) as pace_pct,
                nullif(concat_ws(
                    '; ',
                    case when sum(l.plan_nstw) > 0 then 'NSTW' end, case when sum(l.plan_nst) > 0 then 'NST' end,
                    case when sum(l.plan_nsx) > 0 then 'NSX' end, case when sum(l.carry_nstw) > 0 then 'KD_NSTW' end,
                    case when sum(l.carry_nsdp) > 0 then 'KD_NSDP' end
                ), '') as sources
            from line as l
            inner join node as d on l.subproject_code = d.subproject_code
            group by grouping sets (
                (d.project_code, l.commune_code), (d.project_code, l.commune_code, l.capital_kind)
            )
        ),

        asked as (
            select
                case when o.adjust_amount < 0 then 'give' else 'take' end as side, o.project_code,
                m.only_kind as capital_kind, o.commune_code, o.commune_vi, 'proposal' as basis,
                null::integer as order_no, abs(o.adjust_amount) as amount,
                case
                    when o.adjust_amount < 0
                        then least(abs(o.adjust_amount), greatest(coalesce(m.plan_total - m.disb_ytd, 0), 0))
                    else o.adjust_amount
                end as possible,
                m.plan_total, m.disb_ytd, m.rate_total, m.pace_pct, null::numeric as pace_recent, m.sources,
                o.issue_id, o.proposal, o.submission_id, o.row_no
            from open_one as o
            left join money as m on o.project_code = m.project_code and o.commune_code = m.commune_code and m.of_all = 1
        ),

        -- Where something is left that a commune wants to give.
        given as materialized (
            select distinct m.project_code, m.capital_kind
            from open_one as o
            inner join money as m on o.project_code = m.project_code and o.commune_code = m.commune_code
            where o.adjust_amount < 0 and m.of_all = 0 and m.plan_total > m.disb_ytd and t.months_over < 13
        ),

        recent as materialized (
            select q.project_code, q.commune_code, q.capital_kind, round(avg(q.disb_period)) as pace_recent
            from (
                select g.project_code, l.commune_code, l.capital_kind, l.period, sum(l.disb_period) as disb_period
                from mart.disbursement_line_at(p_known_at) as l
                inner join given as g
                    on
                        l.capital_kind = g.capital_kind
                        and (
                            l.subproject_code = g.project_code or starts_with(l.subproject_code, g.project_code || '-')
                        )
                where
                    l.budget_year = w.budget_year and l.period = any(t.last_periods)
                    and exists (select 1 from given)
                group by g.project_code, l.commune_code, l.capital_kind, l.period
            ) as q
            group by q.project_code, q.commune_code, q.capital_kind
        ),

        able as (
            select
                m.*, r.pace_recent,
                case when m.rate_total >= a.value then 'rate' else 'pace' end as basis,
                case
                    when r.pace_recent is not null
                        then greatest(r.pace_recent * (13 - t.months_over) - (m.plan_total - m.disb_ytd), 0)
                end as possible
            from given as g
            inner join money as m
                on g.project_code = m.project_code and g.capital_kind = m.capital_kind and m.of_all = 0
            left join recent as r
                on
                    m.project_code = r.project_code and m.commune_code = r.commune_code
                    and m.capital_kind = r.capital_kind
            left join ref.threshold as a
                on
                    a.threshold_code = 'absorb_rate_pct' and w.as_of >= a.valid_from
                    and (a.valid_to is null or w.as_of <= a.valid_to)
            left join ref.threshold as b
                on
                    b.threshold_code = 'absorb_pace_pct' and w.as_of >= b.valid_from
                    and (b.valid_to is null or w.as_of <= b.valid_to)
            where
                (m.rate_total >= a.value or m.pace_pct >= b.value)
                and not exists (
                    select 1 from open_one as o
                    where o.project_code = m.project_code and o.commune_code = m.commune_code
                )
        )

        select * from asked
        union all
        select
            'take' as side, b.project_code, b.capital_kind, b.commune_code, b.commune_vi, b.basis,
            (row_number() over (
                partition by b.project_code, b.capital_kind
                order by b.pace_pct desc, b.possible desc nulls last, b.commune_code
            ))::integer as order_no,
            null as amount, b.possible, b.plan_total, b.disb_ytd, b.rate_total, b.pace_pct,
            b.pace_recent, b.sources, null as issue_id, null as proposal,
            null as submission_id, null as row_no
        from able as b
    ) as x
    left join ref.programme_node as n
        on x.project_code = n.code and w.as_of >= n.valid_from and (n.valid_to is null or w.as_of <= n.valid_to)
$$;
