-- Facts of Biểu 01 are partitioned by budget year; a partition is made when the reporting calendar first has the year.

-- Makes the partition of a budget year unless it is there; rows of that year that came before it move into it.
create function core.add_budget_year(p_budget_year integer) returns void
language plpgsql
as $$
declare
    part text := format('core.disbursement_%s', p_budget_year);
begin
    if to_regclass(part) is not null then
        return;
    end if;
    execute format('create table %s (like core.disbursement including all)', part);
    execute format(
        'with moved as (delete from core.disbursement_other where budget_year = $1 returning *) '
        'insert into %s select * from moved', part
    ) using p_budget_year;
    execute format('alter table core.disbursement attach partition %s for values in (%s)', part, p_budget_year);
    execute format('comment on table %s is %L', part, obj_description('core.disbursement_other'::regclass));
end
$$;

-- More kept summaries, where the marts were too slow for five years of a country.

-- Concentration of what is undisbursed (mart.outlook): sum and sum of squares over the lines, in the slice commune.
-- Its function is made anew with them (sql/summaries).
drop function if exists core.slices_at(text, integer, timestamptz);
alter table core.disbursement_slice add column undisbursed_open numeric;
alter table core.disbursement_slice add column undisbursed_squares numeric;

-- One text for what a slice is of, so that a slice is found in other months by an index.
alter table core.disbursement_slice add column slice_key text;
create index on core.disbursement_slice (period, budget_year, slice_key, known_from);

-- The reported plan against the register of decisions (mart.allocation_gap).
create table core.allocation_gap (
    period text not null,
    budget_year integer not null,
    slice text not null,
    commune_code text,
    programme_code text,
    plan_reported numeric,
    plan_registered numeric,
    plan_registered_reported numeric,
    known_from timestamptz not null,
    known_to timestamptz not null default 'infinity',
    check (known_from < known_to)
);
create index on core.allocation_gap (period, budget_year, slice, known_from);

create index on ref.allocation (budget_year, loaded_at);
create index on release.figure (release_id, metric) where dims = '{}';

-- What the questions were measured with: many small joins, on disks that seek fast. Whoever may not alter the database
-- has its administrator do so.
do $$
begin
    if pg_has_role((select d.datdba from pg_database as d where d.datname = current_database()), 'USAGE') then
        execute format('alter database %I set jit = off', current_database());
        execute format('alter database %I set random_page_cost = 1.1', current_database());
        execute format('alter database %I set work_mem = %L', current_database(), '32MB');
    end if;
end
$$;
