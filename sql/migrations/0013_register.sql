-- From a notice to its tasks: what was read waits for a person; events of the register; links between notices and
-- tasks, tasks and proposals; what departments report; who was reminded of what.

-- Who is written to, and at which delay: lists of the province.
create table ref.contact (
    contact_code text primary key,
    name_vi text not null,
    email text,
    active boolean not null,
    verified boolean not null
);

create table ref.follow_up_step (
    event_kind text not null check (
        event_kind in ('due_soon', 'overdue', 'missing_report', 'returned_report', 'no_address')
    ),
    owner_kind text not null check (owner_kind in ('any', 'commune', 'agency')),
    step integer not null check (step > 0),
    working_days integer not null,
    recipient text not null,
    verified boolean not null,
    primary key (event_kind, owner_kind, step, recipient)
);

-- A reading of a notice. Another reading of the same file (the registrar gave the date, the rules were changed) is
-- another row; nothing of it is in the register yet.
create table core.notice (
    notice_id bigint generated always as identity primary key,
    sha256 text not null references raw.original,
    reading_sha256 text not null,
    file_name text not null,
    doc_no text,
    doc_date date,
    issuer_vi text,
    title_vi text,
    event_date date,
    place_vi text,
    signed_by_vi text,
    commune_code text,
    questions_vi text[] not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    unique (sha256, reading_sha256)
);

create table core.notice_task (
    notice_id bigint not null references core.notice,
    row_no integer not null,
    item text not null,
    clause text,
    lead_vi text not null,
    lead_text_vi text not null,
    coordinating_vi text[] not null,
    content_vi text not null,
    deadline_phrase_vi text,
    due_date date,
    due_kind text not null check (due_kind in ('date', 'horizon', 'recurring', 'event', 'none')),
    recurrence text,
    due_day integer,
    due_shift integer not null default 0,
    is_standing boolean not null default false,
    source_text_vi text not null,
    span_start integer not null,
    span_end integer not null,
    documents_vi text[] not null,
    question_vi text,
    earlier_task_id text references core.task,
    relation text check (relation in ('repeats', 'changes', 'replaces')),
    relation_reason_vi text,
    primary key (notice_id, row_no)
);

-- A person's answer to a reading: put into the register, or turned down.
create table core.notice_decision (
    notice_decision_id bigint generated always as identity primary key,
    notice_id bigint not null references core.notice,
    decision text not null check (decision in ('registered', 'rejected')),
    directive_id text references core.directive,
    channel text not null check (channel in ('workbook', 'airflow', 'command')),
    evidence_sha256 text references raw.original,
    reason_vi text,
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null,
    check ((decision = 'registered') = (directive_id is not null))
);

create table core.notice_task_decision (
    notice_decision_id bigint not null references core.notice_decision,
    row_no integer not null,
    decision text not null check (decision in ('confirmed', 'edited', 'dropped', 'linked')),
    task_id text references core.task,
    relation text check (relation in ('repeats', 'changes', 'replaces')),
    earlier_task_id text references core.task,
    primary key (notice_decision_id, row_no),
    check ((relation is null) = (earlier_task_id is null))
);

alter table core.directive add column commune_code text;
alter table core.directive add column sha256 text references raw.original;
alter table core.task add column clause text;
alter table core.task add column span_start integer;
alter table core.task add column span_end integer;
alter table core.task add column due_day integer;
alter table core.task add column due_shift integer not null default 0;

-- Events: what is said of a task (reported, extension_asked) and what counts (extended, done, withdrawn, reopened).
alter table core.task_event drop constraint task_event_kind_check;
alter table core.task_event drop constraint task_event_check;
alter table core.task_event drop constraint task_event_task_id_kind_event_date_document_key;
alter table core.task_event add column instance text not null default '';
alter table core.task_event add column asked_due_date date;
alter table core.task_event add column issued_by_vi text;
alter table core.task_event add column detail_vi text;
alter table core.task_event add check (
    kind in ('reported', 'extension_asked', 'extended', 'done', 'withdrawn', 'reopened')
);
alter table core.task_event add check ((kind = 'extended') = (new_due_date is not null));
alter table core.task_event add check ((kind = 'extension_asked') = (asked_due_date is not null));
alter table core.task_event add check (document <> '');
alter table core.task_event add unique (task_id, instance, kind, event_date, document);

-- A proposal (kiến nghị) of a commune that was handed to an agency as a task.
create table core.task_proposal (
    task_id text not null references core.task,
    commune_code text not null,
    issue_id text not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    primary key (task_id, commune_code, issue_id)
);

-- The monthly workbook of a department on its tasks.
create table core.agency_report (
    sha256 text primary key references raw.original,
    agency_vi text not null,
    period text not null,
    nothing_to_report boolean not null,
    signer_vi text,
    file_name text not null,
    recorded_by text not null,
    received_at timestamptz not null
);
create index on core.agency_report (agency_vi, period);

-- Who declared by a document that there is nothing to report for a month.
create table core.nothing_declared (
    owner_vi text not null,
    period text not null,
    document text not null check (document <> ''),
    recorded_by text not null,
    recorded_at timestamptz not null,
    primary key (owner_vi, period)
);

-- What was done with each file of the folder of notices; a file is taken once.
create table core.notice_file (
    sha256 text primary key references raw.original,
    file_name text not null,
    kind text not null check (kind in ('notice', 'confirmation', 'agency_report')),
    outcome text not null check (outcome in ('proposed', 'registered', 'recorded', 'returned', 'unreadable')),
    detail_vi text not null,
    taken_at timestamptz not null
);

-- Reminders: claimed before they are sent; one digest per day and recipient, whatever the channel.
create table core.follow_up_digest (
    day date not null,
    recipient text not null,
    channel text not null check (channel in ('outbox', 'smtp')),
    state text not null check (state in ('claimed', 'sent', 'failed')),
    claimed_at timestamptz not null,
    finished_at timestamptz,
    detail text,
    primary key (day, recipient, channel),
    unique (day, recipient)
);

-- What each digest told of; written with its claim. What a refused digest held is told again in a later one.
create table core.follow_up_item (
    day date not null,
    recipient text not null,
    channel text not null,
    event_kind text not null,
    subject text not null,
    due_date date not null,
    step integer not null,
    primary key (day, recipient, event_kind, subject, due_date, step),
    foreign key (day, recipient, channel) references core.follow_up_digest
);
create index on core.follow_up_item (subject, event_kind);

do $$
declare
    t text;
begin
    foreach t in array array[
        'core.directive', 'core.task', 'core.notice', 'core.notice_task', 'core.notice_decision',
        'core.notice_task_decision', 'core.task_proposal', 'core.agency_report', 'core.nothing_declared',
        'core.follow_up_item', 'core.notice_file'
    ] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %s '
            'for each statement execute function audit.refuse_change()', t
        );
    end loop;
end
$$;

-- The people's committee of a unit, as documents address it: UBND xã Quan Sơn.
create function ref.committee_vi(p_kind text, p_name_vi text) returns text
language sql immutable
as $$
    select 'UBND ' || p_kind || substr(p_name_vi, length(p_kind) + 1)
$$;

-- The agency that a name, an old name or an abbreviation stands for; null for others.
create function ref.agency_code(p_name_vi text) returns text
language sql stable
as $$
    select coalesce(
        (select min(a.agency_code) from ref.agency as a where a.name_vi = p_name_vi),
        (select min(a.agency_code) from ref.agency_alias as a where a.alias_vi = p_name_vi)
    )
$$;

-- The code of a commune or of an agency that a name stands for on a day (of a commune: on that day or next after it);
-- null for others: a collective addressee, or a name that several communes had.
create function ref.owner_code(p_name_vi text, p_day date) returns text
language sql stable
as $$
    select coalesce(
        (
            select min(n.commune_code)
            from (
                select u.commune_code, rank() over (order by greatest(u.valid_from, p_day)) as place
                from ref.unit as u
                where
                    ref.committee_vi(u.kind, u.name_vi) = p_name_vi and (u.valid_to is null or u.valid_to >= p_day)
            ) as n
            where n.place = 1
            having count(distinct n.commune_code) = 1
        ),
        ref.agency_code(p_name_vi)
    )
$$;
