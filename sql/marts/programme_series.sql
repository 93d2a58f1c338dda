-- Disbursement under lines that the programmes before and after a change have in common (mart.programme_map). Both trees
-- live at once: carried-over capital of the earlier one stands beside the later one, earlier_* is its part. Level
-- programme has the slices all and capital_kind, level component only all. A code without a place in the trees is a line
-- of its own. The sum over the lines of a level and slice is the sum of all reports.
create function mart.programme_series_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    as_of date,
    level text,
    common_code text,
    common_vi text,
    slice text,
    capital_kind text,
    capital_kind_vi text,
    is_comparable boolean,
    is_whole_line boolean,
    reason_vi text,
    communes_reported integer,
    communes_expected integer,
    plan_total numeric,
    plan_assigned numeric,
    plan_carry numeric,
    disb_ytd numeric,
    disb_assigned numeric,
    disb_carry numeric,
    undisbursed numeric,
    earlier_plan_total numeric,
    earlier_disb_ytd numeric,
    rate_total numeric,
    rate_assigned numeric,
    rate_carry numeric
)
language sql stable
as $$
    with figure as (
        select
            s.*,
            case s.slice when 'subproject' then 'component' else 'programme' end as level,
            case s.slice when 'subproject' then s.subproject_code else s.programme_code end as code
        from core.disbursement_slice as s
        where
            s.slice in ('programme', 'programme_capital_kind', 'subproject')
            and s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
    ),

    month as (
        select s.period, s.budget_year, coalesce(w.as_of, max(s.as_of)) as as_of
        from core.submission_span as s
        left join ref.reporting_calendar as w on s.period = w.period and s.budget_year = w.budget_year
        where s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
        group by s.period, s.budget_year, w.as_of
    ),

    coverage as (
        select c.* from core.coverage as c
        where c.known_from <= p_known_at and (c.known_to > p_known_at or c.known_to = 'infinity')
    )

    select
        f.period,
        f.budget_year,
        d.as_of,
        f.level,
        coalesce(m.common_code, f.code),
        max(m.common_vi),
        case when f.slice = 'programme_capital_kind' then 'capital_kind' else 'all' end,
        f.capital_kind,
        k.name_vi,
        coalesce(bool_and(m.is_comparable), false),
        coalesce(bool_and(m.is_whole_line), false),
        coalesce(
            max(m.reason_vi),
            case when bool_or(m.code is null) then format('Mã %s không có trong cây chương trình', min(f.code)) end
        ),
        c.communes_reported,
        c.communes_expected,
        sum(f.plan_total),
        sum(f.plan_assigned),
        sum(f.plan_carry),
        sum(f.disb_ytd),
        sum(f.disb_assigned),
        sum(f.disb_carry),
        sum(f.undisbursed),
        coalesce(sum(f.plan_total) filter (where m.is_earlier), 0),
        coalesce(sum(f.disb_ytd) filter (where m.is_earlier), 0),
        mart.rate_pct(sum(f.paired_disb_total), sum(f.paired_plan_total)),
        mart.rate_pct(sum(f.paired_disb_assigned), sum(f.paired_plan_assigned)),
        mart.rate_pct(sum(f.paired_disb_carry), sum(f.paired_plan_carry))
    from figure as f
    inner join month as d on f.period = d.period and f.budget_year = d.budget_year
    left join mart.programme_map_at(p_known_at) as m on f.level = m.level and f.code = m.code
    left join ref.capital_kind as k
        on
            f.capital_kind = k.capital_kind
            and least(d.as_of, make_date(f.budget_year, 12, 31)) >= k.valid_from
            and (k.valid_to is null or least(d.as_of, make_date(f.budget_year, 12, 31)) <= k.valid_to)
    left join coverage as c on f.period = c.period and f.budget_year = c.budget_year
    group by
        f.period, f.budget_year, d.as_of, f.level, coalesce(m.common_code, f.code), f.slice, f.capital_kind, k.name_vi,
        c.communes_reported, c.communes_expected
$$;
