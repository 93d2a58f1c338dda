-- Units of every time in the boundaries of one day, to be joined to any mart by commune_code and as_of. One row per unit
-- and stretch of time between two days on which units changed. now_code is the unit that contains all of it; a divided
-- unit has none. is_comparable: figures of that time can be given for now_code, as the sum over the units that it
-- contains; else for the group only, and reason_vi says why. Without p_boundaries: those of the newest figures.
create function mart.unit_map_at(p_known_at timestamptz, p_boundaries date default null)
returns table (
    commune_code text,
    valid_from date,
    valid_to date,
    commune_vi text,
    district_vi text,
    boundaries date,
    now_code text,
    now_vi text,
    group_code text,
    group_vi text,
    group_units integer,
    is_comparable boolean,
    reason_vi text
)
language sql stable
as $$
    with boundary as (
        select coalesce(p_boundaries, core.newest_day(p_known_at)) as day
    ),

    stretch as (
        select d.day as valid_from, lead(d.day) over (order by d.day) - 1 as valid_to
        from (select distinct u.valid_from as day from ref.unit as u) as d
    )

    select
        g.commune_code,
        t.valid_from,
        t.valid_to,
        u.name_vi,
        u.district_vi,
        b.day,
        case when count(*) = 1 then min(g.place_code) end,
        case when count(*) = 1 then min(g.place_vi) end,
        min(g.group_code),
        min(g.group_vi),
        min(g.group_places),
        bool_and(g.is_comparable),
        (array_agg(g.reason_vi order by length(g.reason_vi) desc nulls last, g.reason_vi))[1]
    from stretch as t
    cross join boundary as b
    cross join lateral ref.unit_group_known(array[t.valid_from], b.day, 'unit', p_known_at) as g
    inner join ref.unit as u
        on
            g.commune_code = u.commune_code and t.valid_from >= u.valid_from
            and (u.valid_to is null or t.valid_from <= u.valid_to)
    group by g.commune_code, t.valid_from, t.valid_to, u.name_vi, u.district_vi, b.day
$$;

create function mart.unit_map_in(p_boundaries date)
returns table (
    commune_code text,
    valid_from date,
    valid_to date,
    commune_vi text,
    district_vi text,
    boundaries date,
    now_code text,
    now_vi text,
    group_code text,
    group_vi text,
    group_units integer,
    is_comparable boolean,
    reason_vi text
)
language sql stable
as $$
    select m.* from mart.unit_map_at('infinity', p_boundaries) as m
$$;

create view mart.unit_map as
select * from mart.unit_map_at('infinity');
