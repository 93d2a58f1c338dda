-- Another answer to the same finding is a later word: it stands beside the first, and the latest counts.
alter table core.finding_answer drop constraint finding_answer_submission_id_finding_no_kind_key;
create index on core.finding_answer (submission_id, finding_no);

comment on table core.finding_answer is
'Trả lời của cán bộ về một phát hiện; trả lời sau cùng có hiệu lực | What officers answer to a finding; the latest counts';

-- The answer that counts for each finding, as known at a moment: the latest one. An explanation counts for the same
-- problem in later versions of the report as well, as long as nothing about it has changed: a warning with another
-- figure is another question. That an error was let pass is said of one version only. answered_in: the version on which
-- the officer answered.
create function core.answer_in_force(p_known_at timestamptz)
returns table (
    submission_id bigint,
    finding_no integer,
    kind text,
    answered_by text,
    reason text,
    answered_at timestamptz,
    answered_in bigint
)
language sql stable
as $$
    with given as (
        select a.* from core.finding_answer as a where a.answered_at <= p_known_at
    ),

    counting as (
        select a.submission_id as meant_id, a.finding_no as meant_no, a.* from given as a
        union all
        select g.submission_id, g.finding_no, a.*
        from given as a
        inner join core.finding as f on a.submission_id = f.submission_id and a.finding_no = f.finding_no
        inner join raw.submission as s on a.submission_id = s.submission_id
        inner join raw.submission as v
            on
                (s.period, s.budget_year, s.commune_code) = (v.period, v.budget_year, v.commune_code)
                and (v.known_at, v.archived_at, v.received_at, coalesce(v.version_no, 0))
                > (s.known_at, s.archived_at, s.received_at, coalesce(s.version_no, 0))
        inner join core.finding as g
            on
                v.submission_id = g.submission_id
                and (f.rule_id, f.expectation_id, f.severity, f.message_vi)
                = (g.rule_id, g.expectation_id, g.severity, g.message_vi)
                and f.form is not distinct from g.form and f.line is not distinct from g.line
                and f.item is not distinct from g.item and f.value is not distinct from g.value
                and f.expected is not distinct from g.expected and f.difference is not distinct from g.difference
        where
            a.kind = 'explained'
            -- What was met while reading has no place but its cell.
            and (
                f.form is not null
                or (f.sheet is not distinct from g.sheet and f.cell is not distinct from g.cell)
            )
    )

    select distinct on (c.meant_id, c.meant_no)
        c.meant_id, c.meant_no, c.kind, c.answered_by, c.reason, c.answered_at, c.submission_id
    from counting as c
    order by c.meant_id, c.meant_no, c.answered_at desc, c.finding_answer_id desc
$$;
