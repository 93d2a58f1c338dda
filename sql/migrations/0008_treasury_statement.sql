-- Loadings of Treasury statements: of one date and budget year the statement loaded last speaks, and one that was
-- replaced speaks again when it is loaded again. What was in force at an earlier moment stays what it was.

create table core.treasury_loading (
    loading_id bigint generated always as identity primary key,
    sha256 text not null references core.treasury_statement,
    replaced_sha256 text references core.treasury_statement,
    loaded_at timestamptz not null,
    check (replaced_sha256 <> sha256)
);
create index on core.treasury_loading (sha256);

insert into core.treasury_loading (sha256, replaced_sha256, loaded_at)
select
    s.sha256,
    lag(s.sha256) over (partition by s.as_of, s.budget_year order by s.loaded_at, s.statement_id) as replaced_sha256,
    s.loaded_at
from core.treasury_statement as s
order by s.loaded_at, s.statement_id;

create trigger append_only before update or delete or truncate on core.treasury_loading
for each statement execute function audit.refuse_change();

-- The statement that speaks for a date and budget year, as known at a moment: of those loaded by then the last one.
create or replace function core.treasury_in_force(p_known_at timestamptz)
returns table (
    sha256 text,
    as_of date,
    budget_year integer,
    file_name text,
    loaded_at timestamptz
)
language sql stable
as $$
    select distinct on (s.as_of, s.budget_year) s.sha256, s.as_of, s.budget_year, s.file_name, k.loaded_at
    from core.treasury_loading as k
    inner join core.treasury_statement as s on k.sha256 = s.sha256
    where k.loaded_at <= p_known_at
    order by s.as_of, s.budget_year, k.loaded_at desc, k.loading_id desc
$$;

comment on table core.treasury_loading is
'Mỗi lần một sao kê của Kho bạc Nhà nước bắt đầu có hiệu lực: nạp lần đầu, hoặc nạp lại sau khi đã bị thay'
' | Each time a statement of the State Treasury came into force: loaded first, or again after it had been replaced';
comment on column core.treasury_loading.loading_id is
'Thứ tự nạp | Order of loading';
comment on column core.treasury_loading.sha256 is
'Mã băm của sao kê | Hash of the statement';
comment on column core.treasury_loading.replaced_sha256 is
'Sao kê cùng ngày và năm bị thay; trống: chưa có | The statement of the same date and year that it replaced; null: none';
comment on column core.treasury_loading.loaded_at is
'Lúc có hiệu lực (UTC) | When it came into force (UTC)';
comment on table core.treasury_statement is
'Sao kê của Kho bạc Nhà nước đã nạp; cùng ngày và năm thì bản nạp sau cùng có hiệu lực (core.treasury_loading)'
' | Statements of the State Treasury; of one date and year the one loaded last speaks (core.treasury_loading)';
comment on column core.treasury_statement.loaded_at is
'Lúc nạp lần đầu (UTC) | When it was loaded first (UTC)';
