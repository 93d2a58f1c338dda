"""Who may approve, what an approval is bound to, what a rejection and a time-out leave behind (law 12)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl import settings, steps
from etl.errors import ReleaseError, UsageError
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.publish import approval, frozen, pack, provenance, release
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.sql.test_release import LATER, NOW, OCTOBER, QUAN_SON, correct, count

PREPARER, APPROVER, OTHER = "Trần Thị Bình", "thu_ky", "chanh_van_phong"


@pytest.fixture(scope="module")
def reference(warehouse: str) -> str:
    with db.connect(warehouse) as connection:
        builders.reference_data(connection)
        builders.report(connection, QUAN_SON, "2025-10", [line("GNBV-DA2", "SN", 1000 * TRIEU, 250 * TRIEU)])
    return warehouse


@pytest.fixture
def connection(reference: str) -> Iterator[Connection]:
    with builders.copy_of(reference) as connection:
        yield connection


@pytest.fixture(autouse=True)
def wording(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Small stand-ins for the documents; what they say can be changed."""
    said = ["một"]

    def render(figures: Any, documents: object = None, evidence: object = None) -> dict[str, bytes]:
        text = f"{said[0]} {figures.get('rate_total').value} {figures.release_id}".encode()
        return {"tom-tat-2025-10.pdf": text, f"thu/{QUAN_SON}.pdf": b"thu " + text}

    monkeypatch.setattr(pack, "render", render)
    return said


def freeze(connection: Connection, out: Path, by: str = PREPARER, **more: Any) -> dict[str, Any]:
    return release.freeze(connection, OCTOBER, more.pop("now", NOW), out, by=by, **more)


def decide(
    connection: Connection, out: Path, made: dict[str, Any], by: str = APPROVER, decision: str = "approved", **more: Any
) -> dict[str, Any]:
    told = release.approve(
        connection, made["release_id"], made["manifest_sha256"], by, decision, LATER, out, **more
    )  # fmt: skip
    connection.commit()
    return told


def reject(connection: Connection, out: Path, made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return decide(connection, out, made, decision="rejected", **{"reason": "Còn thiếu hai xã", **more})


def test_a_release_tells_who_prepared_it_with_which_program_and_rules(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path, run="manual__1")
    kept = provenance.of(connection, made["release_id"])

    assert kept is not None
    assert (kept.prepared_by, kept.run) == (PREPARER, "manual__1")
    assert kept.words
    assert kept.code_version == provenance.code_version()
    assert len(kept.rule_versions) > 100
    assert kept.rules_sha256 == provenance.rules_sha256()


def test_an_approval_names_the_person_and_each_file_by_its_hash(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)
    told = decide(connection, tmp_path, made, "Thư  ký ban chỉ đạo")
    files = dict(connection.execute("select name, sha256 from release.approval_file").fetchall())

    assert (told["decided_by"], told["login"], told["round"]) == ("Thư ký Ban Chỉ đạo", "thu_ky", 1)
    assert files == {a["name"]: a["sha256"] for a in made["artifacts"]}
    assert f"thu/{QUAN_SON}.pdf" in files


@pytest.mark.parametrize("who", ["Nguyễn Văn Lạ", "admin"])
def test_somebody_who_is_not_in_the_list_may_not_decide_and_the_question_stays_open(
    connection: Connection, tmp_path: Path, who: str
) -> None:
    made = freeze(connection, tmp_path)

    with pytest.raises(approval.NotEntitledError, match=r"approvers\.csv"):
        decide(connection, tmp_path, made, who)
    assert count(connection, "release.approval") == 0
    assert decide(connection, tmp_path, made)["decision"] == "approved"


@pytest.mark.parametrize("preparer", ["thu_ky", "Thư ký Ban Chỉ đạo", " THƯ KÝ BAN CHỈ ĐẠO "])
def test_who_prepared_a_release_does_not_approve_it(connection: Connection, tmp_path: Path, preparer: str) -> None:
    made = freeze(connection, tmp_path, by=preparer)

    with pytest.raises(approval.NotEntitledError, match="đã soạn"):
        decide(connection, tmp_path, made)
    assert [one["login"] for one in made["approvers"]] == ["chanh_van_phong", "pho_truong_ban"]
    assert decide(connection, tmp_path, made, OTHER)["login"] == OTHER


def test_freezing_again_under_another_name_does_not_change_who_prepared_it(
    connection: Connection, tmp_path: Path
) -> None:
    freeze(connection, tmp_path, by="thu_ky")
    again = freeze(connection, tmp_path, by=PREPARER)

    assert again["prepared_by"] == "thu_ky"
    with pytest.raises(approval.NotEntitledError):
        decide(connection, tmp_path, again)


def test_what_the_schedule_froze_any_approver_may_decide(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path, by="")

    assert made["prepared_by"] == "hệ thống"
    assert len(made["approvers"]) == 3
    assert decide(connection, tmp_path, made)["decision"] == "approved"


def test_a_rejection_needs_a_reason(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)

    with pytest.raises(UsageError, match="lý do"):
        reject(connection, tmp_path, made, reason="  ")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into release.approval (release_id, manifest_sha256, decision, decided_by, decided_at, round, kind) "
            "values ('2025-10-r1', %s, 'rejected', 'x', now(), 1, 'person')",
            (made["manifest_sha256"],),
        )


def test_a_rejected_release_stays_rejected_as_long_as_nothing_has_changed(
    connection: Connection, tmp_path: Path
) -> None:
    made = freeze(connection, tmp_path)
    reject(connection, tmp_path, made)
    again = freeze(connection, tmp_path, now=LATER)

    assert (again["release_id"], again["decision"], again["decision_reason"]) == (
        "2025-10-r1",
        "rejected",
        "Còn thiếu hai xã",
    )
    with pytest.raises(ReleaseError, match="từ chối phê duyệt: Còn thiếu hai xã"):
        release.require_approved(connection, "2025-10-r1")
    with pytest.raises(ReleaseError, match="đã có quyết định"):
        decide(connection, tmp_path, made)


def test_after_a_rejection_changed_figures_are_the_next_draft_which_tells_why_the_last_was_rejected(
    connection: Connection, tmp_path: Path
) -> None:
    reject(connection, tmp_path, freeze(connection, tmp_path))
    correct(connection)
    second = freeze(connection, tmp_path, now=LATER)

    assert (second["release_id"], second["decision"], second["round"]) == ("2025-10-r2", None, 1)
    assert "2025-10-r1, vòng 1" in second["approval_markdown"]
    assert "Còn thiếu hai xã" in second["approval_markdown"]


def test_after_a_rejection_a_changed_program_makes_the_next_draft(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = freeze(connection, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "code_version", lambda: "0.2.0+new")
        assert freeze(connection, tmp_path)["release_id"] == "2025-10-r1"
        reject(connection, tmp_path, made)
        assert freeze(connection, tmp_path, now=LATER)["release_id"] == "2025-10-r2"


def test_other_wording_makes_the_next_draft_until_one_is_approved(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = provenance.present
    freeze(connection, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "present", lambda by, run=None, words=None: real(by, run, {**words, "khac.yml": {}}))
        second = freeze(connection, tmp_path, now=LATER)
        decide(connection, tmp_path, second)
    assert second["release_id"] == "2025-10-r2"
    assert freeze(connection, tmp_path, now=LATER)["release_id"] == "2025-10-r2"


def test_the_same_files_are_asked_about_again_when_an_officer_says_so(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)
    reject(connection, tmp_path, made)
    again = freeze(connection, tmp_path, by="Lê Văn Cường", now=LATER, again=True)

    assert (again["release_id"], again["round"], again["decision"]) == ("2025-10-r1", 2, None)
    assert again["manifest_sha256"] == made["manifest_sha256"]
    assert freeze(connection, tmp_path, now=LATER, again=True)["round"] == 2
    assert decide(connection, tmp_path, again, OTHER)["round"] == 2
    assert [(s.round, s.decision) for s in approval.rounds(connection, "2025-10-r1")] == [
        (1, "rejected"),
        (2, "approved"),
    ]
    release.require_approved(connection, "2025-10-r1")


def test_a_time_out_is_recorded_as_one_and_asked_about_again_without_being_told(
    connection: Connection, tmp_path: Path
) -> None:
    made = freeze(connection, tmp_path)
    told = decide(connection, tmp_path, made, "", "rejected", kind="timeout", channel="airflow")

    assert (told["decision"], told["kind"], told["decided_by"]) == ("rejected", "timeout", "hệ thống")
    assert "im lặng không phải là đồng ý" in told["reason"]
    with pytest.raises(ReleaseError):
        release.require_approved(connection, made["release_id"])
    assert freeze(connection, tmp_path, now=LATER)["round"] == 2


def test_a_time_out_undoes_no_decision_of_a_person(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)
    decide(connection, tmp_path, made)

    assert decide(connection, tmp_path, made, "", "rejected", kind="timeout")["decision"] == "approved"
    assert count(connection, "release.approval") == 1


def test_a_time_out_never_approves(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)

    with pytest.raises(psycopg.errors.CheckViolation):
        decide(connection, tmp_path, made, "", "approved", kind="timeout")


def test_a_later_draft_voids_the_question_and_the_approval_of_an_unpublished_one(
    connection: Connection, tmp_path: Path
) -> None:
    first = freeze(connection, tmp_path)
    decide(connection, tmp_path, first)
    correct(connection)
    second = freeze(connection, tmp_path, now=LATER)

    with pytest.raises(ReleaseError, match="2025-10-r2 thay thế"):
        release.mark_published(connection, first["release_id"], LATER)
    with pytest.raises(ReleaseError, match="chưa được phê duyệt"):
        release.mark_published(connection, second["release_id"], LATER)
    correct(connection, 500, version=3)
    freeze(connection, tmp_path, now=LATER + timedelta(days=2))
    with pytest.raises(ReleaseError, match="thay bằng bản 2025-10-r3"):
        decide(connection, tmp_path, second)


def test_the_approval_of_one_set_of_files_releases_no_other(connection: Connection, tmp_path: Path) -> None:
    """Every set of files against every approval: only its own lets it out."""
    made = [freeze(connection, tmp_path)]
    for version in (2, 3):
        correct(connection, 100 * version, version)
        made.append(freeze(connection, tmp_path, now=LATER + timedelta(minutes=version)))
    for one in made:
        for other in made:
            if one is not other:
                with pytest.raises(ReleaseError, match="đúng các tệp đã xem"):
                    decide(connection, tmp_path, {**one, "manifest_sha256": other["manifest_sha256"]})
    decide(connection, tmp_path, made[-1])
    for one in made[:-1]:
        with pytest.raises(ReleaseError):
            release.require_approved(connection, one["release_id"])
    release.require_approved(connection, made[-1]["release_id"])


def test_an_approval_whose_files_are_not_those_of_the_release_releases_nothing(
    connection: Connection, tmp_path: Path
) -> None:
    made = freeze(connection, tmp_path)
    decide(connection, tmp_path, made)
    connection.execute("alter table release.approval_file disable trigger append_only")
    connection.execute("update release.approval_file set sha256 = repeat('0', 64) where name like 'thu/%'")

    with pytest.raises(ReleaseError, match="không phải là các tệp đã được phê duyệt"):
        release.mark_published(connection, made["release_id"], LATER)


def test_a_letter_that_was_touched_stops_the_approval(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)
    (tmp_path / "2025-10" / "2025-10-r1" / "thu" / f"{QUAN_SON}.pdf").write_bytes(b"x")

    with pytest.raises(ReleaseError, match=rf"thu/{QUAN_SON}\.pdf"):
        decide(connection, tmp_path, made)


def test_letters_lie_in_a_folder_of_the_release_and_come_back_when_they_are_lost(
    connection: Connection, tmp_path: Path
) -> None:
    made = freeze(connection, tmp_path)
    letter = tmp_path / "2025-10" / "2025-10-r1" / "thu" / f"{QUAN_SON}.pdf"
    letter.unlink()
    again = freeze(connection, tmp_path, now=LATER)

    assert again["manifest_sha256"] == made["manifest_sha256"]
    frozen_as = {a["name"]: a["sha256"] for a in again["artifacts"]}
    assert hashlib.sha256(letter.read_bytes()).hexdigest() == frozen_as[f"thu/{QUAN_SON}.pdf"]


@pytest.mark.parametrize("name", ["../ra-ngoai.pdf", "/etc/x", "a/b/c.pdf", "thu/.an.pdf", "", "thu/"])
def test_a_name_that_leads_elsewhere_is_refused(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(pack, "render", lambda *_, **__: {"tom-tat.pdf": b"x", name: b"y"})

    with pytest.raises(ReleaseError, match="không hợp lệ"):
        freeze(connection, tmp_path)
    assert count(connection, "release.release") == 0


def test_two_people_who_answer_at_once_make_one_decision(connection: Connection, tmp_path: Path) -> None:
    made = freeze(connection, tmp_path)
    address = connection.info.dsn
    outcomes: list[str] = []

    def answer(by: str, decision: str) -> None:
        with psycopg.connect(address, options="-c timezone=UTC") as own:
            try:
                outcomes.append(decide(own, tmp_path, made, by, decision, reason="x")["decision"])
            except ReleaseError:
                outcomes.append("refused")

    threads = [threading.Thread(target=answer, args=pair) for pair in ((APPROVER, "approved"), (OTHER, "rejected"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "refused" in outcomes
    assert len(outcomes) == 2
    assert count(connection, "release.approval") == 1


def test_an_answer_that_does_not_count_is_in_the_audit_chain(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = freeze(connection, tmp_path)
    monkeypatch.setenv("TIENDO_WAREHOUSE_URL", connection.info.dsn)
    settings.reload()
    with pytest.raises(approval.NotEntitledError):
        steps.approve(made["release_id"], made["manifest_sha256"], "admin", "approved", LATER)
    why = steps.objection(made["release_id"], "thu_ky", "rejected", "", LATER)
    found = connection.execute(
        "select actor, detail ->> 'why' from audit.event where action = 'release.refused_answer' order by seq"
    ).fetchall()
    settings.reload()

    assert why == "Không phê duyệt thì phải ghi lý do."
    assert [actor for actor, _ in found] == ["admin", "thu_ky"]
    assert steps.objection.__doc__


def test_a_release_of_an_earlier_version_can_still_be_approved_and_published(
    connection: Connection, tmp_path: Path
) -> None:
    """Neither provenance nor files of the approval are known of it."""
    made = freeze(connection, tmp_path)
    decide(connection, tmp_path, made)
    for table in ("provenance", "approval_file"):
        connection.execute(f"alter table release.{table} disable trigger append_only")
        connection.execute(f"delete from release.{table}".encode())

    release.mark_published(connection, made["release_id"], LATER)
    assert frozen.is_published(connection, made["release_id"])
    assert freeze(connection, tmp_path, now=LATER)["prepared_by"] is None
