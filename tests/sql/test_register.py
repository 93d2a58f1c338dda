"""From a notice to the register: proposed, confirmed by a person, registered once; events; workbooks of departments."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from etl import settings, task_steps
from etl.cli import app
from etl.directives import links, proposal
from etl.directives.recurrence import DueDay, due_day
from etl.errors import DataError, UsageError
from etl.load import warehouse
from etl.register import events
from etl.register.events import Event
from tests.sql import builders

SEED = Path(__file__).parents[1] / "directives" / "notices" / "seed.txt"
AT = datetime(2025, 10, 16, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
ISSUED = date(2025, 10, 15)
BY = "Nguyễn Văn Thư"
CALC = shutil.which("soffice") or shutil.which("libreoffice")
OFFICE = "Văn phòng UBND tỉnh Lạng Sơn"
NOTICE = """VĂN PHÒNG UBND TỈNH LẠNG SƠN      CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Số: {number}/TB-VP                    Lạng Sơn, ngày {day} tháng {month} năm {year}

THÔNG BÁO
Kết luận của đồng chí Phó Chủ tịch UBND tỉnh tại cuộc kiểm tra trên địa bàn xã Quan Sơn

Ngày 02/12/2025, đồng chí Phó Chủ tịch UBND tỉnh chủ trì cuộc họp. Sau khi nghe báo cáo, kết luận như sau:
{tasks}
Nơi nhận:
- Như trên;
- Lưu: VT.
"""


def notice(folder: Path, *tasks: str, number: int = 101, day: date = date(2025, 12, 3), name: str = "tb.txt") -> Path:
    lines = "\n".join(f"{n}. {text}" for n, text in enumerate(tasks, 1))
    path = folder / name
    text = NOTICE.format(number=number, day=day.day, month=day.month, year=day.year, tasks=lines)
    path.write_text(text, encoding="utf-8")
    return path


def fill(
    path: Path,
    decisions: dict[str, str] | str = "Vào sổ",
    rows: dict[tuple[str, str], Any] | None = None,
    **answers: str,
) -> Path:
    """The workbook as a person leaves it: a decision for all rows or by item, other cells by item and key, and the
    answers on top."""
    book = load_workbook(path)
    sheet = book.worksheets[0]
    layout = json.loads(book["_meta"]["A1"].value)["layout"]
    column = {key: number for number, key in enumerate(layout["keys"], 1)}
    for key, value in answers.items():
        sheet[layout["answers"][key]] = value
    for row in range(layout["header_row"] + 1, layout["header_row"] + layout["rows"] + 1):
        item = sheet.cell(row, column["item"]).value
        sheet.cell(row, column["decision"]).value = decisions if isinstance(decisions, str) else decisions.get(item)
        for (of_item, key), value in (rows or {}).items():
            if of_item == item:
                sheet.cell(row, column[key]).value = value
    target = path.with_name(f"da-dien-{path.name}")
    book.save(target)
    return target


def query(text: str, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(text, values).fetchall()


def register(folder: Path, *tasks: str, **more: Any) -> dict[str, Any]:
    told = task_steps.propose_notice(notice(folder, *tasks, **more), BY, LATER)
    return task_steps.register_workbook(fill(Path(told["workbook"])), BY, LATER)


# Confirmation ---------------------------------------------------------------------------------------------------------


def test_a_notice_is_archived_and_proposed_and_nothing_is_in_the_register(empty: Path) -> None:
    before = query("select count(*) from core.task")
    told = task_steps.propose_notice(SEED, BY, AT, ISSUED)
    assert (told["new"], told["tasks"], told["directive_id"]) == (True, 21, None)
    assert any("không ghi số" in question for question in told["questions"])
    assert (empty / "archive" / told["sha256"][:2] / told["sha256"]).read_bytes() == SEED.read_bytes()
    assert query("select count(*) from core.task") == before
    assert task_steps.propose_notice(SEED, BY, LATER, ISSUED)["new"] is False
    assert query("select commune_code, place_vi from core.notice") == [("06517", None)]


def test_a_workbook_without_a_decision_for_each_task_registers_nothing(empty: Path) -> None:
    told = task_steps.propose_notice(SEED, BY, AT, ISSUED)
    blank = fill(Path(told["workbook"]), {"1.a": "Vào sổ"}, doc_no="523/TB-VP", issuer_vi=OFFICE)
    with pytest.raises(DataError) as problem:
        task_steps.register_workbook(blank, BY, AT)
    assert "chưa chọn quyết định cho mục 6.4" in str(problem.value)
    assert query("select count(*) from core.directive where directive_id <> 'QS-2025-10'") == [(0,)]


def test_number_date_and_issuer_are_asked_of_the_registrar_and_not_made_up(empty: Path) -> None:
    told = task_steps.propose_notice(SEED, BY, AT)
    with pytest.raises(DataError) as problem:
        task_steps.register_workbook(fill(Path(told["workbook"])), BY, AT)
    assert "chưa có số, ký hiệu" in str(problem.value)
    assert "chưa có ngày ban hành" in str(problem.value)


def test_what_was_confirmed_edited_and_dropped_is_what_enters(empty: Path) -> None:
    told = task_steps.propose_notice(SEED, BY, AT, ISSUED)
    items = [item for (item,) in query("select item from core.notice_task")]
    decisions = dict.fromkeys(items, "Bỏ") | {"6.1": "Vào sổ", "6.4": "Sửa rồi vào sổ"}
    filled = fill(
        Path(told["workbook"]),
        decisions,
        doc_no="523/TB-VP",
        issuer_vi=OFFICE,
        rows={
            ("6.1", "relation"): "Không liên quan",  # the register of the province has the tasks of this notice already
            ("6.4", "relation"): "Không liên quan",
            ("6.4", "due"): "25/10/2025",
            ("6.4", "coordinating"): "Sở Nội vụ; Sở Tài chính",
        },
    )
    done = task_steps.register_workbook(filled, BY, AT)
    assert done["new"] is True
    assert (done["directive_id"], done["dropped"]) == ("523-TB-VP-2025", len(items) - 2)
    assert query(
        "select task_id, lead_vi, coordinating_vi, due_date, clause from core.task where directive_id = %s order by 1",
        "523-TB-VP-2025",
    ) == [
        ("523-TB-VP-2025-6.1", "Sở Tài chính", ["các cơ quan liên quan"], date(2025, 10, 31), "6.1"),
        ("523-TB-VP-2025-6.4", "Văn phòng UBND tỉnh", ["Sở Nội vụ", "Sở Tài chính"], date(2025, 10, 25), "6.4"),
    ]
    assert query(
        "select d.decision, count(*) from core.notice_task_decision as d group by 1 order by 1"
    ) == [("confirmed", 1), ("dropped", len(items) - 2), ("edited", 1)]  # fmt: skip
    assert task_steps.register_workbook(filled, BY, LATER) == done | {"new": False, "linked": [], "dropped": 0}
    assert query("select count(*) from core.notice_decision") == [(1,)]


def test_the_same_document_from_another_file_is_not_registered_twice(empty: Path, tmp_path: Path) -> None:
    register(tmp_path, "Giao Sở Nội vụ rà soát biên chế, báo cáo UBND tỉnh trước ngày 20/12/2025.")
    other = notice(tmp_path, "Giao Sở Nội vụ rà soát biên chế các xã, báo cáo trước ngày 20/12/2025.", name="khac.txt")
    told = task_steps.propose_notice(other, BY, LATER)
    filled = fill(Path(told["workbook"]), rows={("1", "relation"): "Không liên quan"})
    with pytest.raises(UsageError, match="đã vào sổ"):
        task_steps.register_workbook(filled, BY, LATER)


def test_faults_of_a_workbook_are_told_with_their_cells(empty: Path, tmp_path: Path) -> None:
    path = notice(tmp_path, "Giao Sở Nội vụ rà soát biên chế, báo cáo UBND tỉnh trước ngày 20/12/2025.")
    told = task_steps.propose_notice(path, BY, LATER)
    filled = fill(Path(told["workbook"]), rows={("1", "due"): "ngày mai", ("1", "due_kind"): "Sớm"})
    with pytest.raises(DataError) as problem:
        task_steps.register_workbook(filled, BY, LATER)
    assert "“ngày mai” không phải là ngày" in str(problem.value)
    assert "“Sớm” không có trong danh sách" in str(problem.value)


def test_another_file_is_no_confirmation(empty: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        task_steps.register_workbook(SEED, BY, AT)


def test_the_form_of_airflow_drops_and_changes_by_item(empty: Path, tmp_path: Path) -> None:
    path = notice(
        tmp_path,
        "Giao Sở Nội vụ rà soát biên chế, báo cáo UBND tỉnh trước ngày 20/12/2025.",
        "Giao Sở Tài chính báo cáo kết quả giải ngân định kỳ hằng tháng.",
        "Giao Sở Xây dựng hướng dẫn các xã về định mức.",
    )
    told = task_steps.propose_notice(path, BY, LATER)
    assert "| 1 | Sở Nội vụ |" in told["markdown"]
    with pytest.raises(DataError, match="Không có mục 9 để bỏ"):
        task_steps.register_form(told["notice_id"], {"drop": "9", "changes": "1 | hạn = mai"}, "thu_ky", LATER)
    form = {"doc_no": "", "drop": "3", "changes": "1 | thời hạn = 25/12/2025 | chủ trì = Sở Tài chính"}
    done = task_steps.register_form(told["notice_id"], form, "thu_ky", LATER)
    assert query("select lead_vi, due_date from core.task where task_id = %s", done["tasks"][0]) == [
        ("Sở Tài chính", date(2025, 12, 25))
    ]
    assert len(done["tasks"]) == 2
    assert task_steps.register_form(told["notice_id"], form, "thu_ky", LATER)["new"] is False


def test_a_notice_that_is_turned_down_leaves_no_task_and_may_be_registered_later(empty: Path, tmp_path: Path) -> None:
    path = notice(tmp_path, "Giao Sở Nội vụ rà soát biên chế, báo cáo UBND tỉnh trước ngày 20/12/2025.")
    number = task_steps.propose_notice(path, BY, LATER)["notice_id"]
    assert task_steps.reject_notice(number, "chưa ký", BY, "command", LATER)["new"] is True
    assert task_steps.reject_notice(number, "chưa ký", BY, "command", LATER)["new"] is False
    assert query("select count(*) from core.task where directive_id <> 'QS-2025-10'") == [(0,)]
    assert task_steps.register_form(number, {}, BY, LATER)["new"] is True


def edited(path: Path, change: Any) -> Path:
    """The workbook after ``change(book, sheet, layout, columns)``."""
    book = load_workbook(path)
    layout = json.loads(book["_meta"]["A1"].value)["layout"]
    change(book, book.worksheets[0], layout, {name: n for n, name in enumerate(layout["keys"], 1)})
    book.save(path)
    return path


def _sheet() -> bytes:
    buffer = io.BytesIO()
    Workbook().save(buffer)
    return buffer.getvalue()


SHEET = _sheet()
"""A workbook that is none of ours."""
THREE = (
    "Giao Sở Nội vụ rà soát biên chế, báo cáo UBND tỉnh trước ngày 20/12/2025.",
    "Giao Sở Tài chính báo cáo kết quả giải ngân định kỳ hằng tháng.",
    "Giao Sở Xây dựng hướng dẫn các xã về định mức.",
)


def three(folder: Path, **more: Any) -> Path:
    return fill(Path(task_steps.propose_notice(notice(folder, *THREE, **more), BY, LATER)["workbook"]))


def test_rows_may_be_shuffled_whole_but_not_column_by_column(empty: Path, tmp_path: Path) -> None:
    def turn(columns: int) -> Any:
        def change(_: Any, sheet: Any, layout: Any, __: Any) -> None:
            first, last = layout["header_row"] + 1, layout["header_row"] + layout["rows"]
            for column in range(1, columns + 1):
                one, other = sheet.cell(first, column), sheet.cell(last, column)
                one.value, other.value = other.value, one.value

        return change

    filled = three(tmp_path)
    data = filled.read_bytes()
    with pytest.raises(DataError, match="sắp xếp lệch"):
        task_steps.register_workbook(edited(filled, turn(6)), BY, LATER)
    filled.write_bytes(data)
    done = task_steps.register_workbook(edited(filled, turn(17)), BY, LATER)
    assert query("select item, lead_vi from core.task where directive_id = %s order by 1", done["directive_id"]) == [
        ("1", "Sở Nội vụ"), ("2", "Sở Tài chính"), ("3", "Sở Xây dựng"),
    ]  # fmt: skip


def test_a_deleted_row_a_new_row_and_a_formula_are_told(empty: Path, tmp_path: Path) -> None:
    filled = three(tmp_path)
    data = filled.read_bytes()
    with pytest.raises(DataError, match=r"số 2 \(mục 2\) chưa được xác nhận hoặc bỏ"):
        task_steps.register_workbook(edited(filled, lambda _, s, y, __: s.delete_rows(y["header_row"] + 2)), BY, LATER)

    def add(_: Any, sheet: Any, layout: Any, columns: Any) -> None:
        sheet.cell(layout["header_row"] + layout["rows"] + 1, columns["content"]).value = "việc mới"

    filled.write_bytes(data)
    with pytest.raises(DataError, match="không thêm được dòng mới"):
        task_steps.register_workbook(edited(filled, add), BY, LATER)

    def reckon(_: Any, sheet: Any, layout: Any, columns: Any) -> None:
        sheet.cell(layout["header_row"] + 1, columns["due"]).value = "=DATE(2025,12,20)"

    filled.write_bytes(data)
    with pytest.raises(UsageError, match="là công thức chưa có kết quả"):
        task_steps.register_workbook(edited(filled, reckon), BY, LATER)
    assert query("select count(*) from core.task where directive_id <> 'QS-2025-10'") == [(0,)]


def test_a_workbook_of_another_installation_is_not_taken_for_ours(empty: Path, tmp_path: Path) -> None:
    def of_another(book: Any, *_: Any) -> None:
        meta = json.loads(book["_meta"]["A1"].value)
        book["_meta"]["A1"].value = json.dumps(meta | {"sha256": "0" * 64})

    with pytest.raises(UsageError, match="có thể do hệ thống khác lập"):
        task_steps.register_workbook(edited(three(tmp_path), of_another), BY, LATER)


def test_words_dates_and_sheets_may_be_as_people_leave_them(empty: Path, tmp_path: Path) -> None:
    def loosely(book: Any, sheet: Any, layout: Any, columns: Any) -> None:
        for row in range(layout["header_row"] + 1, layout["header_row"] + layout["rows"] + 1):
            sheet.cell(row, columns["decision"]).value = unicodedata.normalize("NFD", " vào Sổ ")
        sheet.cell(layout["header_row"] + 1, columns["due"]).value = "ngày 22/12/2025"
        book.create_sheet("Ghi chú", 0)

    done = task_steps.register_workbook(edited(three(tmp_path), loosely), BY, LATER)
    assert query("select due_date from core.task where task_id = %s", done["tasks"][0]) == [(date(2025, 12, 22),)]


@pytest.mark.slow
@pytest.mark.skipif(CALC is None, reason="LibreOffice Calc is not on this machine")
def test_a_workbook_that_calc_saved_again_is_the_same_answer(empty: Path, tmp_path: Path) -> None:
    filled = three(tmp_path)
    for kind, result in (("xlsx:Calc MS Excel 2007 XML", "xlsx"), ("ods", "ods")):
        subprocess.run(
            [str(CALC), f"-env:UserInstallation=file://{tmp_path / 'calc'}", "--headless", "--convert-to", kind,
             "--outdir", str(tmp_path / result), str(filled)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    with pytest.raises(UsageError, match=r"lưu lại thành \.xlsx"):
        task_steps.register_workbook(tmp_path / "ods" / f"{filled.stem}.ods", BY, LATER)
    done = task_steps.register_workbook(tmp_path / "xlsx" / filled.name, BY, LATER)
    assert query("select due_date, due_kind, recurrence from core.task where directive_id = %s order by item",
                 done["directive_id"]) == [
        (date(2025, 12, 19), "date", None), (None, "recurring", "monthly"), (None, "none", None),
    ]  # fmt: skip
    assert query("select decision, count(*) from core.notice_task_decision group by 1") == [("confirmed", 3)]


def test_of_two_registrars_at_once_one_registers_and_the_other_is_told(empty: Path, tmp_path: Path) -> None:
    filled = three(tmp_path)
    number = query("select notice_id from core.notice")[0][0]
    with ThreadPoolExecutor(4) as pool:
        calls = [
            *(pool.submit(task_steps.register_workbook, filled, f"{BY} {n}", LATER) for n in range(2)),
            *(pool.submit(task_steps.register_form, number, {"drop": "3"}, f"thu_ky {n}", LATER) for n in range(2)),
        ]
        told = [call.result() for call in calls]
    assert sorted(one["new"] for one in told) == [False, False, False, True]
    assert query("select count(*) from core.notice_decision") == [(1,)]
    tasks = query("select count(*) from core.task where directive_id = %s", told[0]["directive_id"])
    assert tasks == [(len(told[0]["tasks"]),)]


def test_a_file_that_two_put_in_at_once_is_proposed_once(empty: Path, tmp_path: Path) -> None:
    path = notice(tmp_path, *THREE)
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda _: task_steps.propose_notice(path, BY, LATER), range(3)))
    assert sorted(one["new"] for one in told) == [False, False, True]
    assert len({one["notice_id"] for one in told}) == 1


def test_an_answer_to_an_earlier_reading_is_what_was_seen_then(empty: Path, tmp_path: Path) -> None:
    told = task_steps.propose_notice(SEED, BY, AT)
    again = task_steps.propose_notice(SEED, BY, AT, ISSUED)
    assert told["notice_id"] != again["notice_id"]
    only = dict.fromkeys((item for (item,) in query("select distinct item from core.notice_task")), "Bỏ")
    first = fill(
        Path(told["workbook"]), only | {"6.4": "Vào sổ"}, {("6.4", "relation"): "Không liên quan"},
        doc_no="523/TB-VP", issuer_vi=OFFICE, doc_date="15/10/2025",
    )  # fmt: skip
    done = task_steps.register_workbook(first, BY, AT)
    second = fill(Path(again["workbook"]), only | {"6.1": "Vào sổ"}, doc_no="523/TB-VP", issuer_vi=OFFICE)
    assert task_steps.register_workbook(second, BY, AT) == done | {
        "notice_id": again["notice_id"], "new": False, "linked": [], "dropped": 0,
    }  # fmt: skip


# The folder -----------------------------------------------------------------------------------------------------------


def taken(told: dict[str, Any]) -> dict[str, str]:
    return {one["file"]: one["outcome"] for one in told["taken"]}


def test_a_notice_in_the_folder_is_proposed_once_and_waits_for_a_person(empty: Path, tmp_path: Path) -> None:
    folder = empty / "notices"
    folder.mkdir()
    path = notice(folder, *THREE)
    told = task_steps.take_directives(LATER)
    (asked,) = told["waiting"]
    assert (taken(told), asked["notice_id"]) == (
        {"tb.txt": "proposed"},
        query("select notice_id from core.notice")[0][0],
    )
    (folder / "2026").mkdir()
    shutil.copy(path, folder / "2026" / "tb (bản sao).txt")
    again = task_steps.take_directives(LATER)
    assert (again["taken"], again["waiting"]) == ([], told["waiting"])
    (receipt,) = (empty / "out" / "van-ban" / "bien-nhan").iterdir()
    assert "Đọc được 3 nhiệm vụ đề xuất" in receipt.read_text(encoding="utf-8")
    assert task_steps.proposed(asked["notice_id"])["markdown"] == task_steps.propose_notice(path, BY, LATER)["markdown"]
    task_steps.reject_notice(asked["notice_id"], "chưa ký", BY, "airflow", LATER)
    assert task_steps.take_directives(LATER)["waiting"] == []


def test_filled_in_workbooks_in_the_folder_are_read_back(empty: Path, tmp_path: Path) -> None:
    folder = empty / "notices"
    folder.mkdir()
    notice(folder, *THREE)
    task_steps.take_directives(LATER)
    (workbook,) = (empty / "out" / "van-ban").glob("xac-nhan-*.xlsx")
    shutil.copy(fill(workbook), folder / "a-chua-ghi-ten.xlsx")
    shutil.copy(fill(workbook, by="Lê Thị Mai, Phó phòng"), folder / "b.xlsx")
    report = agency_workbook(tmp_path, **{FINANCE: {"status": "Đang thực hiện", "progress": "đang soạn"}})
    shutil.copy(report, folder / "stc.xlsx")
    told = task_steps.take_directives(LATER)
    assert taken(told) == {"a-chua-ghi-ten.xlsx": "returned", "b.xlsx": "registered", "stc.xlsx": "recorded"}
    assert told["waiting"] == []
    assert query("select decided_by, channel from core.notice_decision") == [("Lê Thị Mai, Phó phòng", "workbook")]
    assert query("select kind from core.task_event") == [("reported",)]
    with pytest.raises(DataError, match=r"a-chua-ghi-ten.xlsx: Phải ghi người xác nhận: ô “Người xác nhận”"):
        task_steps.require_all_taken(told)


def test_what_cannot_be_used_is_kept_and_told_once_and_stops_only_itself(empty: Path, tmp_path: Path) -> None:
    folder = empty / "notices"
    folder.mkdir()
    (folder / "1-quet.pdf").write_bytes(b"%PDF-1.4 hong")
    (folder / "2-rong.docx").write_bytes(b"")
    (folder / "3-bang.xlsx").write_bytes(SHEET)
    (folder / "~$tb.docx").write_bytes(b"khoa")
    notice(folder, *THREE, name="4.txt")
    result = CliRunner().invoke(app, ["register", "take", "--json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, taken(told)) == (
        1, {"1-quet.pdf": "unreadable", "2-rong.docx": "unreadable", "3-bang.xlsx": "unreadable", "4.txt": "proposed"},
    )  # fmt: skip
    for one in told["taken"]:
        assert (empty / "archive" / one["sha256"][:2] / one["sha256"]).is_file()
    assert len(list((empty / "out" / "van-ban" / "bien-nhan").iterdir())) == 4
    result = CliRunner().invoke(app, ["register", "take"])
    assert (result.exit_code, "Nhận 0 tệp; 1 văn bản chờ" in result.stdout) == (0, True)


def test_a_fault_of_the_program_in_one_file_lets_the_others_through_and_is_tried_again(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = empty / "notices"
    folder.mkdir()
    notice(folder, *THREE, name="1.txt")
    notice(folder, THREE[0], name="2.txt", number=7)
    real = task_steps.propose_notice

    def breaks(file: Path, *more: Any) -> dict[str, Any]:
        if file.name == "1.txt":
            raise ZeroDivisionError
        return real(file, *more)

    monkeypatch.setattr(task_steps, "propose_notice", breaks)
    with pytest.raises(ZeroDivisionError):
        task_steps.take_directives(LATER)
    monkeypatch.setattr(task_steps, "propose_notice", real)
    told = task_steps.take_directives(LATER)
    assert (taken(told), len(told["waiting"])) == ({"1.txt": "proposed"}, 2)


def test_a_file_that_may_still_be_on_its_way_is_left_for_the_next_time(empty: Path) -> None:
    folder = empty / "notices"
    folder.mkdir()
    written = datetime.fromtimestamp(notice(folder, *THREE).stat().st_mtime, UTC)
    assert task_steps.take_directives(written + timedelta(seconds=5))["taken"] == []
    assert len(task_steps.take_directives(written + timedelta(seconds=35))["taken"]) == 1


def test_the_folder_may_not_lie_in_the_inbox_of_the_reports(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIENDO_NOTICES", str(empty / "inbox" / "van-ban"))
    settings.reload()
    with pytest.raises(UsageError, match="lồng nhau"):
        task_steps.take_directives(LATER)


# Later notices --------------------------------------------------------------------------------------------------------

FIRST = "Giao Sở Nội vụ rà soát biên chế, bố trí cán bộ của các xã, báo cáo UBND tỉnh trước ngày 20/12/2025."


def test_a_task_that_is_repeated_with_another_date_is_a_link_and_an_extension(empty: Path, tmp_path: Path) -> None:
    (task,) = register(tmp_path, FIRST)["tasks"]
    again = "Sở Nội vụ khẩn trương rà soát biên chế, bố trí cán bộ của các xã, báo cáo UBND tỉnh trước ngày 16/01/2026."
    told = task_steps.propose_notice(
        notice(tmp_path, again, number=3, day=date(2026, 1, 5), name="tb2.txt"), BY, LATER
    )  # fmt: skip
    assert query("select earlier_task_id, relation from core.notice_task where notice_id = %s", told["notice_id"]) == [
        (task, "changes")
    ]
    done = task_steps.register_workbook(fill(Path(told["workbook"])), BY, LATER)
    assert (done["tasks"], done["linked"]) == ([], [task])
    text = "select original_due_date, due_date from mart.task_state('2026-01-20', 'infinity') where task_id = %s"
    assert query(text, task) == [(date(2025, 12, 19), date(2026, 1, 15))]
    kinds = [row["kind"] for row in history(task)]
    assert kinds == ["assigned", "extended", "changes"]


def history(task: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["register", "history", task, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["events"]


def test_a_task_that_replaces_an_earlier_one_withdraws_it(empty: Path, tmp_path: Path) -> None:
    (task,) = register(tmp_path, FIRST)["tasks"]
    told = task_steps.propose_notice(
        notice(tmp_path, FIRST.replace("20/12/2025", "30/01/2026"), number=4, day=date(2026, 1, 6), name="tb3.txt"),
        BY, LATER,
    )  # fmt: skip
    filled = fill(Path(told["workbook"]), rows={("1", "relation"): "Thay thế nhiệm vụ trước"})
    done = task_steps.register_workbook(filled, BY, LATER)
    states = dict(query("select task_id, state from mart.task_state('2026-01-20', 'infinity')"))
    assert (states[task], len(done["tasks"]), done["linked"]) == ("Thôi thực hiện", 1, [task])


def test_a_task_that_is_done_is_neither_given_another_date_nor_replaced(empty: Path, tmp_path: Path) -> None:
    (task,) = register(tmp_path, FIRST)["tasks"]
    again = FIRST.replace("20/12/2025", "30/01/2026")
    told = task_steps.propose_notice(notice(tmp_path, again, number=4, day=date(2026, 1, 6), name="tb3.txt"), BY, LATER)
    record("done", date(2025, 12, 18), task=task)
    for relation in ("Đổi thời hạn nhiệm vụ trước", "Thay thế nhiệm vụ trước"):
        filled = fill(Path(told["workbook"]), rows={("1", "relation"): relation})
        with pytest.raises(DataError, match="đã hoàn thành đúng hạn: mở lại trước"):
            task_steps.register_workbook(filled, BY, LATER)
    filled = fill(Path(told["workbook"]), rows={("1", "relation"): "Không liên quan"})
    assert len(task_steps.register_workbook(filled, BY, LATER)["tasks"]) == 1


def test_a_notice_of_another_level_gives_no_other_date(empty: Path, tmp_path: Path) -> None:
    register(tmp_path, FIRST)
    again = FIRST.replace("20/12/2025", "30/01/2026")
    told = task_steps.propose_notice(notice(tmp_path, again, number=4, day=date(2026, 1, 6), name="tb3.txt"), BY, LATER)
    with pytest.raises(DataError, match="không phải là cấp giao nhiệm vụ trước"):
        task_steps.register_workbook(fill(Path(told["workbook"]), issuer_vi="UBND xã Quan Sơn"), BY, LATER)


def test_a_recurring_task_is_repeated_or_replaced_and_has_no_date_to_change(empty: Path, tmp_path: Path) -> None:
    (task,) = register(tmp_path, "Giao Sở Nội vụ báo cáo kết quả rà soát biên chế các xã hằng tháng.")["tasks"]
    again = "Giao Sở Nội vụ báo cáo kết quả rà soát biên chế các xã trước ngày 30/01/2026."
    told = task_steps.propose_notice(notice(tmp_path, again, number=4, day=date(2026, 1, 6), name="tb3.txt"), BY, LATER)
    assert query("select relation from core.notice_task where earlier_task_id = %s", task) == [("repeats",)]
    filled = fill(Path(told["workbook"]), rows={("1", "relation"): "Đổi thời hạn nhiệm vụ trước"})
    with pytest.raises(DataError, match="là định kỳ: chọn Nhắc lại hoặc Thay thế"):
        task_steps.register_workbook(filled, BY, LATER)


@pytest.mark.parametrize(
    ("said", "relation"),
    [
        ("đôn đốc việc rà soát biên chế đã giao tại Thông báo số 101/TB-VP", "repeats"),
        ("xây dựng kế hoạch tuyên truyền năm 2026", None),
    ],
)
def test_an_earlier_notice_that_is_named_needs_less_likeness(said: str, relation: str | None) -> None:
    earlier = [links.Earlier("T", "SNV", "101/TB-VP", "1", "rà soát biên chế, báo cáo", date(2025, 12, 19))]
    found = links.find("SNV", said, said, None, earlier, builders.province().thresholds["task_similarity_pct"])
    assert (found.relation if found else None) == relation
    assert links.find("STC", said, said, None, earlier, builders.province().thresholds["task_similarity_pct"]) is None


@pytest.mark.parametrize(
    ("phrase", "recurrence", "expected"),
    [
        ("trước ngày 25 hằng tháng", "monthly", DueDay(24)),
        ("chậm nhất ngày 25 hằng tháng", "monthly", DueDay(25)),
        ("trước 16h00 ngày 20 hằng tháng", "monthly", DueDay(20)),
        ("trước ngày 05 của tháng sau", "monthly", DueDay(4, 1)),
        ("trước ngày 01 hằng tháng", "monthly", DueDay(None, -1)),
        ("định kỳ hằng tháng", "monthly", DueDay()),
        ("thứ Sáu hằng tuần", "weekly", DueDay(5)),
        ("trước thứ Sáu hằng tuần", "weekly", DueDay(4)),
        ("hằng tuần", "weekly", DueDay()),
        ("trước ngày 15 tháng cuối quý", "quarterly", DueDay(14)),
        ("trước ngày 10 tháng đầu quý sau", "quarterly", DueDay(9, 1)),
        ("trước ngày 10 tháng đầu quý", "quarterly", DueDay(9, -2)),
        ("trước ngày 15/11 hằng năm", "yearly", DueDay(14, -1)),
        ("chậm nhất ngày 31/01 năm sau", "yearly", DueDay(31, 1)),
        ("ngày 15/12 hằng năm", "yearly", DueDay(15)),
        ("trước ngày 20/6 và 20/12", "half_yearly", DueDay(19)),
        ("ngày 10/7 và 10/01", "half_yearly", DueDay(10, 1)),
        ("ngày 05/4, 05/7, 05/10, 05/01", "quarterly", DueDay(5, 1)),
    ],
)
def test_the_day_of_a_recurring_task_is_read_from_its_phrase(phrase: str, recurrence: str, expected: DueDay) -> None:
    assert due_day(phrase, recurrence) == expected


# Events ---------------------------------------------------------------------------------------------------------------

OF_OFFICE = "QS-2025-10-6.4"
MONTHLY = "QS-2025-10-5.c"


def record(kind: str, day: date, document: str = "12/BC-VP", task: str = OF_OFFICE, **more: Any) -> dict[str, Any]:
    return task_steps.record_event(Event(task, kind, day, document, **more), BY, LATER)


def test_done_needs_its_document_and_is_recorded_once(empty: Path) -> None:
    with pytest.raises(UsageError, match="văn bản, sản phẩm kết quả"):
        record("done", date(2025, 10, 18), " ")
    first = record("done", date(2025, 10, 18))
    assert (first["new"], first["state"]) == (True, "Đã hoàn thành đúng hạn")
    assert record("done", date(2025, 10, 18))["new"] is False
    with pytest.raises(UsageError, match="mở lại trước"):
        record("done", date(2025, 10, 19), "13/BC-VP")
    assert record("reopened", date(2025, 10, 21), "9/UBND")["state"] == "Đang thực hiện quá hạn"


def test_an_extension_counts_only_by_a_document_of_the_assigning_level(empty: Path) -> None:
    until = date(2025, 11, 14)
    asked = record("extension_asked", date(2025, 10, 18), until=until)
    assert asked["due_date"] == "2025-10-20"
    with pytest.raises(UsageError, match="không phải là cấp giao nhiệm vụ"):
        record("extended", date(2025, 10, 19), until=until, issued_by="Sở Nội vụ")
    with pytest.raises(UsageError, match="không sau thời hạn"):
        record("extended", date(2025, 10, 19), until=date(2025, 10, 20), issued_by="UBND tỉnh")
    granted = record("extended", date(2025, 10, 19), "77/UBND-KTTH", until=until, issued_by="UBND tỉnh Lạng Sơn")
    assert granted["due_date"] == "2025-11-14"


@pytest.mark.parametrize(
    ("issuer", "assigned_by", "expected"),
    [
        ("Văn phòng UBND tỉnh", OFFICE, True),
        ("Chủ tịch UBND tỉnh", OFFICE, True),
        ("Ban Chỉ đạo các Chương trình mục tiêu quốc gia tỉnh", OFFICE, True),
        ("Ủy ban nhân dân tỉnh Lạng Sơn", "UBND TỈNH LẠNG SƠN - VĂN PHÒNG", True),
        ("Sở Tài chính", OFFICE, False),
        ("UBND xã Quan Sơn", OFFICE, False),
        ("Sở Tài chính", "Sở Tài chính", True),
        ("UBND tỉnh", "UBND xã Quan Sơn", False),
    ],
)
def test_who_may_decide_on_a_task(issuer: str, assigned_by: str, expected: bool) -> None:
    assert events.is_assigning_level(issuer, assigned_by, builders.province()) is expected


def test_a_recurring_task_is_done_period_by_period(empty: Path) -> None:
    with pytest.raises(UsageError, match="phải ghi kỳ"):
        record("done", date(2025, 11, 28), task=MONTHLY)
    with pytest.raises(UsageError, match="không có kỳ 2025-09"):
        record("done", date(2025, 11, 28), task=MONTHLY, instance="2025-09")
    assert record("done", date(2025, 12, 2), task=MONTHLY, instance="2025-11")["state"] == "Đã hoàn thành quá hạn"
    rows = query(
        "select instance, state from mart.task_instance('2026-01-20', 'infinity') where task_id = %s order by 1",
        MONTHLY,
    )
    assert rows == [
        ("2025-10", "Đang thực hiện quá hạn"), ("2025-11", "Đã hoàn thành quá hạn"),
        ("2025-12", "Đang thực hiện quá hạn"), ("2026-01", "Đang thực hiện trong hạn"),
    ]  # fmt: skip


def test_a_recurring_task_that_was_withdrawn_is_reopened_as_a_whole_and_then_by_period(empty: Path) -> None:
    record("done", date(2025, 10, 31), task=MONTHLY, instance="2025-10")
    with pytest.raises(UsageError, match="phải ghi kỳ"):
        record("reopened", date(2025, 11, 3), task=MONTHLY)
    record("withdrawn", date(2025, 11, 5), "70/UBND", task=MONTHLY, issued_by="UBND tỉnh")
    with pytest.raises(UsageError, match="mở lại cả nhiệm vụ trước"):
        record("reopened", date(2025, 11, 20), "71/UBND", task=MONTHLY, instance="2025-11")
    reopened = record("reopened", date(2025, 11, 20), "71/UBND", task=MONTHLY)
    assert reopened["state"] == "Nhiệm vụ thường xuyên / định kỳ"
    again = record("reopened", date(2025, 11, 21), "72/UBND", task=MONTHLY, instance="2025-10")
    assert again["state"] == "Đang thực hiện quá hạn"


def test_events_and_what_was_registered_cannot_be_changed(empty: Path) -> None:
    record("reported", date(2025, 10, 18))
    for table in ("core.task", "core.task_event", "core.directive"):
        with warehouse.connect() as connection, pytest.raises(Exception, match="append-only"):
            connection.execute(f"delete from {table}")


# Departments ----------------------------------------------------------------------------------------------------------


def agency_workbook(folder: Path, period: str = "2025-12", **rows: dict[str, Any]) -> Path:
    result = CliRunner().invoke(
        app, ["register", "template", "--agency", "STC", "--period", period, "--out", str(folder), "--json"]
    )
    assert result.exit_code == 0, result.output
    path = Path(json.loads(result.stdout)["file"])
    book = load_workbook(path)
    sheet, layout = book.worksheets[0], json.loads(book["_meta"]["A1"].value)["layout"]
    keys = layout["keys"]
    if rows.pop("nothing", None):
        sheet[layout["answers"]["nothing"]] = "x"
    for row in range(layout["header_row"] + 1, sheet.max_row + 1):
        for key, value in rows.get(sheet.cell(row, keys.index("task_id") + 1).value or "", {}).items():
            sheet.cell(row, keys.index(key) + 1).value = value
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(buffer.getvalue())
    return path


FINANCE = "QS-2025-10-6.1"


def test_a_department_reports_in_its_workbook_and_gets_a_receipt(empty: Path, tmp_path: Path) -> None:
    path = agency_workbook(
        tmp_path,
        **{FINANCE: {"status": "Đã hoàn thành", "done_date": "05/11/2025", "result_doc": "45/BC-STC"},
           "QS-2025-10-6.2a": {"status": "Xin gia hạn", "until": "31/03/2026", "reason": "chờ kế hoạch vốn"}},
    )  # fmt: skip
    told = task_steps.take_agency_report(path, BY, LATER)
    assert (told["verdict"], told["done"], told["asked"]) == ("accepted", [FINANCE], ["QS-2025-10-6.2a"])
    assert "TIẾP NHẬN" in Path(told["receipt"]).read_text(encoding="utf-8")
    state = query("select state, due_date from mart.task_state('2026-01-20', 'infinity') where task_id = %s", FINANCE)
    assert state == [("Đã hoàn thành quá hạn", date(2025, 10, 31))]
    assert task_steps.take_agency_report(path, BY, LATER)["new"] is False


def test_done_without_a_document_is_kept_as_a_report_and_the_task_stays_open(empty: Path, tmp_path: Path) -> None:
    told = task_steps.take_agency_report(agency_workbook(tmp_path, **{FINANCE: {"status": "Đã hoàn thành"}}), BY, LATER)
    assert (told["done"], told["without_document"]) == ([], [FINANCE])
    assert query("select kind from core.task_event where task_id = %s", FINANCE) == [("reported",)]
    state = query("select state from mart.task_state('2026-01-20', 'infinity') where task_id = %s", FINANCE)
    assert state == [("Đang thực hiện quá hạn",)]


def test_a_workbook_with_a_fault_is_returned_whole(empty: Path, tmp_path: Path) -> None:
    path = agency_workbook(
        tmp_path,
        **{FINANCE: {"status": "Đã hoàn thành", "done_date": "05/11/2027", "result_doc": "45/BC-STC"},
           "QS-2025-10-6.2a": {"status": "Đang thực hiện", "progress": "đang soạn"}},
    )  # fmt: skip
    result = CliRunner().invoke(app, ["register", "read", str(path), "--by", BY, "--json"])
    (told,) = json.loads(result.stdout)
    assert (result.exit_code, told["verdict"]) == (1, "returned")
    assert "sau ngày gửi" in told["problems"][0]
    assert query("select count(*) from core.task_event") == [(0,)]
    assert "TRẢ LẠI" in Path(told["receipt"]).read_text(encoding="utf-8")


def test_a_department_may_have_nothing_to_report_but_not_both(empty: Path, tmp_path: Path) -> None:
    assert (
        task_steps.take_agency_report(agency_workbook(tmp_path, nothing={"x": 1}), BY, LATER)["nothing_to_report"]
        is True
    )
    both = agency_workbook(tmp_path, nothing={"x": 1}, **{FINANCE: {"status": "Đang thực hiện"}})
    assert task_steps.take_agency_report(both, BY, LATER)["verdict"] == "returned"


def test_a_period_that_was_removed_does_not_end_the_whole_recurring_task(empty: Path, tmp_path: Path) -> None:
    (task,) = register(tmp_path, "Giao Sở Tài chính báo cáo kết quả giải ngân định kỳ hằng tháng.")["tasks"]
    path = agency_workbook(
        tmp_path,
        **{task: {"instance": None, "status": "Đã hoàn thành", "done_date": "20/12/2025", "result_doc": "9/BC"}},
    )
    told = task_steps.take_agency_report(path, BY, LATER)
    assert (told["verdict"], query("select count(*) from core.task_event")) == ("returned", [(0,)])
    assert "không có kỳ" in told["problems"][0]


def test_a_workbook_that_was_handed_out_before_the_task_ended_is_kept_as_a_report(empty: Path, tmp_path: Path) -> None:
    path = agency_workbook(
        tmp_path, **{FINANCE: {"status": "đã hoàn thành", "done_date": "05/11/2025", "result_doc": "45/BC-STC"}}
    )
    record("withdrawn", date(2025, 11, 3), "70/UBND", task=FINANCE, issued_by="UBND tỉnh")
    told = task_steps.take_agency_report(path, BY, LATER)
    assert (told["done"], told["over"]) == ([], [FINANCE])
    assert "chỉ ghi nhận là báo cáo" in Path(told["receipt"]).read_text(encoding="utf-8")
    assert query("select state from mart.task_state('2026-01-20', 'infinity') where task_id = %s", FINANCE) == [
        ("Thôi thực hiện",)
    ]


# Visits and proposals -------------------------------------------------------------------------------------------------


def test_a_commune_sees_the_tasks_of_a_conclusion_about_it_and_of_its_proposals(empty: Path) -> None:
    with warehouse.transaction() as connection:
        builders.report(
            connection, "06517", "2025-10", [],
            proposals=[builders.proposal("KN-06517-01", "Sở Tài chính", "Xây cầu vượt tại suối Vực Ngườm")],
        )  # fmt: skip
    linked = ["register", "proposal", "--task", FINANCE, "--issue", "KN-06517-01", "--by", BY, "--json"]
    assert json.loads(CliRunner().invoke(app, linked).stdout)["new"] == 1
    assert json.loads(CliRunner().invoke(app, linked).stdout)["new"] == 0
    assert CliRunner().invoke(app, [*linked[:4], "--issue", "KN-99", "--by", BY]).exit_code == 2
    rows = query(
        "select relation, count(*) from mart.commune_task('2025-11-05', 'infinity') "
        "where commune_code = '06517' group by 1 order by 1"
    )
    assert rows == [("lead", 14), ("proposal", 1), ("visit", 6)]
    assert query(
        "select commune_code, proposal, lead_vi, state, days_overdue from mart.proposal_task('2025-11-05', 'infinity')"
    ) == [("06517", "Xây cầu vượt tại suối Vực Ngườm", "Sở Tài chính", "Đang thực hiện quá hạn", 5)]


# Tables of the summary ------------------------------------------------------------------------------------------------


def test_the_tables_of_a_month_count_by_agency_and_list_what_changed(empty: Path) -> None:
    record("done", date(2025, 10, 20))
    rows = query(
        "select lead_vi, tasks_due, tasks_due_done_on_time, tasks_overdue, tasks_due_soon, longest_overdue_days "
        "from mart.task_month_by_agency('2025-10-01', '2025-11-03', 'infinity') order by lead_vi nulls first"
    )
    assert rows[0] == (None, 2, 1, 1, 0, 3)
    assert ("Sở Tài chính", 1, 0, 1, 0, 3) in rows
    changes = query(
        "select change, task_id from mart.task_change('2025-10-19', 'infinity', '2025-11-03', 'infinity') order by 1, 2"
    )
    assert changes == [("Hoàn thành", OF_OFFICE), ("Quá hạn mới", FINANCE)]
    assert query("select place, task_id, instance, days_overdue from mart.task_overdue('2025-11-03', 'infinity')") == [
        (1, MONTHLY, "2025-10", 3), (2, FINANCE, "", 3),
    ]  # fmt: skip


def test_proposals_of_notices_are_listed(empty: Path) -> None:
    task_steps.propose_notice(SEED, BY, AT, ISSUED)
    with warehouse.connect() as connection:
        (row,) = proposal.overview(connection)
    assert (row["tasks"], row["decision"]) == (21, None)
    assert CliRunner().invoke(app, ["register", "list"]).exit_code == 0
