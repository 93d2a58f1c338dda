-- What of a period changed between two moments, line by line of Biểu 01 and Biểu 02: every figure that is not the same,
-- which report it stood in before and stands in now, and why. A line that is not there counts as 0 in the difference, so
-- that the differences of a figure's lines add up to the difference of the figure, to the đồng. A line that moves in the
-- programme tree is gone from its old place and new in the other; an indicator counts while it is in the list.
-- cause: new_report, resubmission, late_revision (an officer accepted it), admitted (an officer overrode its errors),
-- withdrawn, revision_rejected, allocation (a decision on capital that stands on no line of the report), reference (the
-- programme tree or the list of indicators was corrected). Of several causes the first that stands there is named, and
-- the reasons of all are given.
create function mart.revision_lines(
    p_period text, p_budget_year integer, p_from timestamptz, p_to timestamptz
)
returns table (
    form text,
    commune_code text,
    programme_code text,
    project_code text,
    subproject_code text,
    capital_kind text,
    line_code text,
    metric text,
    unit text,
    old_value numeric,
    new_value numeric,
    difference numeric,
    cause text,
    reason text,
    decided_by text,
    old_submission_id bigint,
    new_submission_id bigint,
    old_row_no integer,
    new_row_no integer
)
language sql stable
as $$
    with items as materialized (
        select
            m.side, 'B01' as form, l.commune_code, l.programme_code, l.project_code, l.subproject_code, l.capital_kind,
            l.line_code, l.is_unallocated, l.submission_id, l.row_no, 'vnd' as unit, v.metric, v.value
        from (values ('old', p_from), ('new', p_to)) as m (side, moment)
        cross join lateral mart.disbursement_line_at(m.moment) as l
        cross join lateral (
            values
            ('plan_total', l.plan_total), ('plan_assigned', l.plan_assigned), ('plan_carry', l.plan_carry),
            ('plan_nstw', l.plan_nstw), ('plan_nst', l.plan_nst), ('plan_nsx', l.plan_nsx),
            ('carry_nstw', l.carry_nstw), ('carry_nsdp', l.carry_nsdp), ('disb_period', l.disb_period),
            ('disb_ytd', l.disb_ytd), ('disb_assigned', l.disb_assigned), ('disb_nstw', l.disb_nstw),
            ('disb_nsdp', l.disb_nsdp), ('disb_completed', l.disb_completed), ('disb_advance', l.disb_advance),
            ('disb_carry', l.disb_carry), ('undisbursed', l.plan_total - l.disb_ytd),
            ('undisbursed_carry', l.plan_carry - l.disb_carry), ('forecast', l.forecast)
        ) as v (metric, value)
        where l.period = p_period and l.budget_year = p_budget_year
        union all
        select
            m.side, 'B02', o.commune_code, null, o.project_code, null, null, o.indicator_code, false, o.submission_id,
            o.row_no, 'quantity', v.metric, v.value
        from (values ('old', p_from), ('new', p_to)) as m (side, moment)
        cross join lateral mart.output_line_at(m.moment) as o
        cross join lateral (
            values
            ('target_year', o.target_year), ('actual_period', o.actual_period), ('actual_ytd', o.actual_ytd),
            ('target_phase', o.target_phase), ('actual_phase', o.actual_phase)
        ) as v (metric, value)
        where o.period = p_period and o.budget_year = p_budget_year and o.is_registered
    ),

    placed as materialized (
        select
            i.*,
            concat_ws('|', i.programme_code, i.project_code) as place,
            -- The same number on the other side: what differs can only be its place.
            count(*) over (
                partition by i.form, i.commune_code, i.line_code, i.is_unallocated, i.metric, i.value
            ) = 2 as is_same
        from items as i
    ),

    pairs as (
        select
            form, commune_code, line_code, is_unallocated, metric,
            coalesce(n.unit, o.unit) as unit,
            coalesce(n.programme_code, o.programme_code) as programme_code,
            coalesce(n.project_code, o.project_code) as project_code,
            coalesce(n.subproject_code, o.subproject_code) as subproject_code,
            coalesce(n.capital_kind, o.capital_kind) as capital_kind,
            coalesce(n.is_same, o.is_same) as is_same,
            o.value as old_value,
            n.value as new_value,
            o.row_no as old_row_no,
            n.row_no as new_row_no
        from (select * from placed where side = 'old') as o
        full join (select * from placed where side = 'new') as n
            using (form, commune_code, line_code, is_unallocated, metric, place)
        where o.value is distinct from n.value
    ),

    -- Which report spoke before and which speaks now: a line that only one of them has belongs to both.
    speaking as (
        select
            coalesce(o.commune_code, n.commune_code) as commune_code,
            o.submission_id as old_submission_id,
            n.submission_id as new_submission_id,
            coalesce(n.as_of, o.as_of) as as_of
        from (
            select s.commune_code, s.submission_id, s.as_of from core.in_force(p_from) as s
            where s.period = p_period and s.budget_year = p_budget_year
        ) as o
        full join (
            select s.commune_code, s.submission_id, s.as_of from core.in_force(p_to) as s
            where s.period = p_period and s.budget_year = p_budget_year
        ) as n on o.commune_code = n.commune_code
    ),

    -- What happened to the two between the moments.
    causes as (
        select
            k.*,
            case
                when k.old_submission_id is not distinct from k.new_submission_id then 'reference'
                when w.submission_id is not null then 'withdrawn'
                when d.decided_by is not null then 'late_revision'
                when a.submission_id is not null then 'admitted'
                when r.decided_by is not null then 'revision_rejected'
                when k.old_submission_id is null then 'new_report'
                else 'resubmission'
            end as cause,
            nullif(concat_ws('; ', w.reason, d.reason, o.reason, r.reason), '') as reason,
            nullif(concat_ws('; ', w.withdrawn_by, d.decided_by, o.answered_by, r.decided_by), '') as decided_by
        from speaking as k
        left join raw.withdrawal as w
            on k.old_submission_id = w.submission_id and w.withdrawn_at > p_from and w.withdrawn_at <= p_to
        left join raw.admission as a
            on k.new_submission_id = a.submission_id and a.admitted_at > p_from and a.admitted_at <= p_to
        left join lateral (
            select d.decided_by, d.reason from raw.revision_decision as d
            where
                d.submission_id = k.new_submission_id and d.decision = 'accepted' and d.decided_at > p_from
                and d.decided_at <= p_to
            order by d.decided_at desc limit 1
        ) as d on true
        left join lateral (
            select
                string_agg(distinct f.answered_by, '; ') as answered_by,
                string_agg(distinct f.reason, '; ') as reason
            from core.finding_answer as f
            where f.submission_id = a.submission_id and f.kind = 'overridden' and f.answered_at <= p_to
        ) as o on true
        left join lateral (
            select d.decided_by, d.reason from raw.revision_decision as d
            where
                d.submission_id = k.old_submission_id and d.decision = 'rejected' and d.decided_at > p_from
                and d.decided_at <= p_to
            order by d.decided_at desc limit 1
        ) as r on true
    ),

    decided as (
        select g.commune_code, g.project_code, g.capital_kind, g.decision_no, g.effective_on
        from ref.allocation as g
        where g.budget_year = p_budget_year and g.loaded_at > p_from and g.loaded_at <= p_to
    ),

    corrected as (
        select max(h.moment) as moment
        from (
            select unnest(array[n.known_from, n.known_to]) as moment from ref.programme_node_history as n
            union all
            select unnest(array[i.known_from, i.known_to]) from ref.indicator_history as i
        ) as h
        where h.moment > p_from and h.moment <= p_to and h.moment < 'infinity'
    )

    select
        p.form,
        p.commune_code,
        p.programme_code,
        p.project_code,
        p.subproject_code,
        p.capital_kind,
        p.line_code,
        p.metric,
        p.unit,
        p.old_value,
        p.new_value,
        coalesce(p.new_value, 0) - coalesce(p.old_value, 0) as difference,
        t.cause,
        case t.cause
            when 'allocation' then g.decisions
            when 'reference' then (
                select
                    'Danh mục được đính chính '
                    || to_char(x.moment at time zone 'Asia/Ho_Chi_Minh', 'HH24:MI "ngày" DD/MM/YYYY')
                from corrected as x
            )
            when 'new_report' then 'Báo cáo gửi sau bản trước'
            when 'resubmission' then 'Đơn vị gửi lại báo cáo'
            else c.reason
        end as reason,
        case when t.cause not in ('allocation', 'reference', 'new_report', 'resubmission') then c.decided_by end
            as decided_by,
        c.old_submission_id,
        c.new_submission_id,
        p.old_row_no,
        p.new_row_no
    from pairs as p
    left join causes as c on p.commune_code = c.commune_code
    left join lateral (
        select string_agg(distinct d.decision_no, '; ') as decisions
        from decided as d
        where
            p.is_unallocated and d.commune_code = p.commune_code and d.capital_kind = p.capital_kind
            and d.effective_on <= c.as_of
            and (d.project_code = p.subproject_code or starts_with(d.project_code, p.subproject_code || '-'))
    ) as g on true
    cross join lateral (
        select
            case
                when g.decisions is not null then 'allocation'
                when p.is_same then 'reference'
                else c.cause
            end as cause
    ) as t
$$;
