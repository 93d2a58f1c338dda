-- Warehouse of Tiến độ: reference data, received workbooks, append-only facts, releases, audit.
-- Amounts are whole đồng in numeric(20, 0). Timestamps are timestamptz (UTC); calendar days are Vietnamese days.

create schema raw;
create schema ref;
create schema core;
create schema mart;
create schema release;
create schema audit;

-- ref: dated reference data -------------------------------------------------------------------------------------

create table ref.commune (
    commune_code text not null check (commune_code ~ '^[0-9]{5}$'),
    province_code text not null,
    name_vi text not null,
    short_name_vi text not null,
    kind text not null,
    area_km2 numeric,
    former_districts text[] not null,
    resolution text not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (commune_code, valid_from)
);

create table ref.former_unit (
    former_code text not null,
    former_name_vi text not null,
    former_district_vi text not null,
    partly_merged boolean not null,
    commune_code text not null,
    ambiguous_without_district boolean not null,
    valid_to date not null,
    verified boolean not null,
    primary key (former_code, commune_code)
);

create table ref.programme_node (
    code text not null,
    parent_code text,
    programme_code text not null,
    level text not null,
    name_vi text not null,
    name_en text,
    managing_agencies_vi text[] not null,
    decision text,
    capital_kinds text[] not null,
    predecessor_codes text[] not null,
    sort_no integer not null,
    is_leaf boolean not null,
    valid_from date not null,
    valid_to date,
    verified text not null,
    capital_verified boolean not null,
    verification_note text,
    primary key (code, valid_from)
);

create table ref.agency (
    agency_code text not null,
    name_vi text not null,
    kind text not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (agency_code, valid_from)
);

create table ref.agency_alias (
    alias_vi text not null,
    agency_code text not null,
    valid_from date,
    valid_to date,
    verified boolean not null,
    primary key (alias_vi, agency_code)
);

create table ref.funding_source (
    source_code text not null,
    group_code text not null,
    name_vi text not null,
    name_en text not null,
    in_rate boolean not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (source_code, valid_from)
);

create table ref.capital_kind (
    capital_kind text not null,
    name_vi text not null,
    short_vi text not null,
    name_en text not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (capital_kind, valid_from)
);

create table ref.reporting_calendar (
    period text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    budget_year integer not null,
    as_of date not null,
    opens_on date not null,
    due_on date not null,
    cutoff_on date not null,
    publish_on date not null,
    is_closing boolean not null,
    verified boolean not null,
    primary key (period, budget_year)
);

create table ref.holiday (
    day date primary key,
    kind text not null check (kind in ('holiday', 'makeup')),
    name_vi text not null,
    verified boolean not null
);

create table ref.threshold (
    threshold_code text not null,
    value numeric not null,
    unit text not null,
    meaning_vi text not null,
    meaning_en text not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (threshold_code, valid_from)
);

create table ref.indicator (
    indicator_code text not null,
    project_code text not null,
    name_vi text not null,
    unit text not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (indicator_code, valid_from)
);

create table ref.rule (
    rule_id text not null,
    severity text not null check (severity in ('error', 'warning', 'info')),
    state text not null check (state in ('beta', 'on', 'retired')),
    suite text not null,
    reason_vi text not null,
    primary key (rule_id, suite)
);

-- A decision is a signed change per line: plans move down as well as up within the year (DOMAIN.md 3.1).
create table ref.allocation (
    decision_no text not null,
    signed_on date not null,
    effective_on date not null,
    budget_year integer not null,
    commune_code text not null,
    project_code text not null,
    capital_kind text not null,
    source text not null check (source in ('NSTW', 'NST', 'NSX', 'KD_NSTW', 'KD_NSDP')),
    amount_vnd numeric(20, 0) not null,
    note text,
    loaded_at timestamptz not null,
    primary key (decision_no, budget_year, commune_code, project_code, capital_kind, source)
);

-- raw: what was received -------------------------------------------------------------------------------------------

create table raw.original (
    sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes bigint not null,
    archive_key text not null,
    archived_at timestamptz not null
);

create table raw.delivery (
    delivery_id bigint generated always as identity primary key,
    sha256 text not null references raw.original,
    inbox text not null,
    file_name text not null,
    received_at timestamptz not null,
    unique (inbox, file_name, sha256)
);

-- One row per workbook that was judged, accepted or not; never changed afterwards.
create table raw.submission (
    submission_id bigint generated always as identity primary key,
    sha256 text not null unique references raw.original,
    file_name text not null,
    verdict text not null check (verdict in ('accepted', 'returned', 'refused')),
    commune_code text,
    period text,
    budget_year integer,
    as_of date,
    template_id text,
    template_version integer,
    version_no integer,
    signer text,
    nothing_to_report text[] not null default '{}',
    line_counts jsonb not null default '{}',
    received_at timestamptz not null,
    archived_at timestamptz not null,
    known_at timestamptz not null,
    check (verdict <> 'accepted' or (commune_code is not null and period is not null and budget_year is not null))
);
create index on raw.submission (period, budget_year, commune_code) where verdict = 'accepted';

-- Which column of the file held which key: with the row number of a fact this is the cell it came from.
create table raw.sheet_layout (
    submission_id bigint not null references raw.submission,
    form text not null,
    sheet text not null,
    columns jsonb not null,
    primary key (submission_id, form)
);

-- core: append-only facts ------------------------------------------------------------------------------------------
-- value_states names every value that is not a plain number: declared_zero (stored 0), blank or not_reported
-- (stored null). A column that is absent from the object held a number or text.

create table core.disbursement (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    row_no integer not null,
    line_code text not null,
    project_code text not null,
    capital_kind text not null,
    plan_total numeric(20, 0),
    plan_nstw numeric(20, 0),
    plan_nst numeric(20, 0),
    plan_nsx numeric(20, 0),
    carry_nstw numeric(20, 0),
    carry_nsdp numeric(20, 0),
    disb_period numeric(20, 0),
    disb_ytd numeric(20, 0),
    disb_nstw numeric(20, 0),
    disb_nsdp numeric(20, 0),
    disb_completed numeric(20, 0),
    disb_advance numeric(20, 0),
    disb_carry numeric(20, 0),
    accepted_volume numeric(20, 0),
    forecast numeric(20, 0),
    disb_rate numeric,
    note text,
    value_states jsonb not null default '{}',
    primary key (budget_year, submission_id, line_code)
) partition by list (budget_year);
create table core.disbursement_2025 partition of core.disbursement for values in (2025);
create table core.disbursement_2026 partition of core.disbursement for values in (2026);
create table core.disbursement_2027 partition of core.disbursement for values in (2027);
create table core.disbursement_other partition of core.disbursement default;
create index on core.disbursement (submission_id);

create table core.output_indicator (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    row_no integer not null,
    indicator_code text not null,
    indicator_vi text,
    project_code text,
    unit text,
    target_phase numeric,
    target_year numeric,
    actual_period numeric,
    actual_ytd numeric,
    actual_phase numeric,
    rate_year numeric,
    rate_phase numeric,
    forecast numeric,
    note text,
    value_states jsonb not null default '{}',
    primary key (submission_id, indicator_code)
);

create table core.task_report (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    row_no integer not null,
    task_id text not null,
    doc_no text,
    doc_date date,
    content text,
    lead text,
    coordinating text,
    deadline_text text,
    status text,
    done_date date,
    result_doc text,
    progress text,
    reason text,
    extension_date date,
    note text,
    value_states jsonb not null default '{}',
    primary key (submission_id, task_id)
);

create table core.proposal (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    row_no integer not null,
    issue_id text not null,
    is_new boolean not null,
    project_code text,
    problem text,
    cause text,
    proposal text,
    addressee text,
    category text,
    state text,
    reply_doc text,
    adjust_amount numeric(20, 0),
    note text,
    value_states jsonb not null default '{}',
    primary key (submission_id, row_no)
);

create table core.roadmap (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    row_no integer not null,
    line_code text not null,
    project_code text not null,
    capital_kind text not null,
    planned_m01 numeric(20, 0),
    planned_m02 numeric(20, 0),
    planned_m03 numeric(20, 0),
    planned_m04 numeric(20, 0),
    planned_m05 numeric(20, 0),
    planned_m06 numeric(20, 0),
    planned_m07 numeric(20, 0),
    planned_m08 numeric(20, 0),
    planned_m09 numeric(20, 0),
    planned_m10 numeric(20, 0),
    planned_m11 numeric(20, 0),
    planned_m12 numeric(20, 0),
    planned_close numeric(20, 0),
    note text,
    value_states jsonb not null default '{}',
    primary key (submission_id, line_code)
);

create table core.off_budget (
    submission_id bigint not null references raw.submission,
    commune_code text not null,
    period text not null,
    budget_year integer not null,
    row_no integer not null,
    line_code text not null,
    amount numeric(20, 0),
    value_states jsonb not null default '{}',
    primary key (submission_id, line_code)
);

create table core.finding (
    submission_id bigint not null references raw.submission,
    finding_no integer not null,
    rule_id text not null,
    severity text not null check (severity in ('error', 'warning', 'info')),
    sheet text,
    cell text,
    value text,
    expected text,
    difference text,
    message_vi text not null,
    fix_vi text not null,
    primary key (submission_id, finding_no)
);

-- Task register. A task is registered once; what happens to it afterwards is events. The original deadline is never
-- overwritten: an extension is an event, and the deadline in force is derived.
create table core.directive (
    directive_id text primary key,
    doc_no text,
    doc_date date,
    issuer_vi text not null,
    title_vi text not null,
    event_date date,
    place_vi text,
    signed_by_vi text,
    note_vi text
);

create table core.task (
    task_id text primary key,
    directive_id text not null references core.directive,
    item text not null,
    lead_vi text not null,
    lead_text_vi text not null,
    coordinating_vi text[] not null,
    content_vi text not null,
    deadline_phrase_vi text,
    due_date date,
    due_kind text not null check (due_kind in ('date', 'horizon', 'recurring', 'event', 'none')),
    recurrence text,
    kind text not null,
    deliverable text,
    related_document text,
    joint_group text,
    note text,
    registered_at timestamptz not null
);

create table core.task_event (
    task_event_id bigint generated always as identity primary key,
    task_id text not null references core.task,
    kind text not null check (kind in ('done', 'reopened', 'extended', 'withdrawn')),
    event_date date not null,
    new_due_date date,
    document text not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    check ((kind = 'extended') = (new_due_date is not null)),
    unique (task_id, kind, event_date, document)
);

-- release: what was published ----------------------------------------------------------------------------------------

create table release.release (
    release_id text primary key,
    period text not null,
    budget_year integer not null,
    release_no integer not null,
    as_of date not null,
    known_at timestamptz not null,
    facts_sha256 text not null,
    manifest_sha256 text,
    created_at timestamptz not null,
    unique (period, budget_year, release_no)
);

create table release.figure (
    figure_id text primary key,
    release_id text not null references release.release,
    metric text not null,
    dims jsonb not null,
    value numeric,
    text_value text,
    unit text not null,
    numerator numeric,
    denominator numeric,
    coverage_n integer,
    coverage_of integer,
    coverage_plan_pct numeric,
    source text not null
);
create index on release.figure (release_id, metric);

create table release.artifact (
    release_id text not null references release.release,
    name text not null,
    sha256 text not null,
    size_bytes bigint not null,
    primary key (release_id, name)
);

create table release.approval (
    approval_id bigint generated always as identity primary key,
    release_id text not null references release.release,
    manifest_sha256 text not null,
    decision text not null check (decision in ('approved', 'rejected')),
    decided_by text not null,
    decided_at timestamptz not null,
    unique (release_id, manifest_sha256)
);

create table release.publication (
    release_id text primary key references release.release,
    manifest_sha256 text not null,
    published_at timestamptz not null
);

create table release.delivery (
    release_id text not null references release.release,
    recipient text not null,
    channel text not null check (channel in ('outbox', 'smtp')),
    state text not null check (state in ('claimed', 'sent', 'failed')),
    claimed_at timestamptz not null,
    finished_at timestamptz,
    detail text,
    primary key (release_id, recipient, channel)
);

-- audit: hash-chained events --------------------------------------------------------------------------------------

create table audit.event (
    seq bigint primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null,
    previous_hash text not null,
    hash text not null
);

create function audit.event_hash(
    seq bigint, at timestamptz, actor text, action text, subject text, detail jsonb, previous_hash text
) returns text
language sql immutable
as $$
    select encode(sha256(convert_to(concat_ws(
        '|', seq, extract(epoch from at), actor, action, subject, detail, previous_hash
    ), 'UTF8')), 'hex')
$$;

-- Appends one event. The advisory lock serialises writers, so the chain has no fork.
create function audit.append(p_at timestamptz, p_actor text, p_action text, p_subject text, p_detail jsonb)
returns bigint
language plpgsql
as $$
declare
    last_seq bigint;
    last_hash text;
begin
    perform pg_advisory_xact_lock(hashtext('audit.event'));
    select e.seq, e.hash into last_seq, last_hash from audit.event as e order by e.seq desc limit 1;
    last_seq := coalesce(last_seq, 0) + 1;
    last_hash := coalesce(last_hash, repeat('0', 64));
    insert into audit.event (seq, at, actor, action, subject, detail, previous_hash, hash)
    values (
        last_seq, p_at, p_actor, p_action, p_subject, p_detail, last_hash,
        audit.event_hash(last_seq, p_at, p_actor, p_action, p_subject, p_detail, last_hash)
    );
    return last_seq;
end
$$;

-- Law 4: what was received, reported, published or audited is never changed or removed.
create function audit.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception '% is append-only: % refused', tg_table_schema || '.' || tg_table_name, tg_op
        using hint = 'A correction is a new row that supersedes the old one.';
end
$$;

do $$
declare
    t text;
begin
    foreach t in array array[
        'raw.original', 'raw.delivery', 'raw.submission', 'raw.sheet_layout', 'core.disbursement',
        'core.output_indicator', 'core.task_report', 'core.proposal', 'core.roadmap', 'core.off_budget',
        'core.finding', 'core.task_event', 'ref.allocation', 'release.figure', 'release.artifact',
        'release.approval', 'release.publication', 'audit.event'
    ] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %s '
            'for each statement execute function audit.refuse_change()', t
        );
    end loop;
end
$$;

-- Roles: the pipeline writes, analysts read mart and ref. Creating roles may be the office's own privilege.
do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'tiendo_etl') then
        create role tiendo_etl nologin;
    end if;
    if not exists (select 1 from pg_roles where rolname = 'tiendo_analyst') then
        create role tiendo_analyst nologin;
    end if;
exception when insufficient_privilege then
    raise notice 'roles tiendo_etl and tiendo_analyst have to be created by an administrator';
end
$$;

-- The submission that speaks for a commune, period and budget year, as known at a moment: of those accepted by then
-- the one that reached the archive last. What arrived together is ordered by the time at which the sender put it
-- there, then by the sender's version number, then by content, so that re-runs do not matter (law 10). The sender's
-- clock alone never decides: a file copied with an old date is still the later word.
create function core.in_force(p_known_at timestamptz)
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
    select distinct on (s.commune_code, s.period, s.budget_year)
        s.submission_id, s.commune_code, s.period, s.budget_year, s.as_of, s.received_at, s.known_at, s.sha256,
        s.file_name
    from raw.submission as s
    where s.verdict = 'accepted' and s.known_at <= p_known_at
    order by
        s.commune_code, s.period, s.budget_year, s.archived_at desc, s.received_at desc, s.version_no desc nulls last,
        s.sha256
$$;

-- During which stretch of time each accepted submission was the one in force; empty for one that never was.
create view raw.submission_in_force as
select
    s.submission_id,
    s.commune_code,
    s.period,
    s.budget_year,
    case
        when exists (
            select 1 from raw.submission as o
            where
                o.verdict = 'accepted' and (o.commune_code, o.period, o.budget_year)
                = (s.commune_code, s.period, s.budget_year) and o.known_at <= s.known_at
                and o.submission_id <> s.submission_id
                and (o.archived_at, o.received_at, coalesce(o.version_no, 0), s.sha256)
                > (s.archived_at, s.received_at, coalesce(s.version_no, 0), o.sha256)
        ) then 'empty'::tstzrange
        else tstzrange(s.known_at, (
            select min(o.known_at) from raw.submission as o
            where
                o.verdict = 'accepted' and (o.commune_code, o.period, o.budget_year)
                = (s.commune_code, s.period, s.budget_year) and o.known_at > s.known_at
                and (o.archived_at, o.received_at, coalesce(o.version_no, 0), s.sha256)
                > (s.archived_at, s.received_at, coalesce(s.version_no, 0), o.sha256)
        ))
    end as in_force
from raw.submission as s
where s.verdict = 'accepted';

-- Working days after p_start up to and including p_end (Monday to Friday, holidays out, make-up days in).
create function ref.working_days_between(p_start date, p_end date) returns integer
language sql stable
as $$
    select count(*)::integer
    from generate_series(p_start + 1, p_end, interval '1 day') as g (day)
    left join ref.holiday as h on g.day::date = h.day
    where coalesce(h.kind = 'makeup', extract(isodow from g.day) < 6)
$$;
