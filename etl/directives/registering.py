"""A person's answer to a proposed notice, and its way into the register.

Nothing enters unconfirmed: an answer speaks of every proposed task, and is taken as a whole or not at all. A task that
repeats or changes an earlier one makes no second entry: it is kept as a link, and a new deadline as an extension by
the new document; one that replaces it enters, and the earlier one is withdrawn by the document.

Idempotent: a file is registered once. Whoever answers again is told so, and nothing changes; later changes are events.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from etl import clock
from etl.directives import proposal
from etl.errors import DataError, UsageError
from etl.load.warehouse import Connection
from etl.reference.province import Province
from etl.register import events, proposals

CONFIRMED, EDITED, DROPPED, LINKED = "confirmed", "edited", "dropped", "linked"
REPEATS, CHANGES, REPLACES = "repeats", "changes", "replaces"
RECURRENCES = ("daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly")
_PROVINCE_OFFICES = ("VPUBND", "UBNDT")
_EDITABLE = (
    "lead_vi", "coordinating_vi", "content_vi", "deadline_phrase_vi", "due_date", "due_kind", "recurrence", "due_day",
    "due_shift", "is_standing",
)  # fmt: skip


@dataclass(frozen=True)
class Head:
    """What the registrar says of the notice; None where nothing was said (then the text's own word counts)."""

    doc_no: str | None = None
    doc_date: date | None = None
    issuer_vi: str | None = None
    title_vi: str | None = None
    commune_code: str | None = None


@dataclass(frozen=True)
class Asked:
    """Which proposal an answer is to, and of which file it was: numbers of another warehouse mean something else."""

    notice_id: int
    sha256: str


@dataclass(frozen=True)
class Answer:
    """What becomes of one proposed task. ``values``: columns of ``core.task`` that the person changed; ``issues``:
    proposals of communes that it is about; ``place``: where the answer stands, for messages; ``shown``: what the
    person saw beside it and could not change, which must be that of the proposal."""

    row_no: int
    is_taken: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    relation: str | None = None
    earlier_task_id: str | None = None
    issues: Sequence[str] = ()
    place: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)


def register(
    connection: Connection,
    notice_id: int,
    head: Head,
    answers: Sequence[Answer],
    by: str,
    channel: str,
    now: datetime,
    province: Province,
    evidence_sha256: str | None = None,
    of_sha256: str | None = None,
) -> dict[str, Any]:
    """Put the confirmed tasks into the register. The caller commits.

    ``of_sha256``: the file that the answer says it is about. Returns ``notice_id``, ``new``, ``directive_id``,
    ``tasks`` (ids that entered), ``linked`` (earlier tasks) and ``dropped``. Raises DataError with every fault of the
    answer; then nothing entered.
    """
    if not by.strip():
        raise UsageError("Phải ghi người xác nhận: ô “Người xác nhận” ở phía trên bảng, hoặc --by.")
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.register'))")
    notice, rows = proposal.load(connection, notice_id)
    if of_sha256 not in (None, notice["sha256"]):
        raise UsageError(
            f"Biểu này không phải của văn bản đề xuất số {notice_id} ({notice['file_name']}): có thể do hệ thống khác "
            "lập. Đọc lại văn bản (tiendo register propose) rồi điền vào biểu mới."
        )
    before = proposal.directive_of(connection, notice["sha256"])
    if before is not None:
        return _told_before(connection, notice_id, before)
    said = _head(notice, head)
    problems = _faults_of_head(said)
    chosen = _chosen(connection, rows, answers, said, problems, clock.local_date(now), province)
    if problems and notice["doc_date"] is None and said.doc_date is not None:
        problems.append(
            "Lúc đọc văn bản chưa có ngày ban hành nên chưa tính được thời hạn theo ngày đó: nên đọc lại với "
            "ngày ban hành (--issued), rồi xác nhận."
        )
    if problems:
        raise DataError("Chưa vào sổ. Sửa các lỗi sau rồi gửi lại:\n" + "\n".join(problems))
    directive_id = _directive(connection, notice, said, by, now)
    decision = connection.execute(
        "insert into core.notice_decision (notice_id, decision, directive_id, channel, evidence_sha256, decided_by, "
        "decided_at) values (%s, 'registered', %s, %s, %s, %s, %s) returning notice_decision_id",
        (notice_id, directive_id, channel, evidence_sha256, by.strip(), now),
    ).fetchone()
    entered, linked = [], []
    for row, answer, changed in chosen:
        task_id = None
        if answer.is_taken and answer.relation in (None, REPLACES):
            task_id = _task(connection, directive_id, row, chosen, province, said, now)
            entered.append(task_id)
            proposals.link(connection, task_id, answer.issues, by, now)
        if answer.is_taken and answer.relation:
            linked.append(answer.earlier_task_id)
            _follow(connection, answer, row, said, by, now)
        connection.execute(
            "insert into core.notice_task_decision values (%s, %s, %s, %s, %s, %s)",
            (
                decision[0] if decision else None, row["row_no"], _decision(answer, changed), task_id,
                answer.relation if answer.is_taken else None, answer.earlier_task_id if answer.is_taken else None,
            ),
        )  # fmt: skip
    detail = {"notice": notice_id, "tasks": entered, "linked": linked}
    connection.execute(
        "select audit.append(%s, %s, 'notice.registered', %s, %s)", (now, by.strip(), directive_id, Jsonb(detail))
    )
    return {
        "notice_id": notice_id,
        "new": True,
        "directive_id": directive_id,
        "tasks": entered,
        "linked": linked,
        "dropped": sum(not answer.is_taken for _, answer, _ in chosen),
    }


def reject(connection: Connection, notice_id: int, reason: str, by: str, channel: str, now: datetime) -> dict[str, Any]:
    """Record that a notice is not registered; it may still be later. The same answer again changes nothing."""
    if not by.strip():
        raise UsageError("Phải ghi người quyết định (--by).")
    connection.execute("select pg_advisory_xact_lock(hashtext('tiendo.register'))")
    notice, _ = proposal.load(connection, notice_id)
    if (directive := proposal.directive_of(connection, notice["sha256"])) is not None:
        raise UsageError(f"Văn bản đã vào sổ ({directive}); thay đổi bằng sự kiện của từng nhiệm vụ.")
    last = connection.execute(
        "select decision, coalesce(reason_vi, ''), decided_by from core.notice_decision where notice_id = %s "
        "order by notice_decision_id desc limit 1",
        (notice_id,),
    ).fetchone()
    new = last != ("rejected", reason.strip(), by.strip())
    if new:
        connection.execute(
            "insert into core.notice_decision (notice_id, decision, channel, reason_vi, decided_by, decided_at) "
            "values (%s, 'rejected', %s, %s, %s, %s)",
            (notice_id, channel, reason.strip() or None, by.strip(), now),
        )
        connection.execute(
            "select audit.append(%s, %s, 'notice.rejected', %s, %s)",
            (now, by.strip(), str(notice_id), Jsonb({"reason": reason.strip()})),
        )
    return {"notice_id": notice_id, "new": new, "directive_id": None, "tasks": [], "linked": [], "dropped": 0}


def _told_before(connection: Connection, notice_id: int, directive_id: str) -> dict[str, Any]:
    tasks = connection.execute(
        "select task_id from core.task where directive_id = %s order by task_id", (directive_id,)
    ).fetchall()
    return {
        "notice_id": notice_id,
        "new": False,
        "directive_id": directive_id,
        "tasks": [task_id for (task_id,) in tasks],
        "linked": [],
        "dropped": 0,
    }


def _head(notice: Mapping[str, Any], head: Head) -> Head:
    """The registrar's word before the text's."""
    own = Head(*(notice[name] for name in ("doc_no", "doc_date", "issuer_vi", "title_vi", "commune_code")))
    return replace(own, **{k: v for k, v in vars(head).items() if v is not None})


def _faults_of_head(head: Head) -> list[str]:
    names = {"doc_no": "số, ký hiệu", "doc_date": "ngày ban hành", "issuer_vi": "cơ quan ban hành"}
    missing = [name for field_name, name in names.items() if not getattr(head, field_name)]
    faults = [f"Văn bản chưa có {name}: ghi vào ô ở phía trên bảng (trong Airflow: ô cùng tên)." for name in missing]
    if head.doc_no and not re.fullmatch(r"\d+[\w.-]*(?:/[\w&.Đđ-]+)+|\d+-[\w/&Đđ-]+", head.doc_no):
        faults.append(f"Số, ký hiệu “{head.doc_no}” không đúng dạng 123/TB-VP.")
    return faults


def _chosen(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[Answer],
    head: Head,
    problems: list[str],
    today: date,
    province: Province,
) -> list[tuple[dict[str, Any], Answer, bool]]:
    """Each proposed task with its answer, as it is to be registered, and whether the person changed it."""
    by_row: dict[int, Answer] = {}
    for answer in answers:
        if answer.row_no in by_row:
            problems.append(f"{answer.place}nhiệm vụ số {answer.row_no} có hai câu trả lời.")
        by_row[answer.row_no] = answer
    for number in sorted(by_row.keys() - {row["row_no"] for row in rows}):
        problems.append(f"{by_row[number].place}không có nhiệm vụ đề xuất số {number}.")
    chosen = []
    for row in rows:
        given = by_row.get(row["row_no"])
        if given is None:
            problems.append(
                f"Nhiệm vụ số {row['row_no']} (mục {row['item']}) chưa được xác nhận hoặc bỏ: dòng đã bị xóa thì điền "
                "vào biểu gốc; muốn bỏ nhiệm vụ thì chọn Bỏ."
            )
            continue
        if any(_plain(row[name]) != _plain(value) for name, value in given.shown.items()):
            problems.append(
                f"{given.place}mục, nguyên văn không còn khớp với nhiệm vụ số {row['row_no']} (các cột đã bị sắp xếp "
                "lệch nhau hoặc bị sửa): điền lại vào biểu gốc."
            )
            continue
        values = {k: v for k, v in given.values.items() if k in _EDITABLE}
        final = {**row, **values}
        changed = any(final[name] != row[name] for name in values)
        if given.is_taken:
            where = given.place or f"Mục {row['item']}: "
            problems += [where + fault for fault in _faults_of_task(connection, final, given, head, today, province)]
        chosen.append((final, given, changed))
    if rows and not any(answer.is_taken for _, answer, _ in chosen) and not problems:
        problems.append("Mọi nhiệm vụ đều bị bỏ: nếu không vào sổ văn bản này, hãy dùng tiendo register reject.")
    return chosen


def _plain(value: Any) -> str:
    return unicodedata.normalize("NFC", " ".join(str(value or "").split()))


def _faults_of_task(
    connection: Connection, task: Mapping[str, Any], answer: Answer, head: Head, today: date, province: Province
) -> list[str]:
    faults = []
    if not str(task["lead_vi"] or "").strip():
        faults.append("thiếu cơ quan chủ trì.")
    if not str(task["content_vi"] or "").strip():
        faults.append("thiếu nội dung.")
    if task["due_kind"] in ("date", "horizon") and task["due_date"] is None:
        faults.append("thời hạn là ngày cụ thể hoặc mốc cuối giai đoạn thì phải có ngày đến hạn.")
    if task["due_kind"] in ("recurring", "event", "none") and task["due_date"] is not None:
        faults.append("có ngày đến hạn thì loại thời hạn phải là ngày cụ thể hoặc mốc cuối giai đoạn.")
    if task["due_kind"] == "recurring" and task["recurrence"] not in RECURRENCES:
        faults.append("nhiệm vụ định kỳ phải có chu kỳ (ngày, tuần, tháng, quý, 6 tháng, năm).")
    if task["due_kind"] != "recurring" and task["recurrence"]:
        faults.append("có chu kỳ thì loại thời hạn phải là Định kỳ; không định kỳ thì xóa chu kỳ.")
    if task["due_date"] and head.doc_date and task["due_date"] < head.doc_date:
        faults.append(f"ngày đến hạn {clock.show_date(task['due_date'])} trước ngày ban hành.")
    if task["due_day"] is not None and not 1 <= task["due_day"] <= (7 if task["recurrence"] == "weekly" else 31):
        faults.append(
            f"ngày trong kỳ {task['due_day']} không có: ghi từ 1 đến 31 (hằng tuần: 1 là thứ Hai … 7 là Chủ nhật)."
        )
    if not -11 <= task["due_shift"] <= 12:
        faults.append(f"số tháng sau kỳ {task['due_shift']} quá xa: ghi từ -11 đến 12.")
    if answer.relation and not answer.earlier_task_id:
        faults.append("có quan hệ với nhiệm vụ trước thì phải ghi mã nhiệm vụ trước.")
    if answer.earlier_task_id and not answer.relation:
        faults.append("có mã nhiệm vụ trước thì phải chọn quan hệ (nhắc lại, đổi thời hạn, thay thế).")
    if answer.earlier_task_id:
        faults += _faults_of_link(connection, answer, head, today, province)
    if answer.relation == CHANGES and task["due_date"] is None:
        faults.append("đổi thời hạn thì phải có ngày đến hạn mới.")
    return faults + proposals.faults(connection, answer.issues)


def _faults_of_link(connection: Connection, answer: Answer, head: Head, today: date, province: Province) -> list[str]:
    """A later document of the level that assigned the task gives another deadline to, or ends, what is still to be
    done; others only repeat it."""
    earlier = answer.earlier_task_id
    found = connection.execute(
        "select t.due_kind, t.done_date, t.state, d.issuer_vi from mart.task_state(%s, 'infinity') as t "
        "inner join core.directive as d on t.directive_id = d.directive_id where t.task_id = %s",
        (today, earlier),
    ).fetchone()
    if found is None:
        return [f"không có nhiệm vụ {earlier} trong sổ (xem tiendo tasks)."]
    due_kind, done_on, state, assigned_by = found
    if answer.relation == REPEATS:
        return []
    if done_on is not None or state == "Thôi thực hiện":
        return [f"nhiệm vụ trước {earlier} {state.lower()}: mở lại trước, hoặc chọn Không liên quan."]
    if head.issuer_vi and not events.is_assigning_level(head.issuer_vi, assigned_by, province):
        return [
            f"{head.issuer_vi} không phải là cấp giao nhiệm vụ trước {earlier} ({assigned_by}): chọn Nhắc lại hoặc "
            "Không liên quan."
        ]
    if answer.relation == CHANGES and due_kind == "recurring":
        return [f"nhiệm vụ trước {earlier} là định kỳ: chọn Nhắc lại hoặc Thay thế."]
    return []


def _decision(answer: Answer, changed: bool) -> str:
    if not answer.is_taken:
        return DROPPED
    if answer.relation in (REPEATS, CHANGES):
        return LINKED
    return EDITED if changed else CONFIRMED


def directive_name(doc_no: str, doc_date: date) -> str:
    """``123/TB-VP`` of 2025 -> ``123-TB-VP-2025``: letters without marks, as codes are typed."""
    plain = doc_no.replace("Đ", "D").replace("đ", "d")
    plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', plain).strip('-').upper()}-{doc_date.year}"


def _certain(head: Head) -> tuple[str, date, str]:
    """Number, date and issuer; a missing one was told as a fault before."""
    if head.doc_no is None or head.doc_date is None or head.issuer_vi is None:
        raise DataError("Văn bản chưa có đủ số, ngày ban hành, cơ quan ban hành.")
    return head.doc_no, head.doc_date, head.issuer_vi


def _directive(connection: Connection, notice: Mapping[str, Any], head: Head, by: str, now: datetime) -> str:
    """The document's row; its id has the issuer's place in the order when two issuers use one number in a year."""
    doc_no, doc_date, issuer = _certain(head)
    name = directive_name(doc_no, doc_date)
    number = 1
    while True:
        directive_id = name if number == 1 else f"{name}-{number}"
        taken = connection.execute(
            "select issuer_vi, doc_date from core.directive where directive_id = %s", (directive_id,)
        ).fetchone()
        if taken is None:
            break
        if events.body(taken[0]) == events.body(issuer) and taken[1] == doc_date:
            raise UsageError(
                f"Văn bản {doc_no} ngày {clock.show_date(doc_date)} của {issuer} đã vào sổ "
                f"({directive_id}) từ một tệp khác."
            )
        number += 1
    connection.execute(
        "insert into core.directive (directive_id, doc_no, doc_date, issuer_vi, title_vi, event_date, place_vi, "
        "signed_by_vi, note_vi, commune_code, sha256) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            directive_id, doc_no, doc_date, issuer, head.title_vi or notice["file_name"],
            notice["event_date"], notice["place_vi"], notice["signed_by_vi"],
            f"{by.strip()} vào sổ {clock.show(now)}", head.commune_code, notice["sha256"],
        ),
    )  # fmt: skip
    return directive_id


def _task(
    connection: Connection,
    directive_id: str,
    row: Mapping[str, Any],
    chosen: Sequence[tuple[Mapping[str, Any], Answer, bool]],
    province: Province,
    head: Head,
    now: datetime,
) -> str:
    task_id = f"{directive_id}-{row['item']}"
    joint = sum(other["span_start"] == row["span_start"] and a.is_taken for other, a, _ in chosen) > 1
    owner = connection.execute("select ref.owner_code(%s, %s)", (row["lead_vi"], head.doc_date)).fetchone()
    code = owner[0] if owner else None
    kind = "province office" if code in _PROVINCE_OFFICES else "department"
    kind = "commune" if code in province.communes else kind
    connection.execute(
        """
        insert into core.task (
            task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, content_vi, deadline_phrase_vi,
            due_date, due_kind, recurrence, kind, deliverable, related_document, joint_group, note, registered_at,
            clause, span_start, span_end, due_day, due_shift
        ) values (
            %(task_id)s, %(directive_id)s, %(item)s, %(lead_vi)s, %(lead_text_vi)s, %(coordinating_vi)s,
            %(content_vi)s, %(deadline_phrase_vi)s, %(due_date)s, %(due_kind)s, %(recurrence)s, %(kind)s,
            %(deliverable)s, %(related_document)s, %(joint_group)s, null, %(now)s, %(clause)s, %(span_start)s,
            %(span_end)s, %(due_day)s, %(due_shift)s
        )
        """,
        {
            **row,
            "task_id": task_id,
            "directive_id": directive_id,
            "kind": kind,
            "deliverable": "standing" if row["is_standing"] else None,
            "related_document": "; ".join(row["documents_vi"]) or None,
            "joint_group": f"{directive_id}-{row['clause'] or row['item']}" if joint else None,
            "now": now,
        },
    )
    return task_id


def _follow(connection: Connection, answer: Answer, row: Mapping[str, Any], head: Head, by: str, now: datetime) -> None:
    """What a later document does to the earlier task: another deadline, or its end."""
    if answer.relation == REPEATS:
        return
    connection.execute(
        "insert into core.task_event (task_id, kind, event_date, new_due_date, document, issued_by_vi, detail_vi, "
        "recorded_by, recorded_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (
            answer.earlier_task_id, "extended" if answer.relation == CHANGES else "withdrawn", head.doc_date,
            row["due_date"] if answer.relation == CHANGES else None, head.doc_no, head.issuer_vi,
            f"mục {row['item']}", by.strip(), now,
        ),
    )  # fmt: skip
