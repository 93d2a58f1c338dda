"""Loading: idempotent, append-only, and the same whatever happens on the way."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.rows import dict_row

from etl import settings, steps
from etl.collect import archive, intake
from etl.load import submission, warehouse
from etl.load.warehouse import Connection
from tests.builders import OCTOBER, QUAN_SON, edited, name, workbook
from tests.databases import copy_of
from tests.sql.conftest import NOW, Loaded, point

FACTS = ("disbursement", "output_indicator", "task_report", "proposal", "roadmap", "off_budget")


def fingerprint(connection: Connection) -> dict[str, str]:
    """Content of every fact table without the ids that a sequence gave out."""
    found = {}
    for table in FACTS:
        query = f"""
            select coalesce(md5(string_agg(md5(row_to_json(x)::text), '' order by s.sha256, x.row_no)), '')
            from core.{table} as t inner join raw.submission as s on t.submission_id = s.submission_id
            cross join lateral (select (jsonb_populate_record(t, '{{"submission_id": 0}}')).*) as x
        """
        found[table] = connection.execute(query).fetchone()[0]
    return found


def put(home: Path, data: bytes, file_name: str = name(), at: datetime = NOW) -> Path:
    """A file arriving in the inbox at a moment."""
    import os

    path = home / "inbox" / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def collect(now: datetime = NOW) -> dict[str, int]:
    steps.archive_inbox(now)
    return steps.process_received(now)


def in_force(connection: Connection) -> dict[str, str]:
    rows = connection.execute("select commune_code, file_name from core.in_force('infinity') where period = '2025-10'")
    return dict(rows.fetchall())


def amount(connection: Connection, line: str, key: str = "disb_ytd") -> int:
    row = connection.execute(
        f"select {key} from mart.disbursement_line where commune_code = '06463' and period = '2025-10' "
        "and line_code = %s",
        (line,),
    ).fetchone()
    return int(row[0])


def corrected(by: float = 1.0) -> bytes:
    """The same report with one million đồng more on its first line, consistently."""

    def change(book) -> None:
        sheet = book["B01-GiaiNgan"]
        for letter in "LN":
            sheet[f"{letter}14"] = sheet[f"{letter}14"].value + by
        sheet["R14"] = sheet["R14"].value + by

    return edited(change)


def test_the_same_file_twice_changes_nothing(empty: Path) -> None:
    put(empty, workbook())
    assert collect() == {"accepted": 1, "returned": 0, "refused": 0, "findings": 0}
    put(empty, workbook(), "ban sao.xlsx", NOW + timedelta(days=1))
    assert collect(NOW + timedelta(days=1)) == {"accepted": 0, "returned": 0, "refused": 0, "findings": 0}
    with warehouse.connect() as connection:
        counts = connection.execute(
            "select (select count(*) from raw.submission), (select count(*) from raw.delivery)"
        ).fetchone()
    assert counts == (1, 2)


def test_a_correction_supersedes_and_the_first_report_stays(empty: Path) -> None:
    put(empty, workbook())
    collect()
    with warehouse.connect() as connection:
        before = amount(connection, "GNBV-DA4-TDA3-SN")
    later = NOW + timedelta(days=2)
    put(empty, corrected(), name().replace("_v1", "_v2"), later)
    assert collect(later)["accepted"] == 1
    with warehouse.connect() as connection:
        assert amount(connection, "GNBV-DA4-TDA3-SN") == before + 1_000_000
        then = connection.execute(
            "select sum(disb_ytd) from mart.disbursement_line_at(%s) where line_code = 'GNBV-DA4-TDA3-SN'", (NOW,)
        ).fetchone()
        assert int(then[0]) == before
        ranges = connection.execute(
            "select upper_inf(in_force), isempty(in_force) from raw.submission_in_force order by submission_id"
        ).fetchall()
    assert ranges == [(False, False), (True, False)]


def test_what_arrives_together_is_ordered_by_the_senders_time_and_version(empty: Path) -> None:
    put(empty, corrected(), name().replace("_v1", "_v2"), NOW - timedelta(days=1))
    put(empty, workbook(), name(), NOW - timedelta(days=2))
    collect()
    with warehouse.connect() as connection:
        assert in_force(connection) == {"06463": name().replace("_v1", "_v2")}
        ranges = connection.execute(
            "select isempty(in_force) from raw.submission_in_force order by submission_id"
        ).fetchall()
    assert sorted(ranges) == [(False,), (True,)]


@pytest.mark.parametrize("days", [-400, 4000], ids=["old date", "date in the future"])
def test_a_later_file_is_the_later_word_whatever_date_it_carries(empty: Path, days: int) -> None:
    put(empty, workbook())
    collect()
    put(empty, corrected(), name().replace("_v1", "_v2"), NOW + timedelta(days=days))
    collect(NOW + timedelta(days=1))
    with warehouse.connect() as connection:
        assert in_force(connection) == {"06463": name().replace("_v1", "_v2")}
    put(empty, corrected(2.0), name().replace("_v1", "_v3"), NOW + timedelta(days=1))
    collect(NOW + timedelta(days=2))
    with warehouse.connect() as connection:
        assert in_force(connection) == {"06463": name().replace("_v1", "_v3")}
        latest = connection.execute("select max(received_at) from raw.submission").fetchone()
    assert latest[0] <= NOW + timedelta(days=2)


def test_a_wrong_correction_does_not_displace_the_good_report(empty: Path) -> None:
    put(empty, workbook())
    collect()

    def spoil(book) -> None:
        book["B01-GiaiNgan"]["L14"] = "không"

    put(empty, edited(spoil, values=True), name().replace("_v1", "_v2"), NOW + timedelta(days=1))
    assert collect(NOW + timedelta(days=1))["returned"] == 1
    with warehouse.connect() as connection:
        assert in_force(connection) == {"06463": name()}


def test_one_broken_workbook_stops_only_itself(own: Loaded) -> None:
    with warehouse.connect() as connection:
        before = fingerprint(connection)
    put(own.home, b"PK\x03\x04 broken", name(QUAN_SON).replace("_v1", "_v2"))
    put(own.home, workbook("06463")[:9000], name().replace("_v1", "_v3"))
    put(own.home, corrected(), name().replace("_v1", "_v2"), NOW + timedelta(days=1))
    # The corrected report has two remarks of its own: money paid back with a note, and a figure that stands still.
    assert collect() == {"accepted": 1, "returned": 0, "refused": 2, "findings": 4}
    with warehouse.connect() as connection:
        assert fingerprint(connection) != before
        assert connection.execute("select count(*) from core.in_force('infinity')").fetchone() == (195,)


def test_a_refused_file_is_archived_and_handed_back_with_its_reason(empty: Path) -> None:
    put(empty, b"%PDF-1.4 scan", "BC-MTQG_06517_2025-10_v1.xlsx")
    collect()
    result = steps.hand_back(NOW)
    assert result["written"] == 1
    with warehouse.connect() as connection:
        row = connection.execute("select sha256, verdict, commune_code, period from raw.submission").fetchone()
    assert row[1:] == ("refused", "06517", "2025-10")
    assert archive.fetch(settings.get().archive_dir, row[0]) == b"%PDF-1.4 scan"
    returned = list((empty / "out" / "2025-10" / "tra-lai").iterdir())
    assert sorted(p.suffix for p in returned) == [".pdf", ".txt", ".xlsx"]
    again = steps.hand_back(NOW)
    assert (again["written"], again["receipts"]) == (0, 0)


class Killed(BaseException):
    """Stands for the end of the process: nothing after it runs."""


KILL_POINTS = [
    (archive, "store_pieces"),
    (archive, "register"),
    (submission, "_insert_submission"),
    (submission, "insert_facts"),
    (submission, "_copy"),
    (submission, "load"),
]


@pytest.mark.parametrize(("module", "function"), KILL_POINTS, ids=lambda v: getattr(v, "__name__", v))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killing_it_anywhere_and_running_again_gives_the_same_warehouse(
    empty: Path, own_reference: dict[str, str], module, function: str, after: bool
) -> None:
    for commune in COMMUNES:
        put(empty, workbook(commune), name(commune))
    real, calls = getattr(module, function), 0

    def dies(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == 2 and not after:
            raise Killed
        result = real(*args, **kwargs)
        if calls == 2:
            raise Killed
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, function, dies)
        patch.setattr(intake, "_TOGETHER", 1)
        with pytest.raises(Killed):
            collect()
    collect(NOW + timedelta(hours=1))
    with warehouse.connect() as connection:
        assert fingerprint(connection) == own_reference
        assert connection.execute("select count(*) from raw.submission").fetchone() == (len(COMMUNES),)


COMMUNES = ("06463", QUAN_SON, "05977")


@pytest.fixture(scope="module")
def own_reference(prepared_once: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The facts of an undisturbed run."""
    home = tmp_path_factory.mktemp("undisturbed")
    with copy_of(prepared_once) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        for commune in COMMUNES:
            put(home, workbook(commune), name(commune))
        collect()
        with warehouse.connect() as connection:
            result = fingerprint(connection)
    settings.reload()
    return result


def test_a_file_that_is_still_being_uploaded_is_left_alone(empty: Path) -> None:
    put(empty, b"half", "BC.xlsx.part")
    put(empty, b"lock", "~$BC.xlsx")
    put(empty, b"{}", "truth.json")
    assert steps.archive_inbox(NOW)["seen"] == 0


def test_an_archive_that_was_tampered_with_is_noticed(empty: Path) -> None:
    from etl.errors import InfrastructureError

    put(empty, workbook())
    steps.archive_inbox(NOW)
    original = next(p for p in settings.get().archive_dir.rglob("*") if p.is_file())
    original.chmod(0o644)
    original.write_bytes(b"other")
    with pytest.raises(InfrastructureError, match="thay đổi"):
        steps.process_received(NOW)


def test_a_cell_leads_back_from_each_fact(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        rows = (
            connection.cursor(row_factory=dict_row)
            .execute(
                """
                select count(*) as facts, count(y.columns ->> 'disb_ytd') as traced
                from core.disbursement as d
                left join raw.sheet_layout as y on d.submission_id = y.submission_id and y.form = 'B01'
                """
            )
            .fetchall()
        )
    assert rows[0]["facts"] == rows[0]["traced"] > 0


def test_late_is_derived_from_the_calendar(empty: Path) -> None:
    on_time = datetime(2025, 11, 7, 16, 59, tzinfo=UTC)
    put(empty, workbook(), name(), on_time)
    put(empty, workbook(QUAN_SON), name(QUAN_SON), on_time + timedelta(hours=1, minutes=1))
    collect(NOW)
    with warehouse.connect() as connection:
        late = dict(
            connection.execute(
                "select commune_code, late_days from mart.submission_status "
                "where period = '2025-10' and state = 'reported'"
            ).fetchall()
        )
    assert late == {"06463": 0, QUAN_SON: 1}


def test_the_months_of_the_sample_are_reported_by_all(loaded: Loaded) -> None:
    with warehouse.connect() as connection:
        rows = connection.execute(
            "select period, communes_reported from mart.completeness where communes_reported > 0 order by 1"
        ).fetchall()
    assert rows == [("2025-08", 65), ("2025-09", 65), (str(OCTOBER), 65)]


def test_a_copy_of_the_inbox_elsewhere_adds_no_fact(own: Loaded) -> None:
    with warehouse.connect() as connection:
        before = fingerprint(connection)
    shutil.copytree(own.months[OCTOBER], own.home / "inbox" / "again")
    assert collect(NOW + timedelta(days=1)) == {"accepted": 0, "returned": 0, "refused": 0, "findings": 0}
    with warehouse.connect() as connection:
        assert fingerprint(connection) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b["B01-GiaiNgan"].__setitem__("R14", 1e300),
        lambda b: [b["B01-GiaiNgan"].__setitem__(f"E{r}", 9e11) for r in range(11, 60)],
        lambda b: [b["B05-LoTrinh"].__setitem__(f"F{r}", 9e11) for r in range(11, 40)],
        lambda b: b["B01-GiaiNgan"].__setitem__("T14", "dòng một_x0000_\tdòng hai_x000B_"),
        lambda b: b["B02-ChiTieu"].__setitem__("I11", -1e250),
        lambda b: [b["B01-GiaiNgan"].__setitem__(f"C{r}", "NKH-TDCS-DUNO") for r in range(80, 140)],
        lambda b: [b["B01-GiaiNgan"].__setitem__(f"C{r}", f"NKH-{r}") for r in range(80, 140)],
        lambda b: [b["B05-LoTrinh"].__setitem__(f"C{r}", "GNBV-DA2-SN") for r in range(11, 40)],
        lambda b: b["B04-KienNghi"].__setitem__("D11", "=1+1"),
        lambda b: b["B03-NhiemVu"].__setitem__("B11", "x" * 30_000),
        lambda b: b["B01-GiaiNgan"].__setitem__("C14", "'; drop table core.task; --"),
    ],
    ids=range(11),
)
def test_nothing_in_a_workbook_can_stop_the_others(empty: Path, change) -> None:
    put(empty, edited(change, values=True))
    put(empty, workbook(QUAN_SON), name(QUAN_SON))
    done = collect()
    assert done["accepted"] >= 1
    assert done["accepted"] + done["returned"] == 2
    with warehouse.connect() as connection:
        assert QUAN_SON in in_force(connection)


def test_a_file_that_may_not_be_read_or_has_an_odd_name_stops_nobody(empty: Path) -> None:
    import os

    inbox = empty / "inbox"
    inbox.mkdir()
    (inbox / "gone.xlsx").symlink_to(inbox / "nowhere.xlsx")
    Path(os.fsdecode(os.fsencode(inbox) + b"/b\xe1o c\xe1o.xlsx")).write_bytes(workbook())
    result = steps.archive_inbox(NOW)
    assert (result["seen"], result["new"]) == (1, 1)
    assert steps.process_received(NOW)["accepted"] == 1
