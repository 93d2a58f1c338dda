"""Figures of a correction: what differs from the last published release of the same period, and why.

They follow from the other figures and that release, so the hash over the facts leaves them out: once a correction is
published there is nothing left to correct, and freezing again must find it (``release.facts_sha256``).
"""

from __future__ import annotations

from collections.abc import Iterator

from etl.publish.figure import Figure, dims
from etl.publish.reading import Reader, number_figure, text_figure

PREFIX = "correction_"
CAUSES_VI = {
    "new_report": "báo cáo gửi sau bản trước",
    "resubmission": "đơn vị gửi lại báo cáo",
    "late_revision": "bản gửi lại được chấp nhận",
    "admitted": "báo cáo có lỗi được chấp nhận",
    "withdrawn": "báo cáo được rút",
    "revision_rejected": "bản gửi lại bị bác",
    "allocation": "quyết định giao vốn",
    "reference": "danh mục được đính chính",
}
"""Causes of ``mart.revision_lines`` in words."""


def of_correction(reader: Reader) -> Iterator[Figure]:
    """Nothing where no release of the period is published."""
    published = reader.rows(
        """
        select r.release_id, r.known_at from mart.release as r
        where r.period = %(period)s and r.budget_year = %(budget_year)s and r.published_at <= %(known_at)s
        order by r.release_no desc limit 1
        """
    )
    if not published:
        return
    yield text_figure("correction_of", published[0]["release_id"], "mart.release")
    source = "mart.revision"
    for row in reader.rows("select * from mart.revision_at(%(period)s, %(budget_year)s, %(known_at)s)"):
        by = dims({"commune": row["commune_code"], "item": row["metric"]})
        yield number_figure("correction_published", "vnd", row["published"], source, by)
        yield number_figure("correction_current", "vnd", row["current_value"], source, by)
        yield number_figure("correction_difference", "vnd", row["difference"], source, by)
    for row in reader.rows(
        """
        select c.commune_code, min(c.cause) as cause
        from mart.revision_lines(%(period)s, %(budget_year)s, %(from)s, %(known_at)s) as c
        where c.commune_code is not null group by c.commune_code order by c.commune_code
        """,
        **{"from": published[0]["known_at"]},
    ):
        by = dims({"commune": row["commune_code"]})
        yield text_figure("correction_cause", CAUSES_VI[row["cause"]], "mart.revision_lines", by)
