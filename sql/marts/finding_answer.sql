-- Problems that somebody answered: warnings with an explanation (the commune's note or an officer), errors that an
-- officer let pass. amount_vnd is the money at stake: the difference, else what was found; blank where it is not money.
create function mart.finding_answer_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    rule_id text,
    expectation_id text,
    form text,
    line text,
    item text,
    outcome text,
    message_vi text,
    answer_vi text,
    answered_by text,
    amount_vnd numeric,
    submission_id bigint,
    finding_no integer
)
language sql stable
as $$
    select
        f.period,
        f.budget_year,
        f.commune_code,
        f.rule_id,
        f.expectation_id,
        f.form,
        f.line,
        f.item,
        f.outcome,
        f.message_vi,
        f.explanation as answer_vi,
        f.answered_by,
        case
            when f.unit in ('vnd', 'ratio')
                then abs(substring(coalesce(nullif(f.difference, ''), f.value) from '^-?[0-9]+$')::numeric)
        end as amount_vnd,
        f.submission_id,
        f.finding_no
    from mart.finding_at(p_known_at) as f
    where f.outcome = 'overridden' or (f.outcome = 'explained' and f.severity = 'warning')
$$;
