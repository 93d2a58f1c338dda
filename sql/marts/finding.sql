-- What the checks found, one row per problem: commune, period, budget year, expectation, form, line and column. A problem
-- that is found again in the next version is the same problem. outcome: corrected (a later version that was in force does
-- not have it any more), overridden (an officer let the report pass), explained (the sender's note or an officer answers
-- the warning), open. A version that was returned shows no correction: what is wrong with it may keep other rules from
-- speaking. Nor does one that an officer admitted, of the lines whose errors were let pass. Refused files have no
-- problems of their own.
create function mart.finding_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    rule_id text,
    expectation_id text,
    severity text,
    form text,
    line text,
    item text,
    sheet text,
    cell text,
    value text,
    expected text,
    difference text,
    unit text,
    message_vi text,
    outcome text,
    explanation text,
    answered_by text,
    first_found_at timestamptz,
    versions integer,
    submission_id bigint,
    finding_no integer
)
language sql stable
as $$
    with judged as not materialized (
        select
            s.submission_id,
            s.period,
            s.budget_year,
            s.commune_code,
            s.known_at,
            exists (
                select 1 from core.submission_span as p
                where p.submission_id = s.submission_id and p.known_from <= p_known_at
            ) as counted,
            row_number() over (
                partition by s.period, s.budget_year, s.commune_code
                order by
                    s.known_at desc, s.archived_at desc, s.received_at desc, s.version_no desc nulls last, s.sha256
            ) as from_latest
        from raw.submission as s
        where
            s.known_at <= p_known_at and s.verdict <> 'refused' and s.period is not null
            and s.commune_code is not null
    ),

    found as (
        select
            j.period, j.budget_year, j.commune_code, f.rule_id, f.expectation_id, f.form, f.line, f.item,
            min(j.known_at) as first_found_at,
            count(distinct j.submission_id)::integer as versions,
            min(j.from_latest) as from_latest
        from judged as j
        inner join core.finding as f on j.submission_id = f.submission_id
        group by j.period, j.budget_year, j.commune_code, f.rule_id, f.expectation_id, f.form, f.line, f.item
    ),

    last_seen as (
        select distinct on (
            d.period, d.budget_year, d.commune_code, d.rule_id, d.expectation_id, d.form, d.line, d.item
        )
            d.*,
            f.submission_id,
            f.finding_no,
            f.severity,
            f.sheet,
            f.cell,
            f.value,
            f.expected,
            f.difference,
            f.unit,
            f.message_vi,
            f.explanation as note
        from found as d
        inner join judged as j
            on
                (d.period, d.budget_year, d.commune_code, d.from_latest)
                = (j.period, j.budget_year, j.commune_code, j.from_latest)
        inner join core.finding as f
            on
                j.submission_id = f.submission_id and (d.rule_id, d.expectation_id) = (f.rule_id, f.expectation_id)
                and d.form is not distinct from f.form and d.line is not distinct from f.line
                and d.item is not distinct from f.item
        order by
            d.period, d.budget_year, d.commune_code, d.rule_id, d.expectation_id, d.form, d.line, d.item, f.finding_no
    )

    select
        l.period,
        l.budget_year,
        l.commune_code,
        c.name_vi as commune_vi,
        l.rule_id,
        l.expectation_id,
        l.severity,
        l.form,
        l.line,
        l.item,
        l.sheet,
        l.cell,
        l.value,
        l.expected,
        l.difference,
        l.unit,
        l.message_vi,
        case
            when
                l.from_latest > 1 and exists (
                    select 1 from judged as j
                    where
                        (j.period, j.budget_year, j.commune_code) = (l.period, l.budget_year, l.commune_code)
                        and j.from_latest < l.from_latest and j.counted
                        and not exists (
                            select 1 from core.finding as m
                            where
                                m.submission_id = j.submission_id and m.severity = 'error' and m.form = l.form
                                and m.line is not distinct from l.line
                        )
                ) then 'corrected'
            when a.kind is not null then a.kind
            when l.note is not null and l.severity = 'warning' then 'explained'
            else 'open'
        end as outcome,
        coalesce(a.reason, l.note) as explanation,
        a.answered_by,
        l.first_found_at,
        l.versions,
        l.submission_id,
        l.finding_no
    from last_seen as l
    left join core.answer_in_force(p_known_at) as a
        on l.submission_id = a.submission_id and l.finding_no = a.finding_no
    left join ref.reporting_calendar as w on l.period = w.period and l.budget_year = w.budget_year
    left join ref.unit as c
        on
            l.commune_code = c.commune_code and w.as_of >= c.valid_from
            and (c.valid_to is null or w.as_of <= c.valid_to)
$$;
