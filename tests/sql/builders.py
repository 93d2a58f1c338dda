"""Builders of warehouse rows: reference data of the province, and reports of communes without a workbook.

A report is inserted as the loader would: an archived original, an accepted submission, its leaf lines. Amounts are
whole đồng.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from etl.collect import archive
from etl.load import warehouse
from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import checks, figures
from etl.publish.figure import FigureSet, ordered
from etl.reference import load as reference
from etl.reference.province import Province, load
from tests import databases

TRIEU = 1_000_000
TY = 1_000_000_000
LOADED = datetime(2025, 7, 1, tzinfo=UTC)


@contextmanager
def copy_of(address: str) -> Iterator[Connection]:
    """A connection to a throw-away copy of a warehouse, in which a test may commit what it likes."""
    with databases.copy_of(address) as own, warehouse.connect(own) as connection:
        yield connection


def province() -> Province:
    return load()


def reference_data(connection: Connection) -> None:
    """The province's reference rows and its task register, known from LOADED on."""
    reference.load(connection, province(), LOADED)
    connection.commit()


def line(
    code: str, kind: str, plan: int, disbursed: int, *, carry: int = 0, disb_carry: int = 0, month: int = 0
) -> dict[str, Any]:
    """One leaf line of Biểu 01: ``plan`` given in the year and ``carry`` carried over, all from the central budget."""
    return {
        "line_code": f"{code}-{kind}",
        "project_code": code,
        "capital_kind": kind,
        "plan_total": plan + carry,
        "plan_nstw": plan,
        "plan_nst": 0,
        "plan_nsx": 0,
        "carry_nstw": carry,
        "carry_nsdp": 0,
        "disb_period": month,
        "disb_ytd": disbursed,
        "disb_nstw": disbursed,
        "disb_nsdp": 0,
        "disb_completed": disbursed,
        "disb_advance": 0,
        "disb_carry": disb_carry,
    }


def submission(
    connection: Connection,
    commune: str,
    period: str,
    *,
    verdict: str = "accepted",
    received_at: datetime | None = None,
    budget_year: int | None = None,
    version: int = 1,
    as_of: date | None = None,
    **more: Any,
) -> int:
    """A judged workbook; returns its number. Known at the moment it was received. ``more`` are further columns.

    ``as_of``: of a month that the province's calendar lacks; it is received a week later.
    """
    if as_of is None:
        window = province().window(Period.parse(period), budget_year)
        as_of, due, budget_year = window.as_of, window.due_on, window.budget_year
    else:
        due, budget_year = as_of + timedelta(days=7), budget_year or as_of.year
    received = received_at or datetime(due.year, due.month, due.day, 3, tzinfo=UTC)
    sha256 = hashlib.sha256(f"{commune} {period} {budget_year} {version} {received}".encode()).hexdigest()
    connection.execute("insert into raw.original values (%s, 1, %s, %s)", (sha256, sha256, received))
    values = {
        "sha256": sha256,
        "file_name": f"BC-MTQG_{commune}_{period}_v{version}.xlsx",
        "verdict": verdict,
        "commune_code": commune,
        "period": period,
        "budget_year": budget_year,
        "as_of": as_of,
        "version_no": version,
        "received_at": received,
        "archived_at": received,
        "known_at": received,
        **more,
    }
    row = connection.execute(
        f"insert into raw.submission ({', '.join(values)}) values ({', '.join(['%s'] * len(values))}) "
        "returning submission_id",
        list(values.values()),
    ).fetchone()
    return int(row[0])


def _insert(connection: Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if not rows:
        return
    columns = list(rows[0])
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into core.{table} ({', '.join(columns)}) values ({places})",
            [[row[c] for c in columns] for row in rows],
        )


def report(
    connection: Connection,
    commune: str,
    period: str,
    lines: Sequence[dict[str, Any]],
    *,
    proposals: Sequence[dict[str, Any]] = (),
    outputs: Sequence[dict[str, Any]] = (),
    tasks: Sequence[dict[str, Any]] = (),
    roadmap: Sequence[dict[str, Any]] = (),
    off_budget: Sequence[dict[str, Any]] = (),
    **more: Any,
) -> int:
    """An accepted report of a commune with these leaf lines, proposals, outputs, reports on tasks and so on."""
    number = submission(connection, commune, period, **more)
    year = more.get("budget_year") or Period.parse(period).year
    facts(
        connection, number, (commune, period, year), lines, proposals=proposals, outputs=outputs, tasks=tasks,
        roadmap=roadmap, off_budget=off_budget,
    )  # fmt: skip
    return number


def facts(
    connection: Connection,
    number: int,
    of: tuple[str, str, int],
    lines: Sequence[dict[str, Any]],
    *,
    proposals: Sequence[dict[str, Any]] = (),
    outputs: Sequence[dict[str, Any]] = (),
    tasks: Sequence[dict[str, Any]] = (),
    roadmap: Sequence[dict[str, Any]] = (),
    off_budget: Sequence[dict[str, Any]] = (),
) -> None:
    """The rows of a submission of a commune, period and budget year."""
    commune, period, year = of
    key = {"submission_id": number, "commune_code": commune, "period": period, "budget_year": year}
    for table, rows in (
        ("disbursement", lines),
        ("proposal", proposals),
        ("output_indicator", outputs),
        ("task_report", tasks),
        ("roadmap", roadmap),
        ("off_budget", off_budget),
    ):
        _insert(connection, table, [{**key, "row_no": n, **row} for n, row in enumerate(rows, 11)])


def proposal(issue_id: str, addressee: str, text: str, *, state: str = "Chưa giải quyết") -> dict[str, Any]:
    return {
        "issue_id": issue_id,
        "is_new": True,
        "project_code": "NTM-ND02",
        "problem": "Thiếu mặt bằng thi công",
        "proposal": text,
        "addressee": addressee,
        "category": "Vốn",
        "state": state,
    }


def allocate(connection: Connection, commune: str, code: str, kind: str, amount: int, source: str = "NSTW") -> None:
    connection.execute(
        "insert into ref.allocation values "
        "('1/QĐ-UBND', '2025-01-05', '2025-01-05', 2025, %s, %s, %s, %s, %s, null, %s)",
        (commune, code, kind, source, amount, LOADED),
    )


# A whole province, for documents: every commune with a handful of lines along an S-curve, without chance.

_LINES = (
    ("GNBV-DA2", "SN"),
    ("GNBV-DA3-TDA1", "SN"),
    ("GNBV-DA7-TDA1", "SN"),
    ("DTTS-DA1-ND2", "DT"),
    ("DTTS-DA3-TDA1", "SN"),
    ("DTTS-DA4-TDA1", "DT"),
    ("DTTS-DA4-TDA1", "SN"),
    ("DTTS-DA6", "SN"),
    ("NTM-ND02", "DT"),
    ("NTM-ND03", "SN"),
)
_PACE = {"2025-07": 12, "2025-08": 20, "2025-09": 30, "2025-10": 41}
_MISSING = {"2025-09": ("06232",), "2025-10": ("06004", "06124", "06565")}
_LATE = ("06529", "06541")
_AT_ZERO = ("06517", "06001", "06040", "06073")


def _share(commune: str, code: str) -> int:
    """A fixed whole number from 0 to 999 for a commune and line."""
    return int.from_bytes(hashlib.sha256(f"{commune}/{code}".encode()).digest()[:4]) % 1000


def _commune_lines(commune: str, kind: str, period: str) -> list[dict[str, Any]]:
    rows = []
    before = str(Period.parse(period).previous)
    for code, capital in _LINES:
        if code.startswith("NTM") and kind == "phường":
            continue
        share = _share(commune, code + capital)
        plan = (600 + 3 * share) * TRIEU * (2 if capital == "DT" else 1)
        carry = (share % 5) * 150 * TRIEU
        reached, reached_before = (
            0 if commune in _AT_ZERO else min(_PACE.get(p, 5) * (40 + share % 120), 9_700) for p in (period, before)
        )
        paid, paid_before = (plan + carry) * reached // 10_000, (plan + carry) * reached_before // 10_000
        from_carry = min(carry, paid // 4)
        rows.append(line(code, capital, plan, paid, carry=carry, disb_carry=from_carry, month=paid - paid_before))
    return rows


def _commune_proposals(commune: str, name: str) -> list[dict[str, Any]]:
    share = _share(commune, "KN")
    if share % 3:
        return []
    addressee = ("Sở Tài chính", "UBND tỉnh", "Sở Nông nghiệp và Môi trường", "Sở Xây dựng")[share % 4]
    return [
        {
            **proposal(
                f"KN-{commune}-2025-10-01",
                addressee,
                f"Đề nghị {addressee} xem xét, bố trí bổ sung vốn để hoàn thành tuyến đường trục chính của {name}, "
                "đồng thời hướng dẫn thủ tục điều chỉnh danh mục dự án không còn đối tượng thụ hưởng.",
                state=("Chưa giải quyết", "Đang giải quyết", "Đã giải quyết")[share % 7 % 3],
            ),
            "adjust_amount": share * TRIEU,
        }
    ]


def _commune_outputs(commune: str) -> list[dict[str, Any]]:
    rows = []
    for number, code in enumerate(("CT-01", "CT-03", "CT-08", "CT-13", "CT-16", "CT-20", "CT-22")):
        share = _share(commune, code)
        target, done = Decimal(5 + share % 20), Decimal(share % 5 + number % 2)
        if code == "CT-13":
            target, done = target / 4, done / 4
        rows.append({"indicator_code": code, "target_year": target, "actual_period": done / 2, "actual_ytd": done})
    return rows


def province_month(connection: Connection, period: str) -> None:
    """Reports of all communes for one month of 2025, some missing, late or returned."""
    window = province().window(Period.parse(period))
    on_time = datetime(window.due_on.year, window.due_on.month, window.due_on.day, 2, tzinfo=UTC)
    missing = _MISSING.get(period, ())
    for commune in province().communes.values():
        if commune.code in missing:
            if commune.code == missing[-1]:
                submission(connection, commune.code, period, verdict="returned", received_at=on_time)
            continue
        late = timedelta(days=2 if commune.code in _LATE else 0)
        report(
            connection,
            commune.code,
            period,
            _commune_lines(commune.code, commune.kind, period),
            proposals=_commune_proposals(commune.code, commune.name_vi),
            outputs=_commune_outputs(commune.code),
            received_at=on_time + late,
        )


def allocate_province(connection: Connection) -> None:
    """The register of allocation decisions that the reports of ``province_month`` follow, but for one commune."""
    with connection.cursor() as cursor:
        rows = []
        for commune in province().communes.values():
            for row in _commune_lines(commune.code, commune.kind, "2025-10"):
                for source, key in (("NSTW", "plan_nstw"), ("KD_NSTW", "carry_nstw")):
                    amount = row[key] + (250 * TRIEU if commune.code == "06196" and source == "NSTW" else 0)
                    rows.append((commune.code, row["project_code"], row["capital_kind"], source, amount, LOADED))
        cursor.executemany(
            "insert into ref.allocation values "
            "('1/QĐ-UBND', '2025-01-05', '2025-01-05', 2025, %s, %s, %s, %s, %s, null, %s)",
            rows,
        )


def whole_province(connection: Connection, periods: Sequence[str] = ("2025-08", "2025-09", "2025-10")) -> None:
    """Reference data, allocation decisions and these months, committed."""
    reference_data(connection)
    allocate_province(connection)
    for period in periods:
        province_month(connection, period)
    connection.commit()


def delivered(
    connection: Connection, inbox: str, file_name: str, sha256: str, received_at: datetime, now: datetime, **more: Any
) -> None:
    """A delivery as an inbox registers it; ``more`` are further fields of ``archive.Delivery``."""
    delivery = archive.Delivery(sha256, 1, inbox, more.pop("path", file_name), file_name, received_at, **more)
    fetched = archive.Fetched(delivery.path, f"{sha256}-{received_at:%s}", [delivery])
    archive.register(connection, inbox, [fetched], now)


def whole_province_frozen(address: str, now: datetime) -> FigureSet:
    """The figures of October 2025 of ``whole_province`` as known at ``now``."""
    period = Period(2025, 10)
    with warehouse.connect(address) as connection:
        whole_province(connection)
        found = checks.of_figures(connection, period, 2025, now)
        rows = figures.compute(connection, period, 2025, now, found)
    return FigureSet(f"{period}-r1", period, 2025, now, ordered(rows))
