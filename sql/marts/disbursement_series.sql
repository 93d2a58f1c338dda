-- Disbursement as a series in the boundaries of one day. Two levels: unit, a unit of that day, and group, the smallest
-- groups of such units whose sum can be told in every period (ref.unit_group). The sum over the groups is the sum of all
-- reports; a unit has figures where it is_comparable, else they are blank and reason_vi says why: a divided unit is
-- never split. Slices: all, programme, capital_kind. Rates are sum / sum as in mart.disbursement_rate.
create function mart.disbursement_series_by(p_known_at timestamptz, p_boundaries date, p_by text)
returns table (
    period text,
    budget_year integer,
    as_of date,
    boundaries date,
    level text,
    unit_code text,
    unit_vi text,
    slice text,
    programme_code text,
    capital_kind text,
    is_comparable boolean,
    reason_vi text,
    group_code text,
    group_vi text,
    group_units integer,
    communes_reported integer,
    communes_expected integer,
    plan_total numeric,
    plan_assigned numeric,
    plan_carry numeric,
    disb_ytd numeric,
    disb_assigned numeric,
    disb_carry numeric,
    undisbursed numeric,
    rate_total numeric,
    rate_assigned numeric,
    rate_carry numeric
)
-- As in ref.unit_group: the planner cannot know how few rows there are.
language sql stable
set enable_nestloop = off
as $$
    with speaking as materialized (
        select s.period, s.budget_year, s.commune_code, s.as_of
        from core.submission_span as s
        where s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
    ),

    figure as materialized (
        select
            s.*,
            case s.slice when 'commune' then 'all' else substring(s.slice from 'commune_(.*)') end as part,
            concat_ws('|', s.slice, s.programme_code, s.capital_kind) as part_key
        from core.disbursement_slice as s
        where
            s.slice in ('commune', 'commune_programme', 'commune_capital_kind')
            and s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
    ),

    month as materialized (
        select m.*, ref.unit_day_known(m.as_of, p_known_at) as day
        from (
            select s.period, s.budget_year, coalesce(w.as_of, max(s.as_of)) as as_of
            from speaking as s
            left join ref.reporting_calendar as w on s.period = w.period and s.budget_year = w.budget_year
            group by s.period, s.budget_year, w.as_of
        ) as m
    ),

    known_place as materialized (
        select m.period, m.budget_year, m.as_of, g.*
        from ref.unit_group_known(
            array(select distinct m.day from month as m where m.day is not null), p_boundaries, p_by, p_known_at
        ) as g
        inner join month as m on g.day = m.day
    ),

    -- A code that the list of units does not have on that day counts on its own: no money is lost.
    place as materialized (
        select
            k.period, k.budget_year, k.as_of, k.commune_code, k.place_code, k.place_vi, k.group_code, k.group_vi,
            k.group_places, k.is_comparable, k.reason_vi
        from known_place as k
        union all
        select
            m.period, m.budget_year, m.as_of, s.commune_code, s.commune_code, s.commune_code, s.commune_code,
            s.commune_code, 1, false,
            format('Mã %s không có trong danh mục đơn vị ngày %s', s.commune_code, to_char(m.as_of, 'DD/MM/YYYY'))
        from month as m
        inner join speaking as s on m.period = s.period and m.budget_year = s.budget_year
        where not exists (
            select 1 from known_place as k
            where
                k.period = s.period and k.budget_year = s.budget_year and k.commune_code = s.commune_code
        )
    ),

    -- What a row of the series is made of: units of the day, each once.
    member as materialized (
        select distinct
            p.period, p.budget_year, p.as_of, 'group' as level, p.group_code as code, p.group_vi as name_vi,
            p.commune_code, true as is_comparable, null::text as reason_vi, p.group_code, p.group_vi, p.group_places
        from place as p
        union all
        select
            p.period, p.budget_year, p.as_of, 'unit', p.place_code, p.place_vi, p.commune_code, p.is_comparable,
            p.reason_vi, p.group_code, p.group_vi, p.group_places
        from place as p
    ),

    row_of as (
        select
            m.period, m.budget_year, m.as_of, m.level, m.code, m.name_vi, m.is_comparable, m.reason_vi, m.group_code,
            m.group_vi, m.group_places,
            count(s.commune_code)::integer as communes_reported,
            count(*)::integer as communes_expected
        from member as m
        left join speaking as s
            on m.period = s.period and m.budget_year = s.budget_year and m.commune_code = s.commune_code
        group by
            m.period, m.budget_year, m.as_of, m.level, m.code, m.name_vi, m.is_comparable, m.reason_vi, m.group_code,
            m.group_vi, m.group_places
    ),

    total as materialized (
        select
            m.period, m.budget_year, m.level, m.code, f.part, f.part_key, f.programme_code, f.capital_kind,
            sum(f.plan_total) as plan_total,
            sum(f.plan_assigned) as plan_assigned,
            sum(f.plan_carry) as plan_carry,
            sum(f.disb_ytd) as disb_ytd,
            sum(f.disb_assigned) as disb_assigned,
            sum(f.disb_carry) as disb_carry,
            sum(f.undisbursed) as undisbursed,
            mart.rate_pct(sum(f.paired_disb_total), sum(f.paired_plan_total)) as rate_total,
            mart.rate_pct(sum(f.paired_disb_assigned), sum(f.paired_plan_assigned)) as rate_assigned,
            mart.rate_pct(sum(f.paired_disb_carry), sum(f.paired_plan_carry)) as rate_carry
        from member as m
        inner join figure as f
            on m.period = f.period and m.budget_year = f.budget_year and m.commune_code = f.commune_code
        where m.is_comparable
        group by
            m.period, m.budget_year, m.level, m.code, f.part, f.part_key, f.programme_code, f.capital_kind
    ),

    -- A unit that is not comparable has the slices of its group, so that it is not missed.
    part as (
        select r.period, r.budget_year, r.level, r.code, 'all' as part, 'commune' as part_key, null as programme_code,
            null as capital_kind
        from row_of as r
        union
        select t.period, t.budget_year, t.level, t.code, t.part, t.part_key, t.programme_code, t.capital_kind
        from total as t
        union
        select r.period, r.budget_year, r.level, r.code, t.part, t.part_key, t.programme_code, t.capital_kind
        from row_of as r
        inner join total as t
            on
                r.period = t.period and r.budget_year = t.budget_year and t.level = 'group'
                and r.group_code = t.code
        where r.level = 'unit' and not r.is_comparable
    )

    select
        r.period,
        r.budget_year,
        r.as_of,
        p_boundaries,
        r.level,
        r.code,
        r.name_vi,
        x.part,
        x.programme_code,
        x.capital_kind,
        r.is_comparable,
        r.reason_vi,
        r.group_code,
        r.group_vi,
        r.group_places,
        case when r.is_comparable then r.communes_reported end,
        case when r.is_comparable then r.communes_expected end,
        t.plan_total,
        t.plan_assigned,
        t.plan_carry,
        t.disb_ytd,
        t.disb_assigned,
        t.disb_carry,
        t.undisbursed,
        t.rate_total,
        t.rate_assigned,
        t.rate_carry
    from row_of as r
    inner join part as x
        on r.period = x.period and r.budget_year = x.budget_year and r.level = x.level and r.code = x.code
    left join total as t
        on
            x.period = t.period and x.budget_year = t.budget_year and x.level = t.level and x.code = t.code
            and x.part_key = t.part_key
$$;

-- Without p_boundaries: those of the newest figures known at p_known_at.
create function mart.disbursement_series_at(p_known_at timestamptz, p_boundaries date default null)
returns table (
    period text,
    budget_year integer,
    as_of date,
    boundaries date,
    level text,
    unit_code text,
    unit_vi text,
    slice text,
    programme_code text,
    capital_kind text,
    is_comparable boolean,
    reason_vi text,
    group_code text,
    group_vi text,
    group_units integer,
    communes_reported integer,
    communes_expected integer,
    plan_total numeric,
    plan_assigned numeric,
    plan_carry numeric,
    disb_ytd numeric,
    disb_assigned numeric,
    disb_carry numeric,
    undisbursed numeric,
    rate_total numeric,
    rate_assigned numeric,
    rate_carry numeric
)
language sql stable
as $$
    select s.*
    from mart.disbursement_series_by(p_known_at, coalesce(p_boundaries, core.newest_day(p_known_at)), 'unit') as s
$$;

create view mart.disbursement_series as
select * from mart.disbursement_series_at('infinity');
