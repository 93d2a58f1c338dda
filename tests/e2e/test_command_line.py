"""The command line as other programs use it: names, JSON and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from openpyxl import load_workbook
from psycopg import conninfo
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from etl import settings
from etl.cli import app
from etl.publish import deliver
from etl.validate.marked.styles import COLOURS
from tests.builders import QUAN_SON, edited, name, workbook

KEYS = {
    "file", "sha256", "verdict", "commune", "period", "budget_year", "as_of", "template", "lines", "findings",
}  # fmt: skip


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests share a warehouse, so they share the archive of what it knows."""
    return tmp_path_factory.mktemp("archive")


@pytest.fixture
def home(warehouse: str, originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "archive").symlink_to(originals)
    monkeypatch.setenv("TIENDO_HOME", str(tmp_path / "var"))
    settings.reload()
    yield tmp_path
    settings.reload()


def tiendo(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_check_prints_one_object_per_file_and_tells_by_its_exit_code(home: Path) -> None:
    good, wrong, hopeless = home / name(), home / name(QUAN_SON), home / "khac.xlsx"
    good.write_bytes(workbook())
    wrong.write_bytes(edited(lambda b: b["B01-GiaiNgan"].__setitem__("R14", "không"), workbook(QUAN_SON)))
    hopeless.write_bytes(b"khong phai bang tinh")
    result = tiendo("check", good, wrong, hopeless, "--json", "--offline", "--marked", home / "marked")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 2
    assert [f["verdict"] for f in found] == ["accepted", "returned", "refused"]
    assert all(set(f) == KEYS for f in found)
    assert found[0]["lines"]["B01"] > 20
    assert set(found[1]["findings"][0]) == {
        "rule", "severity", "sheet", "cell", "value", "expected", "difference", "message", "fix",
    }  # fmt: skip
    assert tiendo("check", good, "--offline").exit_code == 0
    assert tiendo("check", wrong, "--offline").exit_code == 1
    marked = load_workbook(home / "marked" / f"{wrong.stem}.ket-qua.xlsx")
    assert marked.sheetnames[0] == "Kết quả kiểm tra"
    cell = marked["B01-GiaiNgan"]["R14"]
    assert cell.fill.fgColor.rgb == COLOURS["error"]
    assert "M08" in cell.comment.text


@pytest.mark.parametrize(
    "call",
    [
        ("check", "khong-co.xlsx"),
        ("sample", "--period", "2025-13", "--out", "x"),
        ("summarise", "--period", "2040-01"),
        ("trace", "khong-co"),
        ("tasks", "--as-of", "31/10/2025"),
        ("template", "--period", "2025-10", "--commune", "99999", "--out", "x"),
        ("khong-co-lenh-nay",),
    ],
)
def test_a_wrong_call_ends_with_two_and_says_why(home: Path, monkeypatch, call: tuple[str, ...]) -> None:
    monkeypatch.chdir(home)
    result = tiendo(*call)
    assert result.exit_code == 2
    assert len(result.output) > 20
    assert "Traceback" not in result.output


ALLOCATION = "decision_no,signed_on,effective_on,budget_year,commune_code,project_code,capital_kind,source,amount_vnd\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\xfa\xff", "không phải tệp CSV"),
        (b"", "thiếu cột decision_no"),
        (b"decision_no;amount_vnd\n1;2\n", "thiếu cột decision_no"),
        (f"{ALLOCATION}1/QĐ,2025-10-01".encode(), "dòng 2"),
        (f"{ALLOCATION},2025-10-01,2025-10-01,2025,06517,GNBV-DA2,SN,NSTW,5".encode(), "thiếu số quyết định"),
        (f"{ALLOCATION}1/QĐ,2025-10-01,2025-10-01,2025,06517,GNBV-DA2,TD,NSTW,5".encode(), "loại vốn TD"),
        (f"{ALLOCATION}1/QĐ,2025-10-01,2025-10-01,99999,06517,GNBV-DA2,SN,NSTW,5".encode(), "cột budget_year: “99999”"),
        (f"{ALLOCATION}1/QĐ,2025-10-01,2025-10-01,2025,06517,GNBV-DA2,SN,NSTW,{10**24}".encode(), "không thể có"),
    ],
)
def test_a_file_of_decisions_that_cannot_be_meant_is_refused_with_its_line(
    home: Path, content: bytes, said: str
) -> None:
    path = home / "giao-von.csv"
    path.write_bytes(content)
    result = tiendo("reference", "load", "--allocation", path)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_decisions_saved_by_excel_as_utf_8_are_read(home: Path) -> None:
    path = home / "giao-von.csv"
    line = "7/QĐ-UBND,2025-10-01,2025-10-01,2025,06517,GNBV-DA2,SN,NSTW,5000000\n"
    path.write_text(ALLOCATION + line, encoding="utf-8-sig")
    assert "1 dòng mới" in tiendo("reference", "load", "--allocation", path).output
    assert "0 dòng mới" in tiendo("reference", "load", "--allocation", path).output


def test_check_prepares_a_warehouse_that_has_nothing_yet(home: Path, warehouse: str, monkeypatch) -> None:
    path = home / name()
    path.write_bytes(workbook())
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("create database bare")
    monkeypatch.setenv("TIENDO_WAREHOUSE_URL", conninfo.make_conninfo(warehouse, dbname="bare"))
    settings.reload()
    assert tiendo("check", path).exit_code == 0


def test_what_the_warehouse_refuses_is_told_without_a_traceback(home: Path, warehouse: str, monkeypatch) -> None:
    path = home / name()
    path.write_bytes(workbook())
    read_only = conninfo.make_conninfo(warehouse, options="-c default_transaction_read_only=on")
    monkeypatch.setenv("TIENDO_WAREHOUSE_URL", read_only)
    settings.reload()
    monkeypatch.setattr("etl.load.warehouse.connect", lambda *_: psycopg.connect(read_only))
    result = tiendo("db", "migrate")
    assert result.exit_code == 2
    assert "Kho dữ liệu từ chối" in result.output


def test_a_month_without_any_report_has_documents_that_say_so(home: Path) -> None:
    result = tiendo("summarise", "--period", "2026-05")
    assert result.exit_code == 0, result.output
    message = home / "var" / "out" / "2026-05" / "2026-05-r1" / "tin-nhan-2026-05.txt"
    assert "Chưa có báo cáo nào được chấp nhận (0/65 xã, phường)." in message.read_text(encoding="utf-8")


def collected(home: Path) -> None:
    """The October reports of three communes are in the warehouse, with the decisions that they rest on."""
    assert tiendo("sample", "--period", "2025-10", "--out", home / "s", "--communes", 3).exit_code == 0
    loaded = tiendo("reference", "load", "--allocation", home / "s" / "reference" / "allocation.csv")
    assert loaded.exit_code == 0, loaded.output
    inbox = home / "var" / "inbox"
    inbox.mkdir(parents=True)
    for path in (home / "s").glob("*.xlsx"):
        path.rename(inbox / path.name)
    result = json.loads(tiendo("collect", "--json").stdout)
    assert result["archive"]["seen"] == 3
    assert (result["process"]["returned"], result["process"]["refused"]) == (0, 0)


def test_from_sample_to_published_summary_without_airflow(home: Path) -> None:
    collected(home)
    frozen = json.loads(tiendo("summarise", "--period", "2025-10", "--json").stdout)
    assert tiendo("publish", "--release", frozen["release_id"]).exit_code == 1
    approval = ("--release", frozen["release_id"], "--by", "thu_ky")
    assert tiendo("approve", *approval, "--manifest", "0" * 64).exit_code == 1
    nobody = ("--release", frozen["release_id"], "--by", " ", "--manifest", frozen["manifest_sha256"])
    assert tiendo("approve", *nobody).exit_code == 2
    assert "chờ phê duyệt" in tiendo("summarise", "--period", "2025-10").stdout
    assert tiendo("approve", *approval, "--manifest", frozen["manifest_sha256"]).exit_code == 0
    assert "đã phê duyệt, chưa phát hành" in tiendo("summarise", "--period", "2025-10").stdout
    sent = json.loads(tiendo("publish", "--release", frozen["release_id"], "--json").stdout)
    assert sent["delivered"] > 0
    again = json.loads(tiendo("publish", "--release", frozen["release_id"], "--json").stdout)
    assert (again["delivered"], again["already"]) == (0, sent["delivered"])
    assert json.loads(tiendo("summarise", "--period", "2025-10", "--json").stdout)["published"]
    traced = json.loads(tiendo("trace", f"{frozen['release_id']}/rate_total", "--json").stdout)
    assert traced["agrees"]


def test_a_mail_that_was_refused_goes_out_again_only_when_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiendo("sample", "--period", "2025-09", "--out", home / "var" / "inbox", "--communes", 1)
    tiendo("collect")
    frozen = json.loads(tiendo("summarise", "--period", "2025-09", "--json").stdout)
    release = ("--release", frozen["release_id"])
    tiendo("approve", *release, "--by", "thu_ky", "--manifest", frozen["manifest_sha256"])
    whole_send = deliver.Outbox.send

    def full_disk(self: deliver.Outbox, message: EmailMessage, recipient: deliver.Recipient) -> None:
        if recipient.code == refused:
            raise deliver.RefusedError("hết chỗ")
        whole_send(self, message, recipient)

    refused = deliver.active_recipients(settings.get().reference_dir)[1].code
    with monkeypatch.context() as patch:
        patch.setattr(deliver.Outbox, "send", full_disk)
        first = tiendo("publish", *release, "--json")
    assert (first.exit_code, json.loads(first.stdout)["failed"]) == (1, 1)
    again, asked = tiendo("publish", *release, "--json"), tiendo("publish", *release, "--retry-failed", "--json")
    assert (again.exit_code, json.loads(again.stdout)["failed"]) == (1, 1)
    assert (asked.exit_code, json.loads(asked.stdout)["delivered"]) == (0, 1)


def test_the_next_template_is_filled_from_the_warehouse_and_comes_back_clean(home: Path) -> None:
    collected(home)
    result = tiendo("template", "--period", "2025-11", "--commune", QUAN_SON, "--out", home / "t")
    assert result.exit_code == 0, result.output
    path = home / "t" / f"BC-MTQG_{QUAN_SON}_2025-11_v1.xlsx"
    sheet = load_workbook(path, data_only=True)["B01-GiaiNgan"]
    leaves = [row for row in sheet.iter_rows(min_row=11) if str(row[2].value or "").endswith(("-DT", "-SN"))]
    assert len(leaves) > 10
    assert all(row[3].value == sum(c.value for c in row[4:9]) > 0 for row in leaves)
    assert all(row[11].value is None for row in leaves)
    tasks = load_workbook(path)["B03-NhiemVu"]
    assert str(tasks["B11"].value).startswith("QS-2025-10-")
    checked = json.loads(tiendo("check", path, "--json", "--offline").stdout)
    assert {f["rule"] for f in checked["findings"]} == {"M08"}


def test_tasks_are_printed_with_their_derived_states(home: Path) -> None:
    found = json.loads(tiendo("tasks", "--as-of", "2025-10-31", "--json").stdout)
    assert len(found) == 21
    assert {"item", "lead", "due_date", "due_kind", "state", "days_overdue"} <= set(found[0])
    assert tiendo("tasks", "--as-of", "2025-10-31").exit_code == 0


def test_no_text_of_a_commune_is_cut_off_in_the_report(home: Path) -> None:
    def long_texts(book) -> None:
        sheet = book["B04-KienNghi"]
        texts = {"D": "vướng mắc giải phóng mặt bằng kéo dài ", "E": "nguyên nhân ", "F": "đề nghị bố trí thêm vốn "}
        for letter, text in texts.items():
            sheet[f"{letter}11"] = text * 80 + f"KETTHUC{letter}"
        for letter, value in {"C": "GNBV-DA2", "G": "Sở Tài chính", "H": "Vốn", "I": "Chưa giải quyết"}.items():
            sheet[f"{letter}11"] = value

    inbox = home / "var" / "inbox"
    inbox.mkdir(parents=True)
    (inbox / name("05977")).write_bytes(edited(long_texts, workbook("05977")))
    assert json.loads(tiendo("collect", "--json").stdout)["process"]["accepted"] == 1
    # Where October is out already, the report waits for an officer.
    for late in json.loads(tiendo("revisions", "--json").stdout):
        decision = ("--accept", "--by", "Lương Văn Đức", "--reason", "Công văn 12/UBND")
        assert tiendo("revise", "--submission", str(late["submission"]), *decision).exit_code == 0
    frozen = json.loads(tiendo("summarise", "--period", "2025-10", "--json").stdout)
    files = {a["name"]: a["path"] for a in frozen["artifacts"]}
    pages = PdfReader(files["bao-cao-2025-10.pdf"]).pages
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert "KETTHUCD" in text
    assert "KETTHUCF" in text
    assert len(PdfReader(files["tom-tat-2025-10.pdf"]).pages) == 1
