-- Five years of a country, made inside the warehouse from one month of the sample that the pipeline has loaded: its rows
-- are in the schema sample, under the names of their tables. Each commune repeats one of the sample's, amounts paid grow
-- from month to month. One commune in a hundred is missing, one report in twenty was returned first, one in ten has a
-- second version. Not made: layouts of sheets, postings of the Treasury, deliveries, which no mart reads.

create table bench.commune as
with source as (
    select s.commune_code, row_number() over (order by s.commune_code) - 1 as n, count(*) over () as many
    from (select distinct d.commune_code from sample.disbursement as d) as s
)

select c.commune_code, c.n, s.commune_code as source
from (
    select u.commune_code, row_number() over (order by u.commune_code) as n from ref.commune as u
) as c
inner join source as s on c.n % s.many = s.n;

create table bench.month as
select
    row_number() over (order by w.period, w.budget_year) as no,
    w.period,
    w.budget_year,
    w.as_of,
    w.as_of + time '10:00' as month_end,
    substring(w.period from 6)::integer + case when left(w.period, 4)::integer > w.budget_year then 12 else 0 end as step
from ref.reporting_calendar as w;

create table bench.report as
select
    v.kind * 2000000 + m.no * 10000 + c.n as submission_id,
    c.commune_code,
    c.source,
    m.period,
    m.budget_year,
    m.as_of,
    m.step,
    v.version_no,
    v.verdict,
    m.month_end + v.days * interval '1 day' as known_at,
    case
        when v.kind = 1 and (c.n + m.no) % 10 = 0 then (m.month_end + interval '9 days')::timestamptz else 'infinity'
    end as known_to
from bench.commune as c
cross join bench.month as m
cross join (
    values (0, 1, 'returned', 4), (1, 2, 'accepted', 6), (2, 3, 'accepted', 9)
) as v (kind, version_no, verdict, days)
where
    (c.n * 7 + m.no) % 97 <> 0
    and (v.kind = 1 or (v.kind = 0 and (c.n + m.no) % 20 = 3) or (v.kind = 2 and (c.n + m.no) % 10 = 0));
create index on bench.report (budget_year);
analyze bench.report;

insert into raw.original (sha256, size_bytes, archive_key, archived_at)
select encode(sha256(r.submission_id::text::bytea), 'hex'), 30000, '', r.known_at
from bench.report as r;

insert into raw.submission (
    submission_id, sha256, file_name, verdict, commune_code, period, budget_year, as_of, template_id, template_version,
    version_no, received_at, archived_at, known_at
) overriding system value
select
    r.submission_id,
    encode(sha256(r.submission_id::text::bytea), 'hex'),
    format('BC-MTQG_%s_%s_v%s.xlsx', r.commune_code, r.period, r.version_no),
    r.verdict,
    r.commune_code,
    r.period,
    r.budget_year,
    r.as_of,
    'BC-MTQG',
    1,
    r.version_no,
    r.known_at,
    r.known_at,
    r.known_at
from bench.report as r
order by r.submission_id;

insert into core.submission_span (submission_id, commune_code, period, budget_year, as_of, known_from, known_to)
select r.submission_id, r.commune_code, r.period, r.budget_year, r.as_of, r.known_at, r.known_to
from bench.report as r
where r.verdict = 'accepted'
order by r.period, r.budget_year, r.commune_code;

insert into core.finding (
    submission_id, finding_no, rule_id, severity, sheet, cell, value, expected, difference, message_vi, fix_vi,
    expectation_id, form, line, item, unit
)
select
    r.submission_id,
    f.no,
    u.rule_id,
    case r.verdict when 'returned' then 'error' else 'warning' end,
    'B01-GiaiNgan',
    'K' || (20 + f.no),
    '1000000',
    '2000000',
    '-1000000',
    'Số liệu cần xem lại',
    'Sửa lại số liệu',
    u.rule_id || '-bench',
    'B01',
    'GNBV-DA1-TDA1-DT',
    'disb_ytd',
    'vnd'
from bench.report as r
cross join generate_series(1, 2) as f (no)
inner join (
    select x.rule_id, row_number() over (order by x.rule_id) - 1 as n, count(*) over () as many
    from (select distinct y.rule_id from ref.rule as y) as x
) as u on (r.submission_id + f.no * 7) % u.many = u.n
where r.verdict = 'returned' or (r.submission_id + f.no) % 3 = 0
order by r.submission_id, f.no;

insert into ref.allocation (
    decision_no, signed_on, effective_on, budget_year, commune_code, project_code, capital_kind, source, amount_vnd,
    loaded_at
)
select
    a.decision_no,
    make_date(y.year, 1, 5),
    make_date(y.year, 1, 5),
    y.year,
    c.commune_code,
    a.project_code,
    a.capital_kind,
    a.source,
    a.amount_vnd,
    make_date(y.year, 1, 10)
from sample.allocation as a
inner join bench.commune as c on a.commune_code = c.source
cross join (select distinct m.budget_year as year from bench.month as m) as y
order by y.year, c.commune_code;

insert into core.directive (directive_id, issuer_vi, title_vi, doc_date)
select format('TB-%s-%s-%s', m.period, m.budget_year, g.n), 'UBND tỉnh', 'Thông báo kết luận', m.as_of
from bench.month as m
cross join generate_series(1, 12) as g (n);

insert into core.task (
    task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, content_vi, deadline_phrase_vi, due_date, due_kind,
    recurrence, kind, registered_at
)
select
    d.directive_id || '-' || t.item, d.directive_id, t.item, t.lead_vi, t.lead_text_vi, t.coordinating_vi, t.content_vi,
    t.deadline_phrase_vi, case t.due_kind when 'date' then d.doc_date + 20 end, t.due_kind, t.recurrence, t.kind,
    d.doc_date
from core.directive as d
cross join (select * from core.task) as t
where starts_with(d.directive_id, 'TB-');

insert into core.task_event (task_id, kind, event_date, document, recorded_by, recorded_at)
select t.task_id, 'done', t.due_date + 2, 'Báo cáo kết quả', 'Sổ mẫu', t.due_date + 3
from core.task as t
where starts_with(t.directive_id, 'TB-') and t.due_date is not null and hashtext(t.task_id) % 10 <> 0;

insert into raw.original (sha256, size_bytes, archive_key, archived_at)
select encode(sha256(('treasury' || m.no)::bytea), 'hex'), 900000, '', m.month_end + interval '5 days'
from bench.month as m;
insert into core.treasury_statement (sha256, file_name, as_of, budget_year, loaded_at)
select
    encode(sha256(('treasury' || m.no)::bytea), 'hex'), format('KBNN_%s_%s.xlsx', m.period, m.budget_year), m.as_of,
    m.budget_year, m.month_end + interval '5 days'
from bench.month as m;
insert into core.treasury_loading (sha256, loaded_at)
select t.sha256, t.loaded_at from core.treasury_statement as t;
insert into core.reconciliation (period, budget_year, as_of, sha256, known_at, communes, outcome_sha256)
select
    m.period, m.budget_year, m.as_of, encode(sha256(('treasury' || m.no)::bytea), 'hex'),
    m.month_end + interval '10 days', array(select c.commune_code from bench.commune as c order by c.commune_code), ''
from bench.month as m;
insert into core.reconciliation_difference (
    reconciliation_id, difference_no, kind, commune_code, node_code, capital_kind, line_codes, reported, treasury,
    difference, open_since, submission_id
)
select
    k.reconciliation_id, row_number() over (partition by k.reconciliation_id order by r.commune_code),
    (array['posting_date', 'wrong_code', 'missing_unit', 'unexplained'])[1 + r.submission_id % 4], r.commune_code,
    'GNBV-DA1-TDA1', 'DT', array['GNBV-DA1-TDA1-DT'], 1000000, 2000000, -1000000, k.period, r.submission_id
from core.reconciliation as k
inner join bench.report as r on k.period = r.period and k.budget_year = r.budget_year and r.version_no = 2
where r.submission_id % 10 = 1;

insert into release.release (
    release_id, period, budget_year, release_no, as_of, known_at, facts_sha256, manifest_sha256, created_at
)
select
    m.period || case when m.step > 12 then '-nd' else '' end || '-r' || v.no, m.period, m.budget_year, v.no, m.as_of,
    m.month_end + v.days * interval '1 day', '', '', m.month_end + v.days * interval '1 day'
from bench.month as m
cross join (values (1, 8), (2, 12)) as v (no, days);
insert into release.publication (release_id, manifest_sha256, published_at)
select r.release_id, '', r.known_at + interval '1 hour' from release.release as r;
