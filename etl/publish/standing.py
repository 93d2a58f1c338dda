"""Provisional or final (tạm tính, chính thức): the one definition, worked out from the figures of a release alone.

It is stored with each figure when the release is frozen (``release.figure.standing``), so that SQL need not know it.
"""

from __future__ import annotations

from collections.abc import Iterable

from etl.period import Period
from etl.publish.figure import Figure

WORDS = {"provisional": "Tạm tính", "final": "Chính thức"}
DEFINITION = (
    "Tạm tính: số tổng hợp khi còn xã, phường chưa có báo cáo được chấp nhận (hoặc chưa có số liệu của chỉ tiêu), "
    "hoặc khi báo cáo của một xã, phường có các bản mâu thuẫn hay có bản sửa gửi sau công bố đang chờ quyết định; số "
    "của một xã, phường khi chính báo cáo của xã, phường đó như vậy; thứ hạng được xét như số tổng hợp. Chính thức: "
    "mọi số liệu khác, cả tên gọi, ngày tháng, nội dung, nhiệm vụ và số báo cáo đã nhận."
)

# Known for certain when the release is frozen, whoever has reported: calendar, lists, registers, statements, and which
# reports had come.
_CERTAIN_SOURCES = (
    "ref.reporting_calendar", "ref.unit", "ref.programme_node", "ref.capital_kind", "ref.rule", "report.yml",
    "mart.submission_status", "mart.directive", "mart.task_count", "mart.task_month_by_agency",
    "mart.task_state", "mart.task_overdue", "mart.task_change_in_period", "mart.commune_task", "mart.proposal_task",
    "mart.treasury_comparison",
)  # fmt: skip
_CERTAIN = {
    "communes_expected", "communes_reported", "communes_not_reporting", "communes_late", "communes_returned",
    "communes_refused", "communes_missing", "communes_previous", "plan_covered_pct", "low_rate_pct", "months_left",
    "closing_on", "plan_registered", "revision_published", "treasury_booked", "rate_last_year",
}  # fmt: skip
_COMPARED = {"rank_rate", "order_lowest", "order_undisbursed"}
"""A commune's figures that are a place among all communes."""
_OF_MONTH_BEFORE = {"rate_previous", "revision_current", "revision_difference"}
_OF_BOTH_MONTHS = {"rate_change_points"}


def provisional(figures: Iterable[Figure], period: Period) -> frozenset[str]:
    """Keys of the figures of a release of ``period`` that are not final."""
    listed = list(figures)
    doubtful: dict[str, set[str]] = {}
    incomplete = set()
    for figure in listed:
        commune, month = figure.dim("commune"), figure.dim("period") or str(period)
        if figure.metric in ("contested_versions", "late_revisions") and commune:
            doubtful.setdefault(month, set()).add(commune)
        elif figure.metric == "rate_trend" and not commune and _covers_less(figure):
            incomplete.add(month)
    incomplete |= {str(period) for f in listed if f.metric == "communes_not_reporting" and f.value}

    def is_provisional(figure: Figure) -> bool:
        if figure.unit in ("text", "date") or figure.source in _CERTAIN_SOURCES or figure.metric in _CERTAIN:
            return False
        months, commune = _months(figure, period), figure.dim("commune")
        if commune is not None and figure.metric not in _COMPARED:
            return any(commune in doubtful.get(month, ()) for month in months)
        return any(month in incomplete or month in doubtful for month in months) or _covers_less(figure)

    return frozenset(figure.key for figure in listed if is_provisional(figure))


def _covers_less(figure: Figure) -> bool:
    return figure.coverage_n is not None and figure.coverage_n < (figure.coverage_of or 0)


def _months(figure: Figure, period: Period) -> set[str]:
    """Months whose reports the figure rests on."""
    if figure.dim("period"):
        return {str(figure.dim("period"))}
    if figure.metric in _OF_MONTH_BEFORE:
        return {str(period.previous)}
    return {str(period), *({str(period.previous)} if figure.metric in _OF_BOTH_MONTHS else ())}
