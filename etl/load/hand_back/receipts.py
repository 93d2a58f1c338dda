"""What a delivery is told: its receipt, the notice to the sender of the replaced version, remarks in the workbook."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import yaml

from etl import __version__, clock, settings
from etl.errors import UsageError
from etl.load.hand_back.deliveries import Delivery
from etl.load.hand_back.mail import known_address
from etl.load.hand_back.names import marked_name
from etl.period import Period
from etl.reference.province import Province, Window
from etl.validate import receipt, wording
from etl.validate.markup import Judgement
from etl.validate.receipt import Issuer, Lateness, Receipt

_CONTESTED = (
    "Báo cáo này thay bản do {place} nhận lúc {moment} (tệp {file}){why}; hai bản khác nhau ở {lines} dòng. Nếu hai bộ "
    "phận của đơn vị cùng lập báo cáo thì thống nhất số liệu và gửi lại một bản."
)
_REPLACED = (
    "Báo cáo trong biên nhận này đã được thay bằng một bản khác của cùng đơn vị, do {place} nhận lúc {moment} (tệp "
    "{file}){why}; hai bản khác nhau ở {lines} dòng. Nếu bản mới không đúng thì thống nhất số liệu và gửi lại một bản."
)
_ADMITTED = (
    "Báo cáo được chấp nhận lúc {moment} theo quyết định của {by}, dù còn {errors} lỗi. Lý do: {reasons}. Quyết định "
    "này được công bố trong phụ lục của báo cáo tổng hợp."
)
_ELSEWHERE, _NOT_STARTED = " gửi từ nơi khác", " và không lập tiếp từ bản đó"


def receipt_of(delivery: Delivery, province: Province, conf: settings.Settings) -> Receipt:
    """The receipt of a delivery."""
    counts = wording.counts(delivery.findings)
    window = _window(province, delivery)
    notices: list[str] = []
    duplicate_of = None if delivery.is_first else delivery.first_received_at
    if duplicate_of is not None:
        notices.append(f"Tệp này đã nhận lúc {receipt.moment(duplicate_of)}, không thay đổi.")
    if delivery.is_contested:
        notices.append(
            _CONTESTED.format(
                place=receipt.place(delivery.replaced_inbox),
                moment=receipt.moment(delivery.replaced_received_at),
                file=delivery.replaced_file,
                why=_why(delivery),
                lines=len(delivery.differing),
            )
        )
    if delivery.is_late_revision and delivery.verdict == "accepted":
        notices.append("Kỳ báo cáo này đã công bố: đây là bản điều chỉnh, chờ quyết định.")
    today = clock.local_date(delivery.received_at)
    days = [day for day in (window.due_on, window.cutoff_on) if day >= today] if window else []
    steps = receipt.next_steps(
        delivery.verdict,
        counts["warning"],
        marked_file=marked_name(delivery.row) if delivery.is_told else None,
        resend_by=days[0] if days else None,
        closed_on=window.cutoff_on if window else None,
        send_to=conf.mail_from if known_address(delivery.sender, conf) else None,
        is_late_revision=delivery.is_late_revision,
        has_earlier=delivery.has_earlier,
    )
    return Receipt(
        number=delivery.delivery_id,
        file_name=delivery.file_name,
        sha256=delivery.sha256,
        received_at=delivery.received_at,
        inbox=delivery.inbox,
        sender=delivery.sender,
        verdict=delivery.verdict,
        commune=delivery.commune_vi,
        period=delivery.period,
        budget_year=delivery.budget_year,
        version=delivery.nth,
        lateness=_lateness(province, window, delivery.judged_received_at),
        errors=counts["error"],
        warnings=counts["warning"],
        infos=counts["info"],
        steps=steps,
        code_version=__version__,
        duplicate_of=duplicate_of,
        notices=tuple(notices),
        lines_title=f"Các dòng khác nhau giữa hai bản ({len(delivery.differing)} dòng):"
        if delivery.is_contested
        else "",
        lines=receipt.by_form(delivery.differing) if delivery.is_contested else (),
    )


def admission_of(delivery: Delivery, told: Receipt) -> Receipt:
    """The receipt once more, after an officer admitted the report in spite of its errors."""
    news = _ADMITTED.format(
        moment=receipt.moment(delivery.admitted_at),
        by=delivery.admitted_by,
        errors=told.errors,
        reasons=delivery.admission_reasons,
    )
    return replace(
        told,
        verdict="accepted",
        errors=0,
        notices=(news,),
        steps=("Không phải gửi lại báo cáo này. Kỳ sau sửa lại những chỗ đã được nêu.",),
    )


def notice_of(delivery: Delivery, told: Receipt, province: Province) -> Receipt:
    """What the sender of the replaced version is told: the receipt of that delivery once more, with the news."""
    window = _window(province, delivery)
    return replace(
        told,
        number=delivery.replaced_delivery_id,
        file_name=delivery.replaced_file,
        sha256=delivery.replaced_sha256,
        received_at=delivery.replaced_received_at,
        inbox=delivery.replaced_inbox,
        sender=delivery.replaced_sender,
        verdict="accepted",
        version=delivery.replaced_nth,
        lateness=_lateness(province, window, delivery.replaced_received_at),
        errors=0,
        warnings=delivery.replaced_warnings,
        infos=0,
        duplicate_of=None,
        notices=(
            _REPLACED.format(
                place=receipt.place(delivery.inbox),
                moment=receipt.moment(delivery.received_at),
                file=delivery.file_name,
                why=_why(delivery),
                lines=len(delivery.differing),
            ),
        ),
        steps=(
            "Liên hệ bộ phận đã gửi bản mới, thống nhất số liệu của các dòng nêu trên.",
            "Bản mới đúng: không phải gửi lại. Bản mới sai: gửi lại một bản đã thống nhất, tăng số phiên bản (v) của "
            "tên tệp.",
        ),
    )


def _why(delivery: Delivery) -> str:
    return _ELSEWHERE if delivery.is_elsewhere else _NOT_STARTED


def judgement(delivery: Delivery, told: Receipt, province: Province) -> Judgement:
    window = _window(province, delivery)
    today = clock.local_date(delivery.judged_received_at)
    days = [day for day in (window.due_on, window.cutoff_on) if day >= today] if window else []
    notices = list(told.notices if told.duplicate_of is None else told.notices[1:])
    if told.lines:
        notices.append(f"{told.lines_title} {'; '.join(told.lines)}.")
    return Judgement(
        delivery.judged_file_name,
        delivery.sha256,
        delivery.verdict,
        delivery.judged_received_at,
        delivery.findings,
        period=delivery.period,
        commune=delivery.commune_vi,
        version=delivery.nth,
        notices=notices,
        due_on=days[0] if days else None,
    )


def _window(province: Province, delivery: Delivery) -> Window | None:
    if not delivery.period:
        return None
    try:
        return province.window(Period.parse(delivery.period), delivery.budget_year)
    except UsageError:  # a month that the calendar does not have yet: nothing can be said about its dates
        return None


def _lateness(province: Province, window: Window | None, received_at: datetime) -> Lateness | None:
    if window is None:
        return None
    day: date = clock.local_date(received_at)
    late = max((day - window.due_on).days, 0)
    return Lateness(window.due_on, late, province.working_days_between(window.due_on, day) if late else 0)


def issuer(conf: settings.Settings) -> Issuer:
    report = yaml.safe_load((conf.reference_dir / "report.yml").read_text(encoding="utf-8"))
    return Issuer(report["parent_body"], report["issuer"])
