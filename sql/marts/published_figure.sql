-- Every number and text that was published, by release, with the id that tiendo trace takes.
create view mart.published_figure as
select
    f.figure_id,
    f.release_id,
    r.period,
    r.budget_year,
    f.metric,
    f.dims,
    f.value,
    f.text_value,
    f.unit,
    f.numerator,
    f.denominator,
    f.coverage_n,
    f.coverage_of,
    f.coverage_plan_pct,
    f.standing,
    f.source
from release.figure as f
inner join mart.release as r on f.release_id = r.release_id;
