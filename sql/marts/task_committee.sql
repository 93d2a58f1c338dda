-- The communes that owe each task whose lead is the people's committee of a commune, each from when to when: the unit of
-- that name on the day the task was given out, and after a change of units whatever it went to. Where no unit had the
-- name on that day it is the next that has it; where several had it, as before 7/2025, it is none of them.
create function mart.task_committee(p_known_at timestamptz)
returns table (
    task_id text,
    commune_code text,
    commune_vi text,
    valid_from date,
    valid_to date
)
language sql stable
as $$
    with recursive given as (
        select
            t.task_id,
            u.commune_code,
            u.name_vi,
            u.valid_from,
            u.valid_to,
            rank() over (partition by t.task_id order by greatest(u.valid_from, d.day)) as place
        from core.task as t
        inner join lateral (
            select coalesce(k.doc_date, k.event_date, (t.registered_at at time zone 'Asia/Ho_Chi_Minh')::date) as day
            from core.directive as k
            where k.directive_id = t.directive_id
        ) as d on true
        inner join ref.unit as u
            on t.lead_vi = ref.committee_vi(u.kind, u.name_vi) and (u.valid_to is null or u.valid_to >= d.day)
        where t.registered_at <= p_known_at
    ),

    named as (
        select g.task_id, g.commune_code, g.name_vi, g.valid_from, g.valid_to
        from given as g
        where
            g.place = 1
            and not exists (
                select 1 from given as o
                where o.task_id = g.task_id and o.place = 1 and o.commune_code <> g.commune_code
            )
    ),

    held as (
        select n.* from named as n
        union
        select h.task_id, u.commune_code, u.name_vi, u.valid_from, u.valid_to
        from held as h
        inner join ref.unit_change as c on h.commune_code = c.from_code and h.valid_to + 1 = c.changed_on
        inner join ref.unit as u on c.to_code = u.commune_code and c.changed_on = u.valid_from
    )

    select h.task_id, h.commune_code, h.name_vi as commune_vi, h.valid_from, h.valid_to from held as h
$$;
