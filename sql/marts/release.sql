-- Releases of the provincial summary that were published: what was known when each was frozen is what was published.
create view mart.release as
select
    r.release_id,
    r.period,
    r.budget_year,
    r.release_no,
    r.as_of,
    r.known_at,
    p.published_at,
    a.decided_by as approved_by,
    a.decided_at as approved_at,
    v.prepared_by,
    v.code_version,
    r.manifest_sha256,
    r.release_no = max(r.release_no) over (partition by r.period, r.budget_year) as is_latest
from release.release as r
inner join release.publication as p on r.release_id = p.release_id
left join release.provenance as v on r.release_id = v.release_id
left join release.approval as a
    on r.release_id = a.release_id and r.manifest_sha256 = a.manifest_sha256 and a.decision = 'approved';
