"""What became of the sending of releases, in words, and how a person settles what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from etl.errors import ReleaseError, UsageError
from etl.load.warehouse import Connection
from etl.publish import frozen
from etl.publish.deliver.dispatch import due
from etl.publish.deliver.recipients import GROUPS, Recipient, files_for

STATES = {
    "sent": "đã gửi",
    "failed": "bị từ chối",
    "unknown": "không rõ đã đến chưa",
    "bounced": "bị trả lại",
    "again": "chờ gửi lại",
    "due": "chưa gửi",
    "without_files": "bản này không có tệp cho nơi nhận",
}
_TO_DO = {
    "failed": "sửa địa chỉ trong recipients.csv nếu sai, rồi: tiendo publish --release {release} --retry-failed",
    "unknown": "hỏi nơi nhận, rồi: tiendo deliveries settle --release {release} --recipient {recipient} "
    "--channel {channel} --sent (đã nhận) hoặc --resend (chưa nhận) --by “Họ tên” --reason “Căn cứ”",
    "bounced": "sửa địa chỉ trong recipients.csv, rồi: tiendo deliveries settle --release {release} "
    "--recipient {recipient} --channel {channel} --resend --by “Họ tên” --reason “Căn cứ”",
    "again": "tiendo publish --release {release}",
    "due": "tiendo publish --release {release}",
}
_CHANNELS = {"smtp": "thư điện tử", "outbox": "hộp gửi", "store": "kho tệp"}
UNDER_WAY = timedelta(minutes=15)
"""A claim younger than this may belong to a process that is still sending."""


def overview(connection: Connection, recipients: Sequence[Recipient], release_id: str | None = None) -> dict[str, Any]:
    """Deliveries of a release, or of the latest published one of each period; with ``counts`` by state.

    Of a published release also recipients who were not sent to yet, and those for whom it has no files. Raises
    UsageError when there is no such release.
    """
    chosen = [frozen.get(connection, release_id).release_id] if release_id else _latest(connection)
    rows: list[dict[str, Any]] = []
    for one in chosen:
        rows += _booked(connection, one, recipients)
        if frozen.is_published(connection, one):
            rows += _not_yet(connection, one, recipients)
    counts = {state: sum(row["state"] == state for row in rows) for state in STATES}
    return {"releases": chosen, "counts": counts, "deliveries": rows}


def _latest(connection: Connection) -> list[str]:
    rows = connection.execute(
        """
        select distinct on (r.period, r.budget_year) r.release_id
        from release.release as r inner join release.publication as p on r.release_id = p.release_id
        order by r.period desc, r.budget_year desc, r.release_no desc
        """
    ).fetchall()
    return [name for (name,) in rows]


def _booked(connection: Connection, release_id: str, recipients: Iterable[Recipient]) -> list[dict[str, Any]]:
    order = {one.code: (number, one) for number, one in enumerate(recipients)}
    cursor = connection.cursor(row_factory=dict_row)
    found = cursor.execute(
        "select recipient, channel, state, claimed_at, finished_at, detail, attempt, address, files, settled_by, "
        "settled_at from release.delivery where release_id = %s order by recipient, channel",
        (release_id,),
    ).fetchall()
    found.sort(key=lambda row: order.get(row["recipient"], (len(order), None))[0])
    rows = []
    for row in found:
        known = order.get(row["recipient"], (0, None))[1]
        state = "unknown" if row["state"] == "claimed" else row["state"]
        moment = row["finished_at"] or row["claimed_at"]
        rows.append(
            _row(
                release_id, row["recipient"], known, row["channel"], state,
                address=row["address"], files=row["files"], at=moment.isoformat(), detail=row["detail"],
                attempt=row["attempt"], settled_by=row["settled_by"],
            )
        )  # fmt: skip
    return rows


def _not_yet(connection: Connection, release_id: str, recipients: Sequence[Recipient]) -> list[dict[str, Any]]:
    names = list(frozen.sealed(connection, release_id))
    booked = {
        code
        for (code,) in connection.execute(
            "select recipient from release.delivery where release_id = %s", (release_id,)
        ).fetchall()
    }
    waiting = [one for one in due(connection, release_id, names, recipients) if one.code not in booked]
    without = [one for one in recipients if one.code not in booked and not files_for(one, names)]
    return [
        _row(release_id, one.code, one, one.channel, state, address=one.email or None, files=files_for(one, names))
        for state, group in (("due", waiting), ("without_files", without))
        for one in group
    ]


def _row(release_id: str, code: str, known: Recipient | None, channel: str, state: str, **more: Any) -> dict[str, Any]:
    told = {"release": release_id, "recipient": code, "channel": channel}
    return {
        "release_id": release_id,
        "recipient": code,
        "name": known.name_vi if known else code,
        "group": known.group if known else None,
        "group_vi": GROUPS[known.group] if known else "không còn trong danh sách",
        "channel": channel,
        "channel_vi": _CHANNELS[channel],
        "state": state,
        "state_vi": STATES[state],
        "to_do": _TO_DO[state].format(**told) if state in _TO_DO else None,
        **{key: more.get(key) for key in ("address", "files", "at", "detail", "attempt", "settled_by")},
    }


def settle(
    connection: Connection,
    release_id: str,
    recipient: str,
    outcome: str,
    by: str,
    reason: str,
    now: datetime,
    channel: str | None = None,
) -> dict[str, Any]:
    """A person says what became of a delivery: ``sent`` (it arrived) or ``resend``; the caller commits, audited.

    ``resend`` sends nothing by itself: the next ``tiendo publish`` does, once. The same word again changes nothing.
    Raises UsageError for a wrong call or when ``channel`` is needed to tell which; ReleaseError when the delivery was
    sent, or may be under way at this moment.
    """
    if outcome not in ("sent", "resend"):
        raise UsageError("Kết quả phải là sent (đã nhận) hoặc resend (gửi lại).")
    if not by.strip() or not reason.strip():
        raise UsageError("Phải ghi tên người xử lý (--by) và lý do (--reason).")
    found = connection.execute(
        "select channel, state, claimed_at from release.delivery "
        "where release_id = %s and recipient = %s and (%s::text is null or channel = %s) for update",
        (release_id, recipient, channel, channel),
    ).fetchall()
    if not found:
        raise UsageError(
            f"Bản {release_id} chưa gửi cho nơi nhận mã {recipient}{f' qua {channel}' if channel else ''}; xem: "
            f"tiendo deliveries --release {release_id}"
        )
    if len(found) > 1:
        names = ", ".join(row[0] for row in found)
        raise UsageError(f"Nơi nhận {recipient} có nhiều kênh ({names}); thêm --channel để chỉ rõ.")
    ((which, state, claimed_at),) = found
    target = {"sent": "sent", "resend": "again"}[outcome]
    if state == target:
        return {"release_id": release_id, "recipient": recipient, "channel": which, "state": state, "new": False}
    if state == "sent":
        raise ReleaseError(f"{recipient} đã được gửi bản {release_id} qua {which}; không gửi lần thứ hai.")
    if state == "claimed" and now - claimed_at < UNDER_WAY:
        minutes = int(UNDER_WAY.total_seconds() // 60)
        raise ReleaseError(f"Thư cho {recipient} có thể đang được gửi; chờ {minutes} phút rồi xử lý.")
    if outcome == "sent" and state not in ("claimed", "again"):
        raise ReleaseError(
            f"Máy chủ thư đã báo không gửi được cho {recipient} ({STATES.get(state, state)}); chỉ có thể --resend."
        )
    connection.execute(
        "update release.delivery set state = %s, finished_at = %s, detail = %s, settled_by = %s, settled_at = %s "
        "where release_id = %s and recipient = %s and channel = %s",
        (target, now, reason.strip(), by.strip(), now, release_id, recipient, which),
    )
    frozen.audit(
        connection, now, by.strip(), f"delivery.{outcome}", release_id,
        {"recipient": recipient, "channel": which, "before": state, "reason": reason.strip()},
    )  # fmt: skip
    return {"release_id": release_id, "recipient": recipient, "channel": which, "state": target, "new": True}
