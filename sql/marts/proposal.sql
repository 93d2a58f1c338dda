-- Difficulties and proposals as the communes reported them in each period (Biểu 04).
create function mart.proposal_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    commune_code text,
    commune_vi text,
    issue_id text,
    is_new boolean,
    project_code text,
    problem text,
    cause text,
    proposal text,
    addressee text,
    category text,
    state text,
    reply_doc text,
    adjust_amount numeric,
    submission_id bigint,
    row_no integer
)
language sql stable
as $$
    select
        p.period,
        p.budget_year,
        p.commune_code,
        c.name_vi as commune_vi,
        p.issue_id,
        p.is_new,
        p.project_code,
        p.problem,
        p.cause,
        p.proposal,
        p.addressee,
        p.category,
        p.state,
        p.reply_doc,
        p.adjust_amount,
        p.submission_id,
        p.row_no
    from core.proposal as p
    inner join core.in_force(p_known_at) as s on p.submission_id = s.submission_id
    inner join ref.commune as c
        on p.commune_code = c.commune_code and s.as_of >= c.valid_from and (c.valid_to is null or s.as_of <= c.valid_to)
$$;

create view mart.proposal as
select * from mart.proposal_at('infinity');
