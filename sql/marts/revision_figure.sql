-- Published figures that differ from those of the release before, with both values: figures of one id but for the
-- release. A figure that only one of the two has is blank in the other.
create view mart.revision_figure as
with releases as (
    select
        r.release_id,
        r.period,
        r.budget_year,
        lag(r.release_id) over (partition by r.period, r.budget_year order by r.release_no) as previous_release_id
    from mart.release as r
),

sides as (
    select
        r.release_id,
        r.previous_release_id,
        r.period,
        r.budget_year,
        substr(f.figure_id, length(f.release_id) + 2) as figure,
        f.release_id = r.release_id as is_new,
        f.metric,
        f.dims,
        f.unit,
        f.value,
        f.text_value
    from releases as r
    inner join release.figure as f on f.release_id in (r.release_id, r.previous_release_id)
    where r.previous_release_id is not null
)

select
    coalesce(n.release_id, o.release_id) as release_id,
    coalesce(n.previous_release_id, o.previous_release_id) as previous_release_id,
    coalesce(n.period, o.period) as period,
    coalesce(n.budget_year, o.budget_year) as budget_year,
    coalesce(n.figure, o.figure) as figure,
    coalesce(n.metric, o.metric) as metric,
    coalesce(n.dims, o.dims) as dims,
    coalesce(n.unit, o.unit) as unit,
    o.value as old_value,
    n.value as new_value,
    coalesce(n.value, 0) - coalesce(o.value, 0) as difference,
    o.text_value as old_text,
    n.text_value as new_text
from (
    select * from sides
    where not is_new
) as o
full join (
    select * from sides
    where is_new
) as n
    on o.release_id = n.release_id and o.figure = n.figure
where o.value is distinct from n.value or o.text_value is distinct from n.text_value;
