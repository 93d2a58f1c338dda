-- What of a period changed between two moments, line by line of Biểu 01 and Biểu 02: every figure that is not the same,
-- which report it stood in before and stands in now, and why. A line that is not there counts as 0 in the difference, so
-- that the differences of a figure's lines add up to the difference of the figure, to the đồng.
-- cause: new_report, resubmission, late_revision (an officer accepted it), admitted (an officer overrode its errors),
-- withdrawn, revision_rejected, allocation (a decision on capital that stands on no line of the report).
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
    with lines as materialized (
        select m.side, l.*
        from (values ('old', p_from), ('new', p_to)) as m (side, moment)
        inner join mart.disbursement_line_history as l
            on
                l.period = p_period and l.budget_year = p_budget_year and l.known_from <= m.moment
                and (l.known_to > m.moment or l.known_to = 'infinity')
    ),

    outputs as materialized (
        select m.side, o.*
        from (values ('old', p_from), ('new', p_to)) as m (side, moment)
        inner join mart.output_line_history as o
            on
                o.period = p_period and o.budget_year = p_budget_year and o.known_from <= m.moment
                and (o.known_to > m.moment or o.known_to = 'infinity')
    ),

    items as (
        select
            l.side, 'B01' as form, l.commune_code, l.programme_code, l.project_code, l.subproject_code, l.capital_kind,
            l.line_code, l.is_unallocated, l.submission_id, l.row_no, 'vnd' as unit, v.metric, v.value
        from lines as l
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
        union all
        select
            o.side, 'B02', o.commune_code, null, o.project_code, null, null, o.indicator_code, false, o.submission_id,
            o.row_no, 'quantity', v.metric, v.value
        from outputs as o
        cross join lateral (
            values
            ('target_year', o.target_year), ('actual_period', o.actual_period), ('actual_ytd', o.actual_ytd),
            ('target_phase', o.target_phase), ('actual_phase', o.actual_phase)
        ) as v (metric, value)
    ),

    pairs as (
        select
            form, commune_code, line_code, is_unallocated, metric,
            coalesce(n.unit, o.unit) as unit,
            coalesce(n.programme_code, o.programme_code) as programme_code,
            coalesce(n.project_code, o.project_code) as project_code,
            coalesce(n.subproject_code, o.subproject_code) as subproject_code,
            coalesce(n.capital_kind, o.capital_kind) as capital_kind,
            o.value as old_value,
            n.value as new_value,
            o.submission_id as old_submission_id,
            n.submission_id as new_submission_id,
            o.row_no as old_row_no,
            n.row_no as new_row_no
        from (select * from items where side = 'old') as o
        full join (select * from items where side = 'new') as n
            using (form, commune_code, line_code, is_unallocated, metric)
        where o.value is distinct from n.value
    ),

    -- Which report spoke before and which speaks now: a line that only one of them has belongs to both.
    speaking as (
        select
            coalesce(o.commune_code, n.commune_code) as commune_code,
            o.submission_id as old_submission_id,
            n.submission_id as new_submission_id
        from (
            select s.commune_code, s.submission_id from core.in_force(p_from) as s
            where s.period = p_period and s.budget_year = p_budget_year
        ) as o
        full join (
            select s.commune_code, s.submission_id from core.in_force(p_to) as s
            where s.period = p_period and s.budget_year = p_budget_year
        ) as n on o.commune_code = n.commune_code
    ),

    causes as (
        select
            k.*,
            s.is_late_revision,
            s.verdict = 'returned' as is_admitted,
            d.decided_by,
            d.reason as decided_reason,
            w.withdrawn_by,
            w.reason as withdrawn_reason,
            a.answered_by,
            a.reason as overridden_reason,
            r.decided_by as rejected_by,
            r.reason as rejected_reason
        from speaking as k
        left join raw.submission as s on k.new_submission_id = s.submission_id
        left join lateral (
            select d.decided_by, d.reason from raw.revision_decision as d
            where d.submission_id = k.new_submission_id and d.decision = 'accepted' and d.decided_at <= p_to
            order by d.decided_at desc limit 1
        ) as d on true
        left join raw.withdrawal as w on k.old_submission_id = w.submission_id and w.withdrawn_at <= p_to
        left join lateral (
            select
                string_agg(distinct a.answered_by, '; ') as answered_by,
                string_agg(distinct a.reason, '; ') as reason
            from core.finding_answer as a
            where a.submission_id = k.new_submission_id and a.kind = 'overridden' and a.answered_at <= p_to
        ) as a on true
        left join lateral (
            select d.decided_by, d.reason from raw.revision_decision as d
            where d.submission_id = k.old_submission_id and d.decision = 'rejected' and d.decided_at <= p_to
            order by d.decided_at desc limit 1
        ) as r on true
        where k.old_submission_id is distinct from k.new_submission_id
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
        case
            when c.commune_code is null then 'allocation'
            when c.withdrawn_by is not null then 'withdrawn'
            when c.is_late_revision then 'late_revision'
            when c.is_admitted then 'admitted'
            when c.rejected_by is not null then 'revision_rejected'
            when c.old_submission_id is null then 'new_report'
            else 'resubmission'
        end as cause,
        case
            when c.commune_code is null then (
                select string_agg(distinct g.decision_no, '; ')
                from ref.allocation as g
                where
                    g.budget_year = p_budget_year and g.commune_code = p.commune_code and g.loaded_at > p_from
                    and g.loaded_at <= p_to
            )
            when c.withdrawn_by is not null then c.withdrawn_reason
            when c.is_late_revision then c.decided_reason
            when c.is_admitted then c.overridden_reason
            else c.rejected_reason
        end as reason,
        case
            when c.withdrawn_by is not null then c.withdrawn_by
            when c.is_late_revision then c.decided_by
            when c.is_admitted then c.answered_by
            else c.rejected_by
        end as decided_by,
        coalesce(p.old_submission_id, c.old_submission_id) as old_submission_id,
        coalesce(p.new_submission_id, c.new_submission_id) as new_submission_id,
        p.old_row_no,
        p.new_row_no
    from pairs as p
    left join causes as c on p.commune_code = c.commune_code
$$;
