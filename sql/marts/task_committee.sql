-- The communes that owe each task whose lead is the people's committee of a commune, each from when to when: the unit of
-- that name on the day the task was given out, and after a change of units whatever it went to. Where no unit had the
-- name on that day it is the next that has it.
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
    with recursive named as (
        select distinct on (t.task_id) t.task_id, u.commune_code, u.name_vi, u.valid_from, u.valid_to
        from core.task as t
        inner join core.directive as d on t.directive_id = d.directive_id
        inner join ref.unit as u on t.lead_vi = ref.committee_vi(u.kind, u.name_vi)
        where
            t.registered_at <= p_known_at
            and (
                u.valid_to is null
                or u.valid_to
                >= coalesce(d.doc_date, d.event_date, (t.registered_at at time zone 'Asia/Ho_Chi_Minh')::date)
            )
        order by t.task_id, u.valid_from
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
