-- Who made a release, from what; rounds of approval with the files that were seen; sending by kind of recipient, mails
-- that came back.

-- What a release was made with. One that was frozen by an earlier version has no row here: nothing is made up for it.
create table release.provenance (
    release_id text primary key references release.release,
    prepared_by text not null check (btrim(prepared_by) <> ''),
    code_version text not null,
    rules_sha256 text not null,
    rule_versions jsonb not null,
    words jsonb,
    run text
);

-- Each time that exactly these files were put before the approvers. A round ends with one decision.
create table release.approval_round (
    release_id text not null references release.release,
    round integer not null check (round > 0),
    manifest_sha256 text not null,
    asked_by text not null check (btrim(asked_by) <> ''),
    asked_at timestamptz not null,
    primary key (release_id, round)
);

insert into release.approval_round
select
    r.release_id,
    1 as round,
    r.manifest_sha256,
    'hệ thống' as asked_by,
    r.created_at as asked_at
from release.release as r
where r.manifest_sha256 is not null;

alter table release.approval drop constraint approval_release_id_manifest_sha256_key;
alter table release.approval add column round integer not null default 1;
alter table release.approval add column kind text not null default 'person' check (kind in ('person', 'timeout'));
alter table release.approval add column login text;
alter table release.approval add column channel text;
alter table release.approval add column reason text;
alter table release.approval alter column round drop default;
alter table release.approval alter column kind drop default;
-- A reason is asked for from now on; of the rejections until now none is known, and the table says so.
alter table release.approval disable trigger append_only;
update release.approval set reason = 'không ghi'
where decision = 'rejected';
alter table release.approval enable trigger append_only;
alter table release.approval add check (decision = 'approved' or btrim(coalesce(reason, '')) <> '');
alter table release.approval add check (kind = 'person' or decision = 'rejected');
alter table release.approval add unique (release_id, round);
create unique index on release.approval (release_id) where decision = 'approved';

-- The files of a decision, each with the hash that was seen.
create table release.approval_file (
    approval_id bigint not null references release.approval,
    name text not null,
    sha256 text not null,
    primary key (approval_id, name)
);

-- claimed: given to the channel, outcome not known; again: a person wants it sent once more; bounced: it came back.
alter table release.delivery drop constraint delivery_channel_check;
alter table release.delivery drop constraint delivery_state_check;
alter table release.delivery add check (channel in ('outbox', 'smtp', 'store'));
alter table release.delivery add check (state in ('claimed', 'sent', 'failed', 'bounced', 'again'));
alter table release.delivery add column attempt integer not null default 1 check (attempt > 0);
alter table release.delivery add column address text;
alter table release.delivery add column files text[];
alter table release.delivery add column message_id text;
alter table release.delivery add column settled_by text;
alter table release.delivery add column settled_at timestamptz;
create index on release.delivery (message_id) where message_id is not null;

-- Mails that said that one of ours came back; each is read once.
create table release.bounce (
    mail_sha256 text not null,
    message_id text not null,
    release_id text not null references release.release,
    recipient text not null,
    channel text not null,
    status text,
    detail text not null,
    booked_at timestamptz not null,
    primary key (mail_sha256, message_id)
);

do $$
declare
    t text;
begin
    foreach t in array array[
        'release.provenance', 'release.approval_round', 'release.approval_file', 'release.bounce'
    ] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %s '
            'for each statement execute function audit.refuse_change()', t
        );
    end loop;
end
$$;
