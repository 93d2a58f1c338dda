"""Checks of a whole period, made when it is frozen (CK32, CK33, CK39, CK40; BT01 to BT03).

Their rules are suites like those of a report (``expectations/completeness.json``, ``outliers.json``,
``publication.json``). An error stops the freeze before anything is stored or written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from etl.errors import ReleaseError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish.checks import completeness, outliers, publication
from etl.publish.checks.finding import PeriodFinding, judge
from etl.publish.figure import FigureSet
from etl.publish.model import Chart, Document
from etl.reference import province as reference

__all__ = ["PeriodFinding", "of_documents", "of_figures", "require_publishable"]

_SHOWN = 20


def of_figures(
    connection: Connection, period: Period, budget_year: int, known_at: datetime
) -> tuple[PeriodFinding, ...]:
    """Figures of the reports in force that are unlike their peers': what is judged before there are documents."""
    lines, outputs = outliers.read(connection, period, budget_year, known_at)
    return judged_outliers(lines, outputs, outliers.thresholds(connection, period, budget_year, known_at))


def judged_outliers(
    lines: Sequence[outliers.Line],
    outputs: Sequence[outliers.Output],
    thresholds: Mapping[str, Decimal] | None = None,
) -> tuple[PeriodFinding, ...]:
    """``thresholds``: those of the province's list unless given."""
    thresholds = thresholds or reference.load().thresholds
    limit = thresholds["outlier_score"]
    parameters = {"outlier_score": limit, "outlier_score_low": -limit}
    return judge("outliers", outliers.rows(lines, outputs, thresholds), parameters)


def of_documents(
    figures: FigureSet, documents: Sequence[Document], charts: Sequence[Chart] = ()
) -> tuple[PeriodFinding, ...]:
    """What the documents say against the figures that they are made of, and which communes they cannot tell of.

    ``charts``: those that stand in none of the documents.
    """
    return (
        *judge("completeness", completeness.rows(figures, documents)),
        *judge("publication", publication.rows(figures, documents, charts)),
    )


def require_publishable(findings: Sequence[PeriodFinding], release_id: str) -> None:
    """Raises ReleaseError that names each error with its place."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    lines = [f"{finding.expectation_id}: {finding.message}" for finding in errors[:_SHOWN]]
    if len(errors) > _SHOWN:
        lines.append(f"… và {len(errors) - _SHOWN} lỗi khác.")
    raise ReleaseError(
        f"Không chốt được bản tổng hợp {release_id}: {len(errors)} lỗi trong tài liệu công bố.\n" + "\n".join(lines)
    )
