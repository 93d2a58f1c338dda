-- Reference data in two times. Beside when a row holds (valid_from, valid_to) the warehouse keeps when it was known: a
-- list that is corrected counts from its loading on, and what was published before stays what it was (law 9).

do $$
declare
    t text;
    columns text;
begin
    foreach t in array array[
        'capital_kind', 'commune', 'holiday', 'indicator', 'programme_change', 'programme_node', 'reporting_calendar',
        'rule', 'threshold', 'unit', 'unit_change'
    ] loop
        columns := (
            select string_agg(format('h.%I', a.attname), ', ' order by a.attnum)
            from pg_attribute as a
            where a.attrelid = format('ref.%I', t)::regclass and a.attnum > 0 and not a.attisdropped
        );
        execute format(
            'create table ref.%I as select h.*, ''-infinity''::timestamptz as known_from, '
            '''infinity''::timestamptz as known_to from ref.%I as h', t || '_history', t
        );
        execute format(
            'alter table ref.%I alter known_from set not null, alter known_to set not null, '
            'alter known_to set default ''infinity'', add check (known_from < known_to)', t || '_history'
        );
        execute format(
            'create function ref.%I(p_known_at timestamptz) returns setof ref.%I language sql stable as $b$ '
            'select %s from ref.%I as h where h.known_from <= p_known_at '
            'and (h.known_to > p_known_at or h.known_to = ''infinity'') $b$',
            t || '_known_at', t, columns, t || '_history'
        );
    end loop;
end
$$;

create index on ref.unit_history (commune_code);
create index on ref.programme_node_history (code);

-- Brings the history of a reference table up to its rows, and returns since when the change counts: since
-- tiendo.known_at, which the loader of reference data sets, else since now; the first rows of all count from the
-- beginning. A row that goes and comes back in one change is no change.
create function ref.keep_history(p_table text) returns timestamptz
language plpgsql
as $$
declare
    history text := format('ref.%I', p_table || '_history');
    columns text := (
        select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
        from pg_attribute as a
        where a.attrelid = format('ref.%I', p_table)::regclass and a.attnum > 0 and not a.attisdropped
    );
    said timestamptz := coalesce(nullif(current_setting('tiendo.known_at', true), '')::timestamptz, now());
    moment timestamptz;
begin
    execute format(
        $q$
        select greatest($1, max(h.known_from), max(h.known_to) filter (where h.known_to < 'infinity'))
        from %s as h having count(*) > 0
        $q$, history
    ) into moment using said;
    moment := coalesce(moment, '-infinity');
    execute format(
        $q$
        with fresh as materialized (
            select row(r.*)::text as content, r.* from ref.%2$I as r
        ),
        held as materialized (
            select h.ctid as place, h.known_from, h.known_to, (select row(k.*)::text from (select %3$s) as k) as content
            from %1$s as h
            where h.known_to in ($1, 'infinity')
        ),
        gone as materialized (
            select d.* from held as d
            where d.known_to = 'infinity' and not exists (select 1 from fresh as f where f.content = d.content)
        ),
        taken_back as (
            delete from %1$s as h using gone as g where h.ctid = g.place and g.known_from >= $1
        ),
        ended as (
            update %1$s as h set known_to = $1 from gone as g where h.ctid = g.place and g.known_from < $1
        ),
        back_again as (
            update %1$s as h set known_to = 'infinity' from held as d
            where
                h.ctid = d.place and d.known_to < 'infinity'
                and exists (select 1 from fresh as f where f.content = d.content)
        )
        insert into %1$s (%3$s, known_from)
        select %3$s, $1 from fresh as f where not exists (select 1 from held as d where d.content = f.content)
        $q$, history, p_table, columns
    ) using moment;
    return moment;
end
$$;

create function ref.note_history() returns trigger
language plpgsql
as $$
begin
    perform ref.keep_history(tg_table_name);
    return null;
end
$$;

do $$
declare
    t text;
begin
    foreach t in array array[
        'capital_kind', 'holiday', 'indicator', 'programme_change', 'rule', 'threshold', 'unit_change'
    ] loop
        execute format(
            'create trigger note_history after insert or update or delete on ref.%I '
            'for each statement execute function ref.note_history()', t
        );
    end loop;
end
$$;

-- The summaries that rest on the calendar, the units and the programme tree are stale since a moment.
create function core.note_since(p_since timestamptz) returns void
language sql
as $$
    select core.mark_stale(k.period, k.budget_year, p_since)
    from (
        select w.period, w.budget_year from ref.reporting_calendar_history as w
        union
        select s.period, s.budget_year from core.submission_span as s
    ) as k
$$;

-- When the calendar, the units or the programme tree changed.
create function core.corrected_at() returns table (moment timestamptz)
language sql stable
as $$
    select unnest(array[n.known_from, n.known_to]) from ref.programme_node_history as n
    union
    select unnest(array[u.known_from, u.known_to]) from ref.unit_history as u
    union
    select unnest(array[w.known_from, w.known_to]) from ref.reporting_calendar_history as w
$$;

create or replace function core.note_everything() returns void
language sql
as $$
    select core.note_since('-infinity')
$$;

create or replace function core.note_reference() returns trigger
language plpgsql
as $$
begin
    perform core.note_since(ref.keep_history(tg_table_name));
    return null;
end
$$;

-- The functions of days and units, with reference data as known at a moment; those without it, as known now. A working
-- day is one of Monday to Friday without the holidays and with the days that make up for them.
create function ref.working_days_known(p_start date, p_end date, p_known_at timestamptz) returns integer
language sql stable
as $$
    select count(*)::integer
    from generate_series(p_start + 1, p_end, interval '1 day') as g (day)
    left join ref.holiday_known_at(p_known_at) as h on g.day::date = h.day
    where coalesce(h.kind = 'makeup', extract(isodow from g.day) < 6)
$$;

create function ref.unit_day_known(p_day date, p_known_at timestamptz) returns date
language sql stable
as $$
    select max(u.valid_from) from ref.unit_known_at(p_known_at) as u where u.valid_from <= p_day
$$;

create function ref.unit_reach_known(p_day date, p_boundaries date, p_code text, p_known_at timestamptz)
returns table (commune_code text, to_code text)
language sql stable
as $$
    with recursive step as materialized (
        select f.commune_code as a_code, f.valid_from as a_from, t.commune_code as b_code, t.valid_from as b_from
        from ref.unit_change_known_at(p_known_at) as c
        inner join ref.unit_known_at(p_known_at) as f on c.from_code = f.commune_code and c.changed_on - 1 = f.valid_to
        inner join ref.unit_known_at(p_known_at) as t on c.to_code = t.commune_code and c.changed_on = t.valid_from
        where c.changed_on > p_day and c.changed_on <= p_boundaries
        union all
        select t.commune_code, t.valid_from, f.commune_code, f.valid_from
        from ref.unit_change_known_at(p_known_at) as c
        inner join ref.unit_known_at(p_known_at) as f on c.from_code = f.commune_code and c.changed_on - 1 = f.valid_to
        inner join ref.unit_known_at(p_known_at) as t on c.to_code = t.commune_code and c.changed_on = t.valid_from
        where c.changed_on > p_boundaries and c.changed_on <= p_day
    ),

    walk as (
        select u.commune_code, u.commune_code as at_code, u.valid_from as at_from
        from ref.unit_known_at(p_known_at) as u
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
    inner join ref.unit_known_at(p_known_at) as u on w.at_code = u.commune_code and w.at_from = u.valid_from
    where u.valid_from <= p_boundaries and (u.valid_to is null or u.valid_to >= p_boundaries)
$$;

create function ref.unit_group_known(p_days date[], p_boundaries date, p_by text, p_known_at timestamptz)
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
        cross join lateral ref.unit_reach_known(d.day, p_boundaries, null, p_known_at) as r
    ),

    edge as materialized (
        select distinct
            r.day,
            r.commune_code,
            case p_by when 'district' then t.district_vi else t.commune_code end as place_code,
            case p_by when 'district' then t.district_vi else t.name_vi end as place_vi
        from reached as r
        inner join ref.unit_known_at(p_known_at) as t
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
        inner join ref.unit_known_at(p_known_at) as u
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

create or replace function ref.working_days_between(p_start date, p_end date) returns integer
language sql stable
as $$
    select ref.working_days_known(p_start, p_end, 'infinity')
$$;

create or replace function ref.unit_day(p_day date) returns date
language sql stable
as $$
    select ref.unit_day_known(p_day, 'infinity')
$$;

create or replace function ref.unit_reach(p_day date, p_boundaries date, p_code text default null)
returns table (commune_code text, to_code text)
language sql stable
as $$
    select r.* from ref.unit_reach_known(p_day, p_boundaries, p_code, 'infinity') as r
$$;

create or replace function ref.unit_group(p_days date[], p_boundaries date, p_by text default 'unit')
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
language sql stable
as $$
    select g.* from ref.unit_group_known(p_days, p_boundaries, p_by, 'infinity') as g
$$;

create or replace function core.newest_day(p_known_at timestamptz) returns date
language sql stable
as $$
    select coalesce(
        max(coalesce(w.as_of, s.as_of)), (select max(u.valid_from) from ref.unit_known_at(p_known_at) as u)
    )
    from core.submission_span as s
    left join ref.reporting_calendar_known_at(p_known_at) as w
        on s.period = w.period and s.budget_year = w.budget_year
    where s.known_from <= p_known_at and (s.known_to > p_known_at or s.known_to = 'infinity')
$$;
