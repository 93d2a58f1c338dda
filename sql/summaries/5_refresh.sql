-- Brings a kept summary to what core.<p_function> says at a moment: rows that are no longer true end then, new ones
-- begin. The moment is not before any at which the summary has changed already.
create or replace function core.keep(
    p_table regclass, p_function text, p_period text, p_budget_year integer, p_moment timestamptz
) returns void
language plpgsql
as $$
declare
    columns text := (
        select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
        from pg_attribute as a
        where
            a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
            and a.attname not in ('known_from', 'known_to')
    );
begin
    execute format(
        $q$
        with fresh as materialized (
            select f.*, row(f.*)::text as content from core.%3$I($1, $2, $3) as f
        ),
        held as materialized (
            select t.ctid as place, (select row(k.*)::text from (select %1$s) as k) as content
            from %2$s as t
            where t.period = $1 and t.budget_year = $2 and t.known_to = 'infinity'
        ),
        ended as (
            update %2$s as t set known_to = $3
            from held as h
            where t.ctid = h.place and not exists (select 1 from fresh as f where f.content = h.content)
        )
        insert into %2$s (%1$s, known_from)
        select %1$s, $3 from fresh as f where not exists (select 1 from held as h where h.content = f.content)
        $q$,
        columns, p_table, p_function
    ) using p_period, p_budget_year, p_moment;
end
$$;

-- Takes a kept summary back to what it was before a moment.
create or replace function core.forget(
    p_table regclass, p_period text, p_budget_year integer, p_since timestamptz
) returns void
language plpgsql
as $$
begin
    execute format('delete from %s where period = $1 and budget_year = $2 and known_from >= $3', p_table)
    using p_period, p_budget_year, p_since;
    execute format(
        $q$update %s set known_to = 'infinity'
        where period = $1 and budget_year = $2 and known_to >= $3 and known_to < 'infinity'$q$, p_table
    ) using p_period, p_budget_year, p_since;
end
$$;

-- Makes the summaries of every stale period true again, moment by moment, so that they are the same whenever and however
-- often this runs (law 10). Returns how many moments were gone through. The caller commits.
create or replace function core.refresh() returns integer
language plpgsql
as $$
declare
    stale record;
    change record;
    taken bigint[];
    gone_through integer := 0;
begin
    if not exists (select 1 from core.stale_period) then
        return 0;
    end if;
    perform pg_advisory_xact_lock(hashtext('core.refresh'));
    taken := array(select s.stale_period_id from core.stale_period as s);
    for stale in
        select s.period, s.budget_year, min(s.since) as since
        from core.stale_period as s
        where s.stale_period_id = any(taken)
        group by s.period, s.budget_year
        order by s.period, s.budget_year
    loop
        perform core.forget(t, stale.period, stale.budget_year, stale.since)
        from unnest(
            array[
                'core.unallocated_line', 'core.disbursement_slice', 'core.coverage', 'core.allocation_gap'
            ]::regclass[]
        ) as t;
        -- Where only a report was returned, coverage alone can have changed.
        for change in
            select m.moment, bool_or(m.of_figures) as of_figures
            from (
                select '-infinity'::timestamptz as moment, true as of_figures
                union all
                select unnest(array[s.known_from, s.known_to]), true
                from core.submission_span as s
                where s.period = stale.period and s.budget_year = stale.budget_year
                union all
                select s.known_at, false
                from raw.submission as s
                where s.period = stale.period and s.budget_year = stale.budget_year
                union all
                select a.loaded_at, true
                from ref.allocation as a
                where a.budget_year = stale.budget_year
                union all
                select c.moment, true from core.corrected_at() as c
            ) as m
            where m.moment >= stale.since and m.moment < 'infinity'
            group by m.moment
            order by m.moment
        loop
            perform core.keep('core.coverage', 'coverage_at', stale.period, stale.budget_year, change.moment);
            if change.of_figures then
                perform core.keep(
                    'core.unallocated_line', 'unallocated_at', stale.period, stale.budget_year, change.moment
                );
                perform core.keep(
                    'core.disbursement_slice', 'slices_at', stale.period, stale.budget_year, change.moment
                );
                perform core.keep(
                    'core.allocation_gap', 'allocation_gap_at', stale.period, stale.budget_year, change.moment
                );
            end if;
            gone_through := gone_through + 1;
        end loop;
    end loop;
    delete from core.stale_period where stale_period_id = any(taken);
    return gone_through;
end
$$;
