"""What goes back to the senders: the marked workbook, the receipt of every delivery, the reply by mail.

Everything lies under ``out/<period>/tra-lai`` (``khong-ro-ky`` when the file does not say its period): one marked
workbook per submission that has something to be told, one receipt (PDF and text) per delivery. A sender whose address
is known gets one mail per delivery, claimed before it is sent (law 11). What is told rests on what was known when the
submission was judged, so that a file that is lost is made again with the same bytes; what is there is left alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import yaml
from psycopg.rows import dict_row

from etl import __version__, clock, settings
from etl.collect import archive
from etl.errors import InfrastructureError, UsageError
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import deliver
from etl.reference.province import Province, Window
from etl.validate import receipt, wording
from etl.validate.finding import Finding
from etl.validate.markup import Judgement, mark, write
from etl.validate.receipt import Issuer, Lateness, Receipt

FOLDER = "tra-lai"
UNKNOWN_PERIOD = "khong-ro-ky"
_LONGEST_NAME_BYTES = 120
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")
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


@dataclass(frozen=True)
class _Delivery:
    """A row of ``_DELIVERIES``: a delivery, the submission of its bytes, and the version that this one replaced."""

    row: Mapping[str, Any]
    findings: Sequence[Finding] = ()
    differing: tuple[tuple[str, str], ...] = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError as error:
            raise AttributeError(name) from error


@dataclass
class _Result:
    written: int = 0
    receipts: int = 0
    with_findings: int = 0
    folders: set[str] = field(default_factory=set)
    mails: list[str] = field(default_factory=list)
    closed: InfrastructureError | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "written": self.written,
            "with_findings": self.with_findings,
            "receipts": self.receipts,
            "folders": sorted(self.folders),
            "mails": deliver.counted(self.mails).as_dict(),
        }


def write_all(
    connection: Connection,
    conf: settings.Settings,
    province: Province,
    now: datetime,
    smtp_url: str | None = None,
) -> dict[str, Any]:
    """Write what is missing and send what was not sent; idempotent.

    Returns ``written`` (marked workbooks now), ``with_findings`` (those that there are), ``receipts`` (now),
    ``folders`` and ``mails`` (delivered, already, failed, unknown). Raises InfrastructureError when the mail server
    cannot be reached and OSError when a folder cannot be written to; the next run goes on from there.
    """
    result = _Result()
    issuer = _issuer(conf)
    channel = deliver.channel_for(conf, smtp_url)
    try:
        todo = _unfinished(connection, conf, channel, result)
        for delivery in _details(connection, todo):
            _answer(connection, delivery, conf, province, issuer, channel, now, result)
    finally:
        channel.close()
    if result.closed is not None:
        raise result.closed
    return result.as_dict()


def _unfinished(
    connection: Connection, conf: settings.Settings, channel: deliver.Channel, result: _Result
) -> list[int]:
    """Deliveries for which a file or a mail is missing."""
    todo = []
    for row in _rows(connection, _OVERVIEW, {"channel": channel.name}):
        folder = folder_of(conf.out_dir, row["period"])
        expected = [folder / receipt_name(row, suffix) for suffix in (".pdf", ".txt")]
        if row["is_told"]:
            expected.append(folder / marked_name(row))
            result.with_findings += row["is_first"]
            result.folders.add(str(folder))
        if row["is_contested"]:
            expected += [folder / notice_name(row, suffix) for suffix in (".pdf", ".txt")]
        if row["is_admitted"]:
            expected += [folder / admission_name(row, suffix) for suffix in (".pdf", ".txt")]
        wants_mail = _known_address(row["sender"], conf) and not row["is_booked"]
        wants_notice = (
            row["is_contested"] and _known_address(row["replaced_sender"], conf) and not row["is_told_before"]
        )
        if wants_mail or wants_notice or not all(path.exists() for path in expected):
            todo.append(row["delivery_id"])
    connection.commit()
    return todo


def _answer(
    connection: Connection,
    delivery: _Delivery,
    conf: settings.Settings,
    province: Province,
    issuer: Issuer,
    channel: deliver.Channel,
    now: datetime,
    result: _Result,
) -> None:
    folder = folder_of(conf.out_dir, delivery.period)
    result.folders.add(str(folder))
    told = receipt_of(delivery, province, conf)
    attachments = []
    if delivery.is_told:
        path = folder / marked_name(delivery.row)
        if not path.exists():
            original = archive.fetch(conf.archive_dir, delivery.sha256)
            write(path, mark(original, _judgement(delivery, told, province)))
            result.written += 1
        attachments.append(path)
    attachments.append(_write_receipt(told, issuer, folder / receipt_name(delivery.row, ".pdf"), result))
    booked = {"delivery_id": delivery.delivery_id, "submission_id": delivery.submission_id}
    _mail(connection, told, issuer, attachments, delivery.sender, booked, delivery, conf, channel, now, result)
    if delivery.is_admitted:
        _write_receipt(admission_of(delivery, told), issuer, folder / admission_name(delivery.row, ".pdf"), result)
    if delivery.is_contested:
        earlier = notice_of(delivery, told, province)
        path = _write_receipt(earlier, issuer, folder / notice_name(delivery.row, ".pdf"), result)
        booked = {"delivery_id": delivery.replaced_delivery_id, "submission_id": delivery.submission_id}
        _mail(
            connection, earlier, issuer, [path], delivery.replaced_sender, booked, delivery, conf, channel, now, result
        )


def _write_receipt(told: Receipt, issuer: Issuer, path: Path, result: _Result) -> Path:
    """PDF and text; returns the PDF's path."""
    text = path.with_suffix(".txt")
    if not (path.exists() and text.exists()):
        write(text, receipt.as_text(told, issuer).encode())
        write(path, receipt.pdf(told, issuer))
        result.receipts += 1
    return path


def receipt_of(delivery: _Delivery, province: Province, conf: settings.Settings) -> Receipt:
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
        send_to=conf.mail_from if _known_address(delivery.sender, conf) else None,
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


def admission_of(delivery: _Delivery, told: Receipt) -> Receipt:
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


def notice_of(delivery: _Delivery, told: Receipt, province: Province) -> Receipt:
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


def _why(delivery: _Delivery) -> str:
    return _ELSEWHERE if delivery.is_elsewhere else _NOT_STARTED


def _judgement(delivery: _Delivery, told: Receipt, province: Province) -> Judgement:
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


def _window(province: Province, delivery: _Delivery) -> Window | None:
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


def _issuer(conf: settings.Settings) -> Issuer:
    report = yaml.safe_load((conf.reference_dir / "report.yml").read_text(encoding="utf-8"))
    return Issuer(report["parent_body"], report["issuer"])


# Names of files -------------------------------------------------------------------------------------------------------


def folder_of(out_dir: Path, period: str | None) -> Path:
    return out_dir / (period or UNKNOWN_PERIOD) / FOLDER


def marked_name(row: Mapping[str, Any]) -> str:
    return f"{_stem(row['judged_file_name'])}.{row['sha256'][:8]}.ket-qua.xlsx"


def receipt_name(row: Mapping[str, Any], suffix: str) -> str:
    return f"{_stem(row['file_name'])}.{row['sha256'][:8]}.{row['delivery_id']}.bien-nhan{suffix}"


def admission_name(row: Mapping[str, Any], suffix: str) -> str:
    return f"{_stem(row['judged_file_name'])}.{row['sha256'][:8]}.chap-nhan{suffix}"


def notice_name(row: Mapping[str, Any], suffix: str) -> str:
    stem, sha256 = _stem(row["replaced_file"]), row["replaced_sha256"]
    return f"{stem}.{sha256[:8]}.{row['replaced_delivery_id']}.thay-boi-{row['submission_id']}.bien-nhan{suffix}"


def _stem(file_name: str) -> str:
    """The sender's own name of the file, short enough and without what a file system takes amiss."""
    stem = _IN_A_NAME.sub("_", Path(file_name.replace("\\", "/")).stem).strip(". ") or "tep"
    return stem.encode("utf-8", "replace")[:_LONGEST_NAME_BYTES].decode("utf-8", "ignore")


# Mail -----------------------------------------------------------------------------------------------------------------


def _known_address(sender: str | None, conf: settings.Settings) -> bool:
    """Whether a reply may go out: to a plain address of somebody else than ourselves."""
    return bool(sender and _ADDRESS.fullmatch(sender) and sender.lower() != conf.mail_from.lower())


def _mail(
    connection: Connection,
    told: Receipt,
    issuer: Issuer,
    attachments: Sequence[Path],
    sender: str | None,
    booked: Mapping[str, int],
    delivery: _Delivery,
    conf: settings.Settings,
    channel: deliver.Channel,
    now: datetime,
    result: _Result,
) -> None:
    if sender is None or not _known_address(sender, conf) or result.closed is not None:
        return
    recipient = deliver.Recipient(sender.lower(), told.commune or sender, sender, "")

    def message_for(to: deliver.Recipient) -> EmailMessage:
        name = f"tra-lai-{booked['submission_id']}-{booked['delivery_id']}"
        return compose(told, issuer, attachments, to, conf.mail_from, name, delivery.known_at, delivery.message_id)

    ledger = deliver.Ledger("raw.reply", booked)
    try:
        result.mails.append(deliver.send_once(connection, ledger, recipient, message_for, channel, now))
    except InfrastructureError as error:
        result.closed = error  # the files of the others are written all the same; nothing was claimed


def compose(
    told: Receipt,
    issuer: Issuer,
    attachments: Iterable[Path],
    recipient: deliver.Recipient,
    mail_from: str,
    name: str,
    judged_at: datetime,
    message_id: str | None = None,
) -> EmailMessage:
    """The reply to a sender: receipt as text, receipt as PDF and marked workbook attached. Deterministic."""
    identity = hashlib.sha256(f"{name}|{recipient.code}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["From"] = mail_from
    message["To"] = recipient.email
    message["Subject"] = receipt.subject(told)
    message["Date"] = format_datetime(judged_at)
    message["Message-ID"] = f"<{name}.{identity}@{mail_from.rpartition('@')[2]}>"
    if message_id and re.fullmatch(r"<[\x21-\x7e]{1,200}>", message_id):
        message["In-Reply-To"] = message["References"] = message_id
    message["Auto-Submitted"] = "auto-replied"
    message["Content-Language"] = "vi"
    message.set_content(receipt.as_text(told, issuer), cte="base64")
    for path in attachments:
        maintype, _, subtype = deliver.CONTENT_TYPES[path.suffix].partition("/")
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name)
    message.set_boundary(f"=_{identity}")
    return message


# Reading --------------------------------------------------------------------------------------------------------------

# sender, message_id: columns that only some inboxes fill; they are looked up by name.
_BASE = """
    with ordered as (
        select
            d.delivery_id, d.sha256, d.inbox, d.file_name, d.received_at,
            nullif(trim(to_jsonb(d) ->> 'sender'), '') as sender,
            to_jsonb(d) ->> 'message_id' as message_id,
            d.delivery_id = min(d.delivery_id) over (partition by d.sha256) as is_first,
            min(d.received_at) over (partition by d.sha256) as first_received_at
        from raw.delivery as d
    ),

    base as (
        select
            d.*,
            s.submission_id, s.file_name as judged_file_name, s.verdict, s.commune_code, s.period, s.budget_year,
            s.as_of, s.received_at as judged_received_at, s.known_at, s.archived_at, s.version_no, s.is_late_revision,
            coalesce(r.is_contested, false) as is_contested,
            coalesce(r.is_elsewhere, false) as is_elsewhere,
            a.admitted_at,
            a.admitted_by,
            a.submission_id is not null and d.is_first as is_admitted,
            r.replaces_submission_id,
            o.delivery_id as replaced_delivery_id,
            o.file_name as replaced_file,
            o.sha256 as replaced_sha256,
            o.inbox as replaced_inbox,
            o.received_at as replaced_received_at,
            o.sender as replaced_sender,
            s.verdict <> 'accepted' or coalesce(r.is_contested, false)
            or exists (select 1 from core.finding as f where f.submission_id = s.submission_id) as is_told
        from ordered as d
        inner join raw.submission as s on d.sha256 = s.sha256
        left join raw.admission as a on s.submission_id = a.submission_id
        left join core.replacement as r on s.submission_id = r.submission_id and d.is_first
        left join raw.submission as p on r.replaces_submission_id = p.submission_id
        left join ordered as o on p.sha256 = o.sha256 and o.is_first
    )
"""
_OVERVIEW = (
    _BASE
    + """
    select
        b.*,
        exists (
            select 1 from raw.reply as y
            where
                y.delivery_id = b.delivery_id and y.submission_id = b.submission_id and y.channel = %(channel)s
        ) as is_booked,
        exists (
            select 1 from raw.reply as y
            where
                y.delivery_id = b.replaced_delivery_id and y.submission_id = b.submission_id
                and y.channel = %(channel)s
        ) as is_told_before
    from base as b
    order by b.delivery_id
"""
)
# The nth submission of a commune and period, as known when it was judged: in the order in which versions supersede.
_NTH = """(
    select count(*) from raw.submission as n
    where
        n.commune_code = {0}.commune_code and n.period = {0}.period
        and n.budget_year is not distinct from {0}.budget_year and n.known_at <= {0}.known_at
        and (n.archived_at, n.received_at, coalesce(n.version_no, 0), {0}.sha256)
        <= ({0}.archived_at, {0}.received_at, coalesce({0}.version_no, 0), n.sha256)
)"""
_DETAILS = (
    _BASE
    + f"""
    select
        b.*,
        c.name_vi as commune_vi,
        (
            select string_agg(distinct w.reason, '; ' order by w.reason)
            from core.answer_in_force(b.admitted_at) as w
            where w.submission_id = b.submission_id and w.kind = 'overridden'
        ) as admission_reasons,
        nullif({_NTH.format("b")}, 0) as nth,
        nullif({_NTH.format("p")}, 0) as replaced_nth,
        (select count(*) from core.finding as f where f.submission_id = p.submission_id and f.severity = 'warning')
            as replaced_warnings,
        exists (
            select 1 from raw.submission as e
            where
                e.commune_code = b.commune_code and e.period = b.period
                and e.budget_year is not distinct from b.budget_year and e.verdict = 'accepted'
                and e.archived_at < b.archived_at and e.known_at <= b.known_at
        ) as has_earlier
    from base as b
    left join raw.submission as p on b.replaces_submission_id = p.submission_id
    left join lateral ref.unit_known_at(b.known_at) as c
        on b.commune_code = c.commune_code and coalesce(b.as_of, b.known_at::date) >= c.valid_from
        and (c.valid_to is null or coalesce(b.as_of, b.known_at::date) <= c.valid_to)
    where b.delivery_id = any(%(deliveries)s)
    order by b.delivery_id
"""
)


def _rows(connection: Connection, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()


def _details(connection: Connection, deliveries: list[int]) -> list[_Delivery]:
    if not deliveries:
        return []
    rows = _rows(connection, _DETAILS, {"deliveries": deliveries})
    found = findings_of(connection, {row["submission_id"] for row in rows})
    result = [
        _Delivery(
            row,
            found.get(row["submission_id"], ()),
            _differing(connection, row) if row["is_contested"] else (),
        )
        for row in rows
    ]
    connection.commit()
    return result


def _differing(connection: Connection, row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (form, line)
        for form, line in connection.execute(
            "select distinct form, line from core.difference(%s, %s) order by 1, 2",
            (row["replaces_submission_id"], row["submission_id"]),
        ).fetchall()
    )


def findings_of(connection: Connection, submissions: Iterable[int]) -> dict[int, list[Finding]]:
    """Findings of each submission that has any, in their order."""
    result: dict[int, list[Finding]] = {}
    for number, *values in connection.execute(
        """
        select
            submission_id, rule_id, severity, sheet, cell, value, expected, difference, message_vi, fix_vi,
            expectation_id, form, line, item, unit, explanation
        from core.finding where submission_id = any(%s) order by submission_id, finding_no
        """,
        (list(submissions),),
    ).fetchall():
        result.setdefault(number, []).append(Finding(*values))
    return result
