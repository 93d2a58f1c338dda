-- Disbursement by former district, in the districts of the last day on which there were some, or of p_boundaries. A
-- commune of today that lies in two of them is not split: neither is comparable then, only the group of both (levels as
-- in mart.disbursement_series).
create function mart.disbursement_district_at(p_known_at timestamptz, p_boundaries date default null)
returns table (
    period text,
    budget_year integer,
    as_of date,
    boundaries date,
    level text,
    district_vi text,
    slice text,
    programme_code text,
    capital_kind text,
    is_comparable boolean,
    reason_vi text,
    group_vi text,
    group_districts integer,
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
    select
        s.period,
        s.budget_year,
        s.as_of,
        s.boundaries,
        case s.level when 'unit' then 'district' else s.level end,
        s.unit_vi,
        s.slice,
        s.programme_code,
        s.capital_kind,
        s.is_comparable,
        s.reason_vi,
        s.group_vi,
        s.group_units,
        s.communes_reported,
        s.communes_expected,
        s.plan_total,
        s.plan_assigned,
        s.plan_carry,
        s.disb_ytd,
        s.disb_assigned,
        s.disb_carry,
        s.undisbursed,
        s.rate_total,
        s.rate_assigned,
        s.rate_carry
    from mart.disbursement_series_by(
        p_known_at,
        coalesce(p_boundaries, (select max(u.valid_to) from ref.unit as u where u.district_vi is not null)),
        'district'
    ) as s
$$;

create view mart.disbursement_district as
select * from mart.disbursement_district_at('infinity');
