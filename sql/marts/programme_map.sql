-- Nodes of all programme trees under common lines, as far as the later trees say what they go on with (ref.
-- programme_change). Two levels: programme, whole programmes; component, by the nearest node above or at a leaf for which
-- something is said. Codes that are said to go on with one another share a line, named by the newest codes in it.
-- is_comparable: the line is one newest code that goes on with all of the earlier ones; else reason_vi says why, and
-- is_whole_line tells whether the sum over the line can still be compared. Nothing is split. One row per level and code.
create function mart.programme_map_at(p_known_at timestamptz)
returns table (
    level text,
    code text,
    name_vi text,
    programme_code text,
    common_code text,
    common_vi text,
    is_comparable boolean,
    is_whole_line boolean,
    reason_vi text,
    is_earlier boolean
)
language sql stable
as $$
    with recursive node as materialized (
        select distinct on (n.code)
            n.code,
            n.parent_code,
            n.programme_code,
            n.name_vi,
            n.is_leaf,
            n.sort_no,
            n.valid_from
        from ref.programme_node as n
        order by n.code asc, n.valid_from desc
    ),

    above as (
        select
            n.code,
            n.code as at_code,
            0 as steps,
            n.is_leaf
        from node as n
        union all
        select
            a.code,
            n.parent_code,
            a.steps + 1,
            a.is_leaf
        from above as a
        inner join node as n on a.at_code = n.code
        where n.parent_code is not null
    ),

    -- What is said at each level, between the members that it is said of.
    said as materialized (
        select
            'component' as level,
            c.from_code,
            c.to_code,
            c.is_whole
        from ref.programme_change as c
        union all
        select
            'programme',
            f.programme_code as from_code,
            t.programme_code as to_code,
            bool_or(
                c.is_whole and c.from_code = f.programme_code and c.to_code = t.programme_code
            )
        from ref.programme_change as c
        inner join node as f on c.from_code = f.code
        inner join node as t on c.to_code = t.code
        where f.programme_code <> t.programme_code
        group by f.programme_code, t.programme_code
    ),

    member as materialized (
        select
            'component' as level,
            a.code,
            a.at_code,
            a.steps
        from above as a
        where a.is_leaf
        union all
        select
            'programme',
            n.code,
            n.code as at_code,
            0
        from node as n
        where n.parent_code is null
    ),

    goes_out as materialized (
        select distinct on (m.level, m.code)
            m.level,
            m.code,
            m.at_code
        from member as m
        where
            exists (
                select 1 from said as s
                where s.level = m.level and s.from_code = m.at_code
            )
        order by m.level, m.code, m.steps
    ),

    comes_in as materialized (
        select distinct on (m.level, m.code)
            m.level,
            m.code,
            m.at_code
        from member as m
        where
            exists (
                select 1 from said as s
                where s.level = m.level and s.to_code = m.at_code
            )
        order by m.level, m.code, m.steps
    ),

    touch as materialized (
        select
            o.level,
            o.code,
            s.from_code,
            s.to_code
        from goes_out as o
        inner join said as s on o.level = s.level and o.at_code = s.from_code
        union
        select
            i.level,
            i.code,
            s.from_code,
            s.to_code
        from comes_in as i
        inner join said as s on i.level = s.level and i.at_code = s.to_code
    ),

    pair as materialized (
        select distinct
            a.level,
            a.code,
            b.code as other_code
        from touch as a
        inner join touch as b
            on a.level = b.level and a.from_code = b.from_code and a.to_code = b.to_code and a.code <> b.code
    ),

    walk as (
        select
            m.level,
            m.code,
            m.code as at_code
        from member as m
        where m.steps = 0
        union
        select
            w.level,
            w.code,
            p.other_code
        from walk as w
        inner join pair as p on w.level = p.level and w.at_code = p.code
    ),

    member_group as materialized (
        select
            w.level,
            w.code,
            min(w.at_code) as group_key
        from walk as w
        group by w.level, w.code
    ),

    -- What is said within a line; cut: something else is said of a part of one of its two sides.
    group_said as materialized (
        select distinct
            g.level,
            g.group_key,
            s.from_code,
            s.to_code,
            s.is_whole,
            exists (
                select 1 from member as m
                inner join goes_out as o on m.level = o.level and m.code = o.code
                where m.level = s.level and m.at_code = s.from_code and o.at_code <> s.from_code
            ) or exists (
                select 1 from member as m
                inner join comes_in as i on m.level = i.level and m.code = i.code
                where m.level = s.level and m.at_code = s.to_code and i.at_code <> s.to_code
            ) as is_cut
        from member_group as g
        inner join touch as t on g.level = t.level and g.code = t.code
        inner join said as s on t.level = s.level and t.from_code = s.from_code and t.to_code = s.to_code
    ),

    newest as (
        select distinct
            s.level,
            s.group_key,
            s.to_code as code
        from group_said as s
        where
            not exists (
                select 1 from comes_in as i
                inner join goes_out as o on i.level = o.level and i.code = o.code
                where i.level = s.level and i.at_code = s.to_code
            )
        union
        select
            g.level,
            g.group_key,
            g.code
        from member_group as g
        where not exists (
            select 1 from touch as t
            where t.level = g.level and t.code = g.code
        )
    ),

    named as (
        select
            w.level,
            w.group_key,
            string_agg(w.code, '+' order by n.sort_no, w.code) as common_code,
            string_agg(n.name_vi, ' + ' order by n.sort_no, w.code) as common_vi,
            count(*) as codes
        from newest as w
        inner join node as n on w.code = n.code
        group by w.level, w.group_key
    ),

    told as (
        select
            s.level,
            s.group_key,
            string_agg(distinct x.told_vi, '; ') as told_vi,
            bool_and(s.is_whole and not s.is_cut) as is_whole_line
        from group_said as s
        left join lateral (
            select
                case
                    when s.is_cut then format('phần còn lại của %s chưa ghép với nội dung nào của %s', s.from_code, s.to_code)
                    when not s.is_whole then format('%s chỉ kế thừa một phần của %s', s.to_code, s.from_code)
                    when count(*) > 1 then format('%s đã chia cho %s', s.from_code, string_agg(d.to_code, ', ' order by d.to_code))
                end as told_vi
            from group_said as d
            where d.level = s.level and d.group_key = s.group_key and d.from_code = s.from_code
        ) as x on true
        group by s.level, s.group_key
    ),

    line as (
        select
            g.level,
            g.code,
            g.group_key,
            n.common_code,
            n.common_vi,
            n.codes,
            coalesce(t.is_whole_line, true) as is_whole_line,
            t.told_vi,
            exists(
                select 1 from goes_out as o
                where o.level = g.level and o.code = g.code
            ) as is_earlier
        from member_group as g
        inner join named as n on g.level = n.level and g.group_key = n.group_key
        left join told as t on g.level = t.level and g.group_key = t.group_key
    ),

    -- Capital that stands on a heading belongs to a line when all leaves under it do.
    heading as (
        select
            a.at_code as code,
            min(l.group_key) as group_key,
            bool_and(l.is_earlier) as is_earlier,
            count(distinct l.group_key) = 1 as is_one
        from above as a
        inner join line as l on a.code = l.code and l.level = 'component'
        where a.steps > 0 and a.is_leaf
        group by a.at_code
    )

    select
        l.level,
        l.code,
        n.name_vi,
        n.programme_code,
        l.common_code,
        l.common_vi,
        l.codes = 1 and l.is_whole_line as is_comparable,
        l.is_whole_line,
        l.told_vi as reason_vi,
        l.is_earlier
    from line as l
    inner join node as n on l.code = n.code
    union all
    select
        'component',
        n.code,
        n.name_vi,
        n.programme_code,
        coalesce(l.common_code, n.code),
        coalesce(l.common_vi, n.name_vi),
        coalesce(l.codes = 1 and l.is_whole_line, false),
        coalesce(l.is_whole_line, false),
        case when h.is_one then l.told_vi else format('%s gồm nhiều dòng so sánh, vốn chưa phân bổ chi tiết', n.code) end,
        h.is_earlier
    from heading as h
    inner join node as n on h.code = n.code
    left join lateral (
        select k.* from line as k
        where k.level = 'component' and k.group_key = h.group_key and h.is_one
        order by k.code limit 1
    ) as l on true
$$;

create view mart.programme_map as
select * from mart.programme_map_at('infinity');
