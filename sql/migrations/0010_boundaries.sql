-- Units and programmes that change. A unit is a code and a time: 05977 was phường Vĩnh Trại until 30/6/2025 and has been
-- phường Đông Kinh since. What became of a unit is a fact (ref.unit_change); whatever cannot be told from these facts is
-- not comparable, and never split by invention.

-- Former and present units together, one row per unit and stretch of time during which neither name nor land changed.
create table ref.unit (
    commune_code text not null check (commune_code ~ '^[0-9]{5}$'),
    valid_from date not null,
    valid_to date,
    name_vi text not null,
    kind text not null,
    district_vi text,
    province_code text not null,
    document text,
    verified boolean not null,
    primary key (commune_code, valid_from),
    check (valid_from <= valid_to)
);

-- On changed_on the unit from_code of the day before went to the unit to_code that begins on that day: wholly, or in
-- part when it was divided.
create table ref.unit_change (
    changed_on date not null,
    from_code text not null,
    to_code text not null,
    kind text not null check (kind in ('renamed', 'recoded', 'merged', 'divided')),
    is_whole boolean not null,
    document text not null,
    verified boolean not null,
    primary key (changed_on, from_code, to_code),
    check (is_whole = (kind <> 'divided'))
);
create unique index unit_change_whole on ref.unit_change (changed_on, from_code) where is_whole;

-- A node of a later programme tree and what it goes on with: all of from_code, or a part of it.
create table ref.programme_change (
    from_code text not null,
    to_code text not null,
    is_whole boolean not null,
    primary key (from_code, to_code)
);

alter table ref.former_unit add column valid_from date;

-- A warehouse that has communes goes on with them until its reference data are loaded again.
insert into ref.unit
select
    c.commune_code,
    c.valid_from,
    c.valid_to,
    c.name_vi,
    c.kind,
    null,
    c.province_code,
    c.resolution,
    c.verified
from ref.commune as c;

create trigger note_reference after insert or update or delete on ref.unit
for each statement execute function core.note_reference();

-- The day since when the units have been those of p_day; null before the first that are known.
create function ref.unit_day(p_day date) returns date
language sql stable
as $$
    select max(u.valid_from) from ref.unit as u where u.valid_from <= p_day
$$;

-- Units of p_day, each with every unit of p_boundaries that may have land of it, forwards or backwards in time: one row
-- per pair. Over several changes it may say more than is true, never less: so a unit with one row lies wholly in it.
create function ref.unit_reach(p_day date, p_boundaries date, p_code text default null)
returns table (commune_code text, to_code text)
language sql stable
as $$
    with recursive step as materialized (
        select f.commune_code as a_code, f.valid_from as a_from, t.commune_code as b_code, t.valid_from as b_from
        from ref.unit_change as c
        inner join ref.unit as f on c.from_code = f.commune_code and c.changed_on - 1 = f.valid_to
        inner join ref.unit as t on c.to_code = t.commune_code and c.changed_on = t.valid_from
        where c.changed_on > p_day and c.changed_on <= p_boundaries
        union all
        select t.commune_code, t.valid_from, f.commune_code, f.valid_from
        from ref.unit_change as c
        inner join ref.unit as f on c.from_code = f.commune_code and c.changed_on - 1 = f.valid_to
        inner join ref.unit as t on c.to_code = t.commune_code and c.changed_on = t.valid_from
        where c.changed_on > p_boundaries and c.changed_on <= p_day
    ),

    walk as (
        select u.commune_code, u.commune_code as at_code, u.valid_from as at_from
        from ref.unit as u
        where
            u.valid_from <= p_day and (u.valid_to is null or u.valid_to >= p_day)
            and (p_code is null or u.commune_code = p_code)
        union
        select w.commune_code, s.b_code, s.b_from
        from walk as w
        inner join step as s on w.at_code = s.a_code and w.at_from = s.a_from
    )

    select w.commune_code, w.at_code
    from walk as w
    inner join ref.unit as u on w.at_code = u.commune_code and w.at_from = u.valid_from
    where u.valid_from <= p_boundaries and (u.valid_to is null or u.valid_to >= p_boundaries)
$$;

-- The unit that contains all of p_code, as it was on p_day, in the boundaries of another day; null when there is none.
create function ref.unit_at(p_code text, p_day date, p_boundaries date) returns text
language sql stable
as $$
    select min(r.to_code) from ref.unit_reach(p_day, p_boundaries, p_code) as r having count(*) = 1
$$;

-- Data of some days in the boundaries of one day. A place is a unit of p_boundaries, or a district (p_by = 'district').
-- One row per day, unit of that day and place that may have land of it. A group is the smallest set of places whose sum
-- can be told on all of the days: places that a unit lies in together belong to one. A place is comparable on a day when
-- every unit that lies in it lies in no other; else reason_vi names those that do.
create function ref.unit_group(p_days date[], p_boundaries date, p_by text default 'unit')
returns table (
    day date,
    commune_code text,
    place_code text,
    place_vi text,
    group_code text,
    group_vi text,
    group_places integer,
    is_comparable boolean,
    reason_vi text
)
-- The planner cannot know how little each step gives, and would go through all for each row of another.
language sql stable
set enable_nestloop = off
as $$
    with recursive reached as materialized (
        select d.day, r.commune_code, r.to_code
        from (select distinct unnest(p_days) as day) as d
        cross join lateral ref.unit_reach(d.day, p_boundaries) as r
    ),

    edge as materialized (
        select distinct
            r.day,
            r.commune_code,
            case p_by when 'district' then t.district_vi else t.commune_code end as place_code,
            case p_by when 'district' then t.district_vi else t.name_vi end as place_vi
        from reached as r
        inner join ref.unit as t
            on
                r.to_code = t.commune_code and t.valid_from <= p_boundaries
                and (t.valid_to is null or t.valid_to >= p_boundaries)
        where p_by <> 'district' or t.district_vi is not null
    ),

    divided as materialized (
        select
            e.day,
            e.commune_code,
            format(
                '%s (%s%s) %s %s', u.name_vi, u.commune_code, ', ' || u.district_vi,
                case when e.day < p_boundaries then 'đã chia cho' else 'gồm phần của' end,
                string_agg(e.place_vi, ', ' order by e.place_code)
            ) as told_vi
        from edge as e
        inner join ref.unit as u
            on e.commune_code = u.commune_code and u.valid_from <= e.day and (u.valid_to is null or u.valid_to >= e.day)
        group by e.day, e.commune_code, u.name_vi, u.commune_code, u.district_vi
        having count(*) > 1
    ),

    reason as materialized (
        select e.day, e.place_code, string_agg(d.told_vi, '; ' order by d.commune_code) as told_vi
        from edge as e
        inner join divided as d on e.day = d.day and e.commune_code = d.commune_code
        group by e.day, e.place_code
    ),

    pair as materialized (
        select distinct a.place_code, b.place_code as other_code
        from edge as a
        inner join edge as b on a.day = b.day and a.commune_code = b.commune_code and a.place_code <> b.place_code
    ),

    walk as (
        select distinct e.place_code, e.place_code as at_code from edge as e
        union
        select w.place_code, p.other_code
        from walk as w
        inner join pair as p on w.at_code = p.place_code
    ),

    place_group as materialized (
        select
            w.place_code,
            string_agg(w.at_code, '+' order by w.at_code) as group_code,
            string_agg(n.place_vi, ' + ' order by w.at_code) as group_vi,
            count(*)::integer as group_places
        from walk as w
        inner join (select distinct e.place_code, e.place_vi from edge as e) as n on w.at_code = n.place_code
        group by w.place_code
    )

    select
        e.day,
        e.commune_code,
        e.place_code,
        e.place_vi,
        g.group_code,
        g.group_vi,
        g.group_places,
        r.told_vi is null,
        r.told_vi || '; chỉ cộng được cả nhóm'
    from edge as e
    inner join place_group as g on e.place_code = g.place_code
    left join reason as r on e.day = r.day and e.place_code = r.place_code
$$;

comment on table ref.unit is 'Đơn vị cấp xã trước đây và hiện nay | Commune-level units, former and present';
comment on column ref.unit.commune_code is 'Mã đơn vị (5 chữ số); chỉ có nghĩa cùng thời gian | Code; means a unit only together with a time';
comment on column ref.unit.valid_from is 'Từ ngày | First day [date]';
comment on column ref.unit.valid_to is 'Đến hết ngày; trống: vẫn còn | Last day; null: still there [date]';
comment on column ref.unit.name_vi is 'Tên trong thời gian đó | Name during that time';
comment on column ref.unit.kind is 'Loại: xã, phường, thị trấn | Kind of unit';
comment on column ref.unit.district_vi is 'Huyện, thành phố (đến hết 30/6/2025) | District, until 30 June 2025';
comment on column ref.unit.province_code is 'Mã tỉnh | Province code';
comment on column ref.unit.document is 'Văn bản lập đơn vị | Document that made the unit';
comment on column ref.unit.verified is 'Đã đối chiếu nguồn | Confirmed by a source [bool]';
comment on table ref.unit_change is 'Thay đổi đơn vị: đổi tên, đổi mã, sáp nhập, chia tách | Units renamed, recoded, merged, divided';
comment on column ref.unit_change.changed_on is 'Ngày đơn vị mới bắt đầu | First day of the new unit [date]';
comment on column ref.unit_change.from_code is 'Mã đơn vị của ngày trước đó | Code of the unit of the day before';
comment on column ref.unit_change.to_code is 'Mã đơn vị từ ngày đó | Code of the unit from that day on';
comment on column ref.unit_change.kind is 'renamed đổi tên, recoded đổi mã, merged sáp nhập, divided chia tách | Kind of change';
comment on column ref.unit_change.is_whole is 'Toàn bộ đơn vị cũ vào đơn vị mới | All of the former unit went there [bool]';
comment on column ref.unit_change.document is 'Văn bản | Document';
comment on column ref.unit_change.verified is 'Đã đối chiếu nguồn | Confirmed by a source [bool]';
comment on table ref.programme_change is 'Nội dung chương trình giai đoạn sau kế thừa từ giai đoạn trước | What a node of a later programme tree goes on with';
comment on column ref.programme_change.from_code is 'Mã trong chương trình giai đoạn trước | Code in the earlier tree';
comment on column ref.programme_change.to_code is 'Mã trong chương trình giai đoạn sau | Code in the later tree';
comment on column ref.programme_change.is_whole is 'Kế thừa toàn bộ; sai: chỉ một phần | All of it; false: a part only [bool]';
comment on column ref.former_unit.valid_from is 'Danh sách đơn vị này có từ ngày | First day of this list of units [date]';

-- The day of the newest money figures that were known at a moment: whose boundaries are those of now. Without any
-- report, that of the newest units.
create function core.newest_day(p_known_at timestamptz) returns date
language sql stable
as $$
    select coalesce(
        max(coalesce(w.as_of, s.as_of)), (select max(u.valid_from) from ref.unit as u)
    )
    from core.submission_span as s
    left join ref.reporting_calendar as w on s.period = w.period and s.budget_year = w.budget_year
    where s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
$$;
