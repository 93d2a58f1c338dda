-- Findings that can be followed from report to report, answers to them, and reports that an officer admits.

-- What was judged, beyond the one file: which expectation, form, row and column; and what the sender's note says to it.
alter table core.finding
add column expectation_id text not null default '',
add column form text,
add column line text,
add column item text,
add column unit text check (unit in ('vnd', 'percent', 'quantity', 'ratio', 'text')),
add column explanation text;

create index on core.finding (rule_id);

-- What an officer says to a finding: an explanation of a warning, or that an error does not stand in the way.
create table core.finding_answer (
    finding_answer_id bigint generated always as identity primary key,
    submission_id bigint not null,
    finding_no integer not null,
    kind text not null check (kind in ('explained', 'overridden')),
    answered_by text not null check (answered_by <> ''),
    reason text not null check (reason <> ''),
    answered_at timestamptz not null,
    foreign key (submission_id, finding_no) references core.finding,
    unique (submission_id, finding_no, kind)
);

-- A returned report all of whose errors were overridden counts from this moment on.
create table raw.admission (
    submission_id bigint primary key references raw.submission,
    admitted_by text not null check (admitted_by <> ''),
    admitted_at timestamptz not null
);

do $$
declare
    t text;
begin
    foreach t in array array['core.finding_answer', 'raw.admission'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %s '
            'for each statement execute function audit.refuse_change()', t
        );
    end loop;
end
$$;

-- From when until when each submission may speak for its commune, and what it ranks by among those that may: an
-- accepted one from the moment it is known, ranked by its arrival in the archive; one that an officer admitted, from
-- that moment; a late revision while an officer's acceptance stands, as if it had arrived at that decision.
create view raw.claim as
with decided as (
    select
        d.submission_id,
        d.decision,
        d.decided_at,
        lead(d.decided_at) over (
            partition by d.submission_id order by d.decided_at, d.revision_decision_id
        ) as next_decided_at
    from raw.revision_decision as d
)

select
    s.submission_id,
    s.commune_code,
    s.period,
    s.budget_year,
    s.as_of,
    s.received_at,
    s.known_at,
    s.sha256,
    s.file_name,
    s.version_no,
    case
        when s.is_late_revision then greatest(d.decided_at, a.admitted_at)
        else coalesce(a.admitted_at, s.known_at)
    end as claims_from,
    d.next_decided_at as claims_until,
    case
        when s.is_late_revision then greatest(d.decided_at, a.admitted_at)
        else coalesce(a.admitted_at, s.archived_at)
    end as ranked_by
from raw.submission as s
left join raw.admission as a on s.submission_id = a.submission_id
left join decided as d on s.submission_id = d.submission_id and d.decision = 'accepted' and s.is_late_revision
where
    (s.verdict = 'accepted' or a.submission_id is not null)
    and (not s.is_late_revision or d.submission_id is not null);

-- The submission that speaks for a commune, period and budget year, as known at a moment: of those that may by then the
-- one that ranks last; what arrived together is ordered by the time at which the sender put it there, then by the
-- sender's version number, then by content, so that re-runs do not matter (law 10).
create or replace function core.in_force(p_known_at timestamptz)
returns table (
    submission_id bigint,
    commune_code text,
    period text,
    budget_year integer,
    as_of date,
    received_at timestamptz,
    known_at timestamptz,
    sha256 text,
    file_name text
)
language sql stable
as $$
    select distinct on (c.commune_code, c.period, c.budget_year)
        c.submission_id, c.commune_code, c.period, c.budget_year, c.as_of, c.received_at, c.known_at, c.sha256,
        c.file_name
    from raw.claim as c
    where c.claims_from <= p_known_at and (c.claims_until is null or c.claims_until > p_known_at)
    order by
        c.commune_code, c.period, c.budget_year, c.ranked_by desc, c.received_at desc, c.version_no desc nulls last,
        c.sha256
$$;

-- During which stretches of time each submission was the one in force; empty for one that never was.
create or replace view raw.submission_in_force as
with moments as (
    select
        c.commune_code,
        c.period,
        c.budget_year,
        c.claims_from as moment
    from raw.claim as c
    union
    select
        c.commune_code,
        c.period,
        c.budget_year,
        c.claims_until as moment
    from raw.claim as c
    where c.claims_until is not null
),

spans as (
    select
        m.*,
        lead(m.moment) over (partition by m.commune_code, m.period, m.budget_year order by m.moment) as next_moment
    from moments as m
),

speaking as (
    select
        w.submission_id,
        range_agg(tstzrange(p.moment, p.next_moment)) as in_force
    from spans as p
    cross join
        lateral (
            select c.submission_id
            from raw.claim as c
            where
                (c.commune_code, c.period, c.budget_year) = (p.commune_code, p.period, p.budget_year)
                and c.claims_from <= p.moment and (c.claims_until is null or c.claims_until > p.moment)
            order by c.ranked_by desc, c.received_at desc, c.version_no desc nulls last, c.sha256 asc
            limit 1
        ) as w
    group by w.submission_id
)

select
    s.submission_id,
    s.commune_code,
    s.period,
    s.budget_year,
    coalesce(k.in_force, '{}'::tstzmultirange) as in_force
from raw.submission as s
left join raw.admission as a on s.submission_id = a.submission_id
left join speaking as k on s.submission_id = k.submission_id
where s.verdict = 'accepted' or a.submission_id is not null;

-- Note what each submission that counts replaced that has no note yet. A version is contested when it changes lines and
-- comes from elsewhere, or when it carries the version number of the one it replaces and differs from it in many lines:
-- it did not start from that one. Idempotent.
create or replace function core.note_replacements(p_contested_pct numeric) returns bigint
language sql volatile
as $$
    with entries as (
        select
            s.*,
            coalesce(a.admitted_at, s.known_at) as entered_at,
            coalesce(a.admitted_at, s.archived_at) as ranked_by
        from raw.submission as s
        left join raw.admission as a on s.submission_id = a.submission_id
        where
            (s.verdict = 'accepted' or a.submission_id is not null)
            and not exists (select 1 from core.replacement as r where r.submission_id = s.submission_id)
    ),

    pairs as (
        select e.submission_id, o.submission_id as replaces, e.version_no, o.version_no as replaced_version,
            o.submission_id is not null and raw.source_of(e.sha256) is distinct from raw.source_of(o.sha256)
                as is_elsewhere
        from entries as e
        left join lateral (
            select c.submission_id, c.version_no, c.sha256
            from raw.claim as c
            where
                c.submission_id <> e.submission_id and c.known_at <= e.entered_at
                and (c.commune_code, c.period, c.budget_year) = (e.commune_code, e.period, e.budget_year)
                and c.claims_from <= e.entered_at and (c.claims_until is null or c.claims_until > e.entered_at)
                and (
                    e.is_late_revision
                    or (c.ranked_by, c.received_at, coalesce(c.version_no, 0), e.sha256)
                    < (e.ranked_by, e.received_at, coalesce(e.version_no, 0), c.sha256)
                )
            order by c.ranked_by desc, c.received_at desc, c.version_no desc nulls last, c.sha256
            limit 1
        ) as o on true
    ),

    counted as (
        select
            p.*,
            case when p.replaces is null then 0 else (
                select count(distinct (x.form, x.line)) from core.difference(p.replaces, p.submission_id) as x
            ) end as lines_differing,
            case when p.replaces is null then 0 else (
                select count(*) from core.disbursement as l where l.submission_id = p.replaces
            ) end as lines
        from pairs as p
    ),

    inserted as (
        insert into core.replacement
        select
            c.submission_id,
            c.replaces,
            c.lines_differing,
            c.is_elsewhere,
            c.lines_differing > 0 and (
                c.is_elsewhere
                or coalesce(
                    c.version_no = c.replaced_version
                    and c.lines_differing >= greatest(3, c.lines * p_contested_pct / 100), false
                )
            )
        from counted as c
        on conflict (submission_id) do nothing
        returning 1
    )

    select count(*) from inserted
$$;

-- Decisions that are given to the province as a whole and to provincial units: with those to the communes they add up.
create table ref.allocation_province (
    decision_no text not null,
    signed_on date not null,
    effective_on date not null,
    budget_year integer not null,
    unit_code text not null,
    project_code text not null,
    capital_kind text not null,
    source text not null check (source in ('NSTW', 'NST', 'NSX', 'KD_NSTW', 'KD_NSDP')),
    amount_vnd numeric(20, 0) not null,
    note text,
    loaded_at timestamptz not null,
    primary key (decision_no, budget_year, unit_code, project_code, capital_kind, source)
);
create trigger append_only before update or delete or truncate on ref.allocation_province
for each statement execute function audit.refuse_change();

-- The catalogue as the pipeline knows it: one row per expectation.
drop table ref.rule;
create table ref.rule (
    expectation_id text primary key,
    rule_id text not null,
    suite text not null,
    severity text not null check (severity in ('error', 'warning', 'info')),
    state text not null check (state in ('beta', 'on', 'retired')),
    may_be_overridden boolean not null,
    reason_vi text not null,
    meaning_en text not null
);

comment on table core.finding_answer is
'Trả lời của cán bộ về một phát hiện | What an officer answers to a finding';
comment on column core.finding_answer.finding_answer_id is
'Số thứ tự | Serial number';
comment on column core.finding_answer.submission_id is
'Báo cáo | The submission';
comment on column core.finding_answer.finding_no is
'Số của phát hiện trong báo cáo | Number of the finding within the submission';
comment on column core.finding_answer.kind is
'explained: giải trình cảnh báo; overridden: chấp nhận dù có lỗi | explained: a warning; overridden: an error';
comment on column core.finding_answer.answered_by is
'Người trả lời | Who answers';
comment on column core.finding_answer.reason is
'Lý do, căn cứ | Reason';
comment on column core.finding_answer.answered_at is
'Lúc trả lời (UTC) | When (UTC)';
comment on table raw.admission is
'Báo cáo có lỗi được cán bộ chấp nhận | Returned reports that an officer admitted';
comment on column raw.admission.submission_id is
'Báo cáo | The submission';
comment on column raw.admission.admitted_by is
'Người chấp nhận sau cùng | Who overrode the last error';
comment on column raw.admission.admitted_at is
'Lúc báo cáo bắt đầu được tính (UTC) | From when it counts (UTC)';
comment on view raw.claim is
'Khoảng thời gian mỗi báo cáo có thể được dùng cho đơn vị | When each submission may speak for its commune';
comment on column core.finding.expectation_id is
'Mã kỳ vọng trong danh mục quy tắc | Id of the expectation in the catalogue';
comment on column core.finding.form is
'Biểu | Form';
comment on column core.finding.line is
'Mã dòng | Code of the row';
comment on column core.finding.item is
'Khóa của cột | Key of the column';
comment on column core.finding.unit is
'Đơn vị của số đã ghi, số đúng, chênh lệch | Unit of value, expected, difference';
comment on column core.finding.explanation is
'Giải trình của đơn vị (cột ghi chú) | What the note of that row says';
comment on table ref.allocation_province is
'Quyết định giao vốn: tổng toàn tỉnh và các đơn vị cấp tỉnh | Decisions: provincial total and provincial units';
comment on column ref.allocation_province.unit_code is
'TINH = tổng toàn tỉnh; còn lại là mã cơ quan | TINH = the provincial total, else an agency code';
comment on column ref.allocation_province.amount_vnd is
'Số vốn tăng (+), giảm (-) [đồng] | Signed change [đồng]';
comment on table ref.rule is
'Danh mục quy tắc kiểm tra | Catalogue of rules';
comment on column ref.rule.expectation_id is
'Mã kỳ vọng | Id of the expectation';
comment on column ref.rule.rule_id is
'Mã quy tắc | Id of the rule';
comment on column ref.rule.state is
'beta: chỉ thông báo; on: áp dụng; retired: thôi dùng | beta: informs only; on; retired';
comment on column ref.rule.may_be_overridden is
'Cán bộ có thể chấp nhận dù có lỗi | An officer may override it';
