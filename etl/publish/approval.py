"""Approval of a release (law 12): by a named person of the list who did not prepare it, bound to each file by its hash.

Files are put before the approvers in rounds; a round ends with one decision. Approved: these files may be published,
and no other. Rejected, by a person with a reason or because nobody answered in time: the round is closed. A later
draft of the same month takes the place of one that is not published: what was asked or approved of that is void.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from etl import settings
from etl.errors import ReleaseError, UsageError
from etl.load.warehouse import Connection
from etl.publish import frozen, provenance
from etl.publish.frozen import Release
from etl.reference.province import read_csv

DECISIONS = {"approved": "phê duyệt", "rejected": "không phê duyệt"}
NO_ANSWER = "Hết thời hạn mà không có người trả lời; im lặng không phải là đồng ý."


@dataclass(frozen=True)
class Approver:
    """A row of approvers.csv in use. ``airflow_user_id``: where Airflow's accounts have numbers and not names."""

    login: str
    name_vi: str
    title_vi: str
    airflow_user_id: str = ""

    def is_called(self, who: str) -> bool:
        return _plain(who) in {_plain(name) for name in (self.login, self.name_vi, self.airflow_user_id) if name}

    def as_dict(self) -> dict[str, str]:
        return {"login": self.login, "name": self.name_vi, "airflow_user_id": self.airflow_user_id}


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


class NotEntitledError(ReleaseError):
    """Whoever answered may not decide on this release; the question stays open for another."""


@dataclass(frozen=True)
class Standing:
    """The latest round of a release and what became of it; ``decision`` is None while it waits."""

    round: int
    asked_by: str
    asked_at: datetime
    decision: str | None = None
    kind: str | None = None
    decided_by: str | None = None
    login: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        return self.decision is None


def approvers(folder: Path | None = None) -> list[Approver]:
    """Those in use, in the order of ``approvers.csv`` in the province's folder."""
    path = (folder or settings.get().reference_dir) / "approvers.csv"
    if not path.is_file():
        raise UsageError(f"Thiếu danh sách người có thẩm quyền phê duyệt: {path.parent.name}/{path.name}.")
    return [
        Approver(row["login"], row["name_vi"], row["title_vi"], row["airflow_user_id"])
        for row in read_csv(path)
        if row["active"] == "yes"
    ]


def entitled(connection: Connection, release_id: str, listed: Sequence[Approver]) -> list[Approver]:
    """Who may decide: everybody of the list but the person who prepared the release."""
    made = provenance.of(connection, release_id)
    return [one for one in listed if made is None or not one.is_called(made.prepared_by)]


def rounds(connection: Connection, release_id: str) -> list[Standing]:
    """All rounds of a release, the first one first."""
    rows = connection.execute(
        """
        select
            q.round, q.asked_by, q.asked_at, a.decision, a.kind, a.decided_by, a.login, a.decided_at, a.reason
        from release.approval_round as q
        left join release.approval as a
            on q.release_id = a.release_id and q.round = a.round and q.manifest_sha256 = a.manifest_sha256
        where q.release_id = %s
        order by q.round
        """,
        (release_id,),
    ).fetchall()
    return [Standing(*row) for row in rows]


def standing(connection: Connection, release_id: str) -> Standing | None:
    """The latest round; None for a release that was never put before anybody."""
    found = rounds(connection, release_id)
    return found[-1] if found else None


def ask(connection: Connection, release: Release, by: str, now: datetime) -> int:
    """Put the files before the approvers: a new round, unless one is open or has ended with an approval; its number.

    The caller commits. Two callers at a time: the second one finds the first one's round.
    """
    _one_at_a_time(connection, release.release_id)
    last = standing(connection, release.release_id)
    if last is not None and last.decision != "rejected":
        return last.round
    number = last.round + 1 if last else 1
    connection.execute(
        "insert into release.approval_round values (%s, %s, %s, %s, %s)",
        (release.release_id, number, release.manifest_sha256, by, now),
    )
    if last is not None:
        frozen.audit(
            connection, now, by, "release.ask_again", release.release_id,
            {"round": number, "manifest_sha256": release.manifest_sha256},
        )  # fmt: skip
    return number


def objection(
    connection: Connection, release_id: str, decided_by: str, decision: str, reason: str, listed: Sequence[Approver]
) -> str | None:
    """Why an answer does not count, in Vietnamese; None when it does. The question stays open."""
    person = next((one for one in listed if one.is_called(decided_by)), None)
    if person is None:
        return (
            f"{decided_by} không có trong danh sách người có thẩm quyền phê duyệt (approvers.csv): "
            f"{', '.join(one.name_vi for one in listed) or 'chưa có ai'}."
        )
    if person not in entitled(connection, release_id, listed):
        return f"{person.name_vi} đã soạn bản {release_id} nên không được tự phê duyệt; phải do người khác quyết định."
    if decision == "rejected" and not reason.strip():
        return "Không phê duyệt thì phải ghi lý do."
    return None


def decide(
    connection: Connection,
    release_id: str,
    manifest_sha256: str,
    decided_by: str,
    decision: str,
    now: datetime,
    out_dir: Path,
    *,
    reason: str = "",
    kind: str = "person",
    channel: str = "command",
    listed: Sequence[Approver] | None = None,
) -> dict[str, Any]:
    """Record the decision (``approved`` or ``rejected``) on exactly the files that were seen; the caller commits.

    ``decided_by``: login or name of ``approvers.csv`` (``listed``: those of the province unless given). ``kind``
    ``timeout`` is the rejection of a round that nobody answered; it never undoes a decision that a person took. The
    same decision again changes nothing.
    Raises NotEntitledError for a person who may not decide, UsageError without a name or, for a rejection, a reason;
    ReleaseError when the manifest is not the release's, when the files on disk are not those that were frozen, when a
    later draft has taken its place, or when the round was decided otherwise. Returns what is recorded.
    """
    if decision not in DECISIONS:
        raise ReleaseError(f"Quyết định phải là approved hoặc rejected; nhận được: {decision!r}.")
    release = frozen.get(connection, release_id)
    person = None if kind == "timeout" else _entitled(connection, release_id, decided_by, decision, reason, listed)
    _one_at_a_time(connection, release_id)
    if manifest_sha256 != release.manifest_sha256:
        raise ReleaseError(
            f"Mã kiểm tra {manifest_sha256[:12]}… không phải của bản {release_id} ({release.manifest_sha256[:12]}…); "
            "phê duyệt chỉ có giá trị với đúng các tệp đã xem."
        )
    last = standing(connection, release_id)
    if last is None:
        raise ReleaseError(f"Bản {release_id} chưa được trình phê duyệt; chạy lại bước tổng hợp.")
    if not last.is_open:
        return _same_again(release, last, decision, kind)
    replaced_by = frozen.later(connection, release)
    if replaced_by and not frozen.is_published(connection, release_id):
        raise ReleaseError(f"Bản {release_id} đã được thay bằng bản {replaced_by}; hãy xem và quyết định bản đó.")
    if kind == "person":
        frozen.check_files(connection, release_id, out_dir)
    name, login = (person.name_vi, person.login) if person else (provenance.SYSTEM, None)
    why = reason.strip() or (NO_ANSWER if kind == "timeout" else None)
    row = connection.execute(
        "insert into release.approval (release_id, manifest_sha256, decision, decided_by, decided_at, round, kind, "
        "login, channel, reason) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning approval_id",
        (release_id, manifest_sha256, decision, name, now, last.round, kind, login, channel, why),
    ).fetchone()
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into release.approval_file values (%s, %s, %s)",
            [(row and row[0], file, digest) for file, digest in frozen.sealed(connection, release_id).items()],
        )
    detail: dict[str, object] = {"manifest_sha256": manifest_sha256, "round": last.round}
    detail |= {"reason": why} if why else {}
    detail |= {"kind": kind} if kind != "person" else {}
    frozen.audit(connection, now, name, f"release.{decision}", release_id, detail)
    recorded = standing(connection, release_id)
    return _told(release, recorded or last)


def _entitled(
    connection: Connection,
    release_id: str,
    decided_by: str,
    decision: str,
    reason: str,
    listed: Sequence[Approver] | None,
) -> Approver:
    if not decided_by.strip():
        raise UsageError("Phải ghi tên người quyết định.")
    known = approvers() if listed is None else listed
    why_not = objection(connection, release_id, decided_by, decision, reason, known)
    if why_not:
        person = next((one for one in known if one.is_called(decided_by)), None)
        if person in entitled(connection, release_id, known):
            raise UsageError(why_not)
        raise NotEntitledError(why_not)
    return next(one for one in known if one.is_called(decided_by))


def _same_again(release: Release, last: Standing, decision: str, kind: str) -> dict[str, Any]:
    if last.decision == decision or kind == "timeout":
        return _told(release, last)
    whose = f"{DECISIONS[str(last.decision)]} của {last.decided_by}"
    raise ReleaseError(
        f"Bản {release.release_id} đã có quyết định {whose} (vòng {last.round}); muốn đổi ý kiến phải trình lại."
    )


def _told(release: Release, recorded: Standing) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "decision": recorded.decision,
        "manifest_sha256": release.manifest_sha256,
        "round": recorded.round,
        "kind": recorded.kind,
        "decided_by": recorded.decided_by,
        "login": recorded.login,
        "reason": recorded.reason,
    }


def note_refused(connection: Connection, release_id: str, who: str, why: str, now: datetime) -> None:
    """An answer that did not count is in the audit chain all the same; the caller commits."""
    frozen.audit(connection, now, who or "không rõ", "release.refused_answer", release_id, {"why": why})


def require_approved(connection: Connection, release_id: str) -> None:
    """Law 12: raises ReleaseError unless the release's own files, each by its hash, were approved and still are its."""
    release = frozen.get(connection, release_id)
    last = standing(connection, release_id)
    if last is None or last.is_open:
        raise ReleaseError(f"Bản {release_id} chưa được phê duyệt.")
    if last.decision != "approved":
        raise ReleaseError(f"Bản {release_id} đã bị từ chối phê duyệt: {last.reason}")
    sealed = frozen.sealed(connection, release_id)
    if _approved_files(connection, release) != sealed or frozen.manifest_sha256(sealed) != release.manifest_sha256:
        raise ReleaseError(f"Các tệp của bản {release_id} không phải là các tệp đã được phê duyệt.")
    replaced_by = frozen.later(connection, release)
    if replaced_by and not frozen.is_published(connection, release_id):
        raise ReleaseError(
            f"Bản {release_id} được phê duyệt nhưng chưa phát hành thì đã có bản {replaced_by} thay thế; phê duyệt và "
            "phát hành bản đó."
        )


def _approved_files(connection: Connection, release: Release) -> Mapping[str, str]:
    """name -> sha256 of the files of the approval; those of its manifest, where it is older than their table."""
    rows = connection.execute(
        "select f.name, f.sha256 from release.approval as a inner join release.approval_file as f using (approval_id) "
        "where a.release_id = %s and a.manifest_sha256 = %s and a.decision = 'approved'",
        (release.release_id, release.manifest_sha256),
    ).fetchall()
    return dict(rows) if rows else frozen.sealed(connection, release.release_id)


def _one_at_a_time(connection: Connection, release_id: str) -> None:
    connection.execute("select pg_advisory_xact_lock(hashtext(%s))", (f"tiendo.approval.{release_id}",))


def history(connection: Connection, release: Release) -> list[dict[str, Any]]:
    """Decisions on all drafts of the period up to this one, the earliest first: what was said against them."""
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(
        """
        select a.release_id, a.round, a.decision, a.kind, a.decided_by, a.decided_at, a.reason
        from release.approval as a inner join release.release as r on a.release_id = r.release_id
        where r.period = %s and r.budget_year = %s and r.release_no <= %s
        order by r.release_no, a.round
        """,
        (str(release.period), release.budget_year, release.release_no),
    ).fetchall()
