-- Facts of one budget year, from the sample's month (five_years.sql). Amounts paid grow by thirteenths, rounded to đồng.

insert into core.disbursement (
    submission_id, commune_code, period, budget_year, row_no, line_code, project_code, capital_kind, plan_total, plan_nstw,
    plan_nst, plan_nsx, carry_nstw, carry_nsdp, disb_period, disb_ytd, disb_nstw, disb_nsdp, disb_completed, disb_advance,
    disb_carry, accepted_volume, forecast, disb_rate, note, value_states
)
select
    r.submission_id, r.commune_code, r.period, r.budget_year, d.row_no, d.line_code, d.project_code, d.capital_kind,
    d.plan_total, d.plan_nstw, d.plan_nst, d.plan_nsx, d.carry_nstw, d.carry_nsdp,
    round(d.disb_ytd / 13),
    round(d.disb_nstw * r.step / 13) + round(d.disb_nsdp * r.step / 13),
    round(d.disb_nstw * r.step / 13), round(d.disb_nsdp * r.step / 13),
    round(d.disb_nstw * r.step / 13) + round(d.disb_nsdp * r.step / 13) - round(d.disb_advance * r.step / 13),
    round(d.disb_advance * r.step / 13), round(d.disb_carry * r.step / 13), d.accepted_volume, d.forecast, null, d.note,
    d.value_states
from bench.report as r
inner join sample.disbursement as d on r.source = d.commune_code
where r.budget_year = %(year)s and r.verdict = 'accepted'
order by r.submission_id, d.line_code;

insert into core.roadmap (
    submission_id, commune_code, period, budget_year, row_no, line_code, project_code, capital_kind, planned_m01, planned_m02,
    planned_m03, planned_m04, planned_m05, planned_m06, planned_m07, planned_m08, planned_m09, planned_m10, planned_m11,
    planned_m12, planned_close, note, value_states
)
select
    r.submission_id, r.commune_code, r.period, r.budget_year, d.row_no, d.line_code, d.project_code, d.capital_kind,
    d.planned_m01, d.planned_m02, d.planned_m03, d.planned_m04, d.planned_m05, d.planned_m06, d.planned_m07,
    d.planned_m08, d.planned_m09, d.planned_m10, d.planned_m11, d.planned_m12, d.planned_close, d.note, d.value_states
from bench.report as r
inner join sample.roadmap as d on r.source = d.commune_code
where r.budget_year = %(year)s and r.verdict = 'accepted'
order by r.submission_id, d.line_code;

insert into core.output_indicator (
    submission_id, commune_code, period, budget_year, row_no, indicator_code, indicator_vi, project_code, unit,
    target_phase, target_year, actual_period, actual_ytd, actual_phase, rate_year, rate_phase, forecast, note,
    value_states
)
select
    r.submission_id, r.commune_code, r.period, r.budget_year, d.row_no, d.indicator_code, d.indicator_vi, d.project_code,
    d.unit, d.target_phase, d.target_year, d.actual_period, floor(d.actual_ytd * r.step / 13), d.actual_phase, null, null,
    d.forecast, d.note, d.value_states
from bench.report as r
inner join sample.output_indicator as d on r.source = d.commune_code
where r.budget_year = %(year)s and r.verdict = 'accepted'
order by r.submission_id;

insert into core.proposal (
    submission_id, commune_code, period, budget_year, row_no, issue_id, is_new, project_code, problem, cause, proposal,
    addressee, category, state, reply_doc, adjust_amount, note, value_states
)
select
    r.submission_id, r.commune_code, r.period, r.budget_year, d.row_no,
    format('KN-%%s-%%s-%%s-%%s', r.commune_code, r.budget_year, '0' || (1 + r.step %% 9), lpad(d.row_no::text, 2, '0')),
    d.is_new, d.project_code, d.problem, d.cause, d.proposal, d.addressee, d.category, d.state, d.reply_doc,
    d.adjust_amount, d.note, d.value_states
from bench.report as r
inner join sample.proposal as d on r.source = d.commune_code
where r.budget_year = %(year)s and r.verdict = 'accepted'
order by r.submission_id;

insert into core.task_report (
    submission_id, commune_code, period, budget_year, row_no, task_id, doc_no, doc_date, content, lead, coordinating,
    deadline_text, status, done_date, result_doc, progress, reason, extension_date, note, value_states
)
select
    r.submission_id, r.commune_code, r.period, r.budget_year, d.row_no, d.task_id, d.doc_no, d.doc_date, d.content, d.lead,
    d.coordinating, d.deadline_text, d.status, d.done_date, d.result_doc, d.progress, d.reason, d.extension_date, d.note,
    d.value_states
from bench.report as r
inner join sample.task_report as d on r.source = d.commune_code
where r.budget_year = %(year)s and r.verdict = 'accepted'
order by r.submission_id;

insert into core.off_budget (
    submission_id, commune_code, period, budget_year, row_no, line_code, amount, value_states
)
select
    r.submission_id, r.commune_code, r.period, r.budget_year, d.row_no, d.line_code, round(d.amount * r.step / 13),
    d.value_states
from bench.report as r
inner join sample.off_budget as d on r.source = d.commune_code
where r.budget_year = %(year)s and r.verdict = 'accepted'
order by r.submission_id;

insert into core.treasury_balance (
    sha256, sheet, row_no, cell, budget_unit_code, commune_code, budget_code, said_kind, node_code, capital_kind, completed,
    advance, total, overdue, loaded_at
)
select
    t.sha256, 'ChiTiet', row_number() over (partition by t.sha256 order by c.commune_code, b.row_no), 'A1',
    c.commune_code, c.commune_code, b.budget_code, b.said_kind, b.node_code, b.capital_kind, b.completed, b.advance,
    b.total, b.overdue, t.loaded_at
from core.treasury_statement as t
cross join bench.commune as c
inner join sample.treasury_balance as b on c.source = b.commune_code
where t.budget_year = %(year)s;
