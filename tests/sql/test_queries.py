"""The twenty canonical questions: each answer is worked out here in plain Python from what the sample says it sent, and
must be what the query says to an analyst."""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from etl import clock
from etl.cli import app
from etl.compute import queries
from etl.errors import UsageError
from etl.load import server
from etl.load import warehouse as db
from etl.period import Period
from etl.reference import province
from tests.builders import name as file_name
from tests.builders import simulation
from tests.sql.conftest import NOW
from tests.sql.published import (
    NOVEMBER,
    OCTOBER,
    REVISED,
    REVISED_BY_VND,
    REVISED_COMMUNE,
    SEPTEMBER,
    Published,
)

Row = dict[str, Any]
AUGUST = Period(2025, 8)
REPORTED = (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER)
REVISED_LINE = "GNBV-DA4-TDA3-SN"
OVERDUE_ON = date(2025, 12, 31)
LISTS = Path(province.load().folder)


@pytest.fixture
def ask(published: Published) -> Callable[..., list[Row]]:
    """The answer to a question, as an analyst gets it."""

    def answer(name: str, **given: str) -> list[Row]:
        with db.connect() as connection:
            connection.execute("set session authorization tiendo_analyst")
            connection.commit()
            columns, rows = queries.run(connection, queries.find(name), given)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    return answer


def rate(part: int, whole: int) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def lines(published: Published, period: Period, *, revised: bool = True) -> list[Row]:
    """Lines of Biểu 01 that count, amounts as whole numbers; with the revision that came after the release."""
    rows = []
    for fact in published.truth(period)["facts"]["B01"]:
        amounts = {
            k: int(v) for k, v in fact.items() if k.startswith(("plan_", "carry_", "disb_")) and k != "disb_rate"
        }
        row = {**fact, **amounts}
        row["plan_assigned"] = row["plan_nstw"] + row["plan_nst"] + row["plan_nsx"]
        row["plan_carry"] = row["carry_nstw"] + row["carry_nsdp"]
        row["plan_total"] = row["plan_assigned"] + row["plan_carry"]
        if revised and (period, row["commune"], row["line_code"]) == (OCTOBER, REVISED_COMMUNE, REVISED_LINE):
            row["disb_nstw"] += REVISED_BY_VND
            row["disb_ytd"] += REVISED_BY_VND
        row["disb_assigned"] = row["disb_ytd"] - row["disb_carry"]
        rows.append(row)
    return rows


def total(rows: Iterable[Mapping[str, Any]], *keys: str) -> int:
    return sum(int(row[key]) for row in rows for key in keys)


def grouped(rows: Iterable[Row], of: Callable[[Row], str]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[of(row)].append(row)
    return dict(groups)


def by_commune(published: Published, period: Period) -> dict[str, list[Row]]:
    return grouped(lines(published, period), lambda r: r["commune"])


def names() -> dict[str, str]:
    return {code: commune.name_vi for code, commune in province.load().communes.items()}


def planned(communes: Iterable[str], period: Period) -> int:
    """What the province's decisions give to these communes, by the sample's own budget."""
    sim = simulation()
    return sum(
        sum(sim.plan(key, 2025, period.month).values())
        for code in communes
        for key in sim.lines(code, 2025, period.month)
    )


def communes_of(published: Published, period: Period, verdict: str = "accepted") -> set[str]:
    return {f["commune"] for f in published.truth(period)["files"] if f["expected"] == verdict}


def due_on(period: Period) -> date:
    with (LISTS / "calendar.csv").open(encoding="utf-8") as handle:
        for row in csv.reader(handle):
            if row[:2] == [str(period), "2025"]:
                return date.fromisoformat(row[4])
    raise LookupError(period)


def sent(published: Published, period: Period) -> dict[str, datetime]:
    """When each commune's file was put there, by the clock of its sender."""
    folder = published.months[period]
    return {
        f["commune"]: datetime.fromtimestamp((folder / f["file"]).stat().st_mtime, clock.LOCAL)
        for f in published.truth(period)["files"]
    }


def days_late(published: Published, period: Period) -> dict[str, int]:
    due = due_on(period)
    return {code: max((at.date() - due).days, 0) for code, at in sent(published, period).items()}


def test_01_rate_by_month(ask: Callable[..., list[Row]], published: Published) -> None:
    expected = []
    for period in REPORTED:
        rows = lines(published, period)
        reported = {r["commune"] for r in rows}
        held, all_of_them = planned(reported, period), planned(simulation().commune_codes, period)
        expected.append(
            {
                "period": str(period),
                "plan_total": total(rows, "plan_total"),
                "disb_ytd": total(rows, "disb_ytd"),
                "rate_total": rate(total(rows, "disb_ytd"), total(rows, "plan_total")),
                "rate_assigned": rate(total(rows, "disb_assigned"), total(rows, "plan_assigned")),
                "rate_carry": rate(total(rows, "disb_carry"), total(rows, "plan_carry")),
                "communes_reported": len(reported),
                "communes_expected": 65,
                "plan_covered_pct": rate(held, all_of_them),
            }
        )
    assert ask("rate_by_month") == expected


def test_02_commune_ranking(ask: Callable[..., list[Row]], published: Published) -> None:
    found = ask("commune_ranking", many="7")
    rates = {
        code: (total(rows, "disb_ytd"), total(rows, "plan_total"))
        for code, rows in by_commune(published, OCTOBER).items()
    }
    lowest = sorted(rates, key=lambda c: (rate(*rates[c]), rates[c][0] - rates[c][1], c))[:7]
    assert len(found) == len(rates) == 65
    for row in found:
        paid, plan = rates[row["commune_code"]]
        better = sum(rate(*other) > rate(paid, plan) for other in rates.values())
        assert row == {
            "rank_rate": better + 1,
            "commune_code": row["commune_code"],
            "commune_vi": names()[row["commune_code"]],
            "plan_total": plan,
            "disb_ytd": paid,
            "undisbursed": plan - paid,
            "rate_total": rate(paid, plan),
            "among_lowest": row["commune_code"] in lowest,
            "at_zero": paid == 0,
        }
    assert [row["commune_code"] for row in reversed(found)][:7] == lowest
    assert any(row["at_zero"] for row in found)


def test_03_undisbursed_by_project(ask: Callable[..., list[Row]], published: Published) -> None:
    nodes = province.load().nodes

    def project(row: Row) -> str:
        code = row["project_code"]
        while nodes[nodes[code].parent_code].parent_code:
            code = nodes[code].parent_code
        return str(code)

    expected = {
        code: {
            "project_code": code,
            "project_vi": nodes[code].name_vi,
            "plan_total": total(rows, "plan_total"),
            "disb_ytd": total(rows, "disb_ytd"),
            "undisbursed": total(rows, "plan_total") - total(rows, "disb_ytd"),
            "rate_total": rate(total(rows, "disb_ytd"), total(rows, "plan_total")),
            "communes_reported": 65,
            "communes_expected": 65,
        }
        for code, rows in grouped(lines(published, OCTOBER), project).items()
    }
    in_order = sorted(expected.values(), key=lambda r: (-r["undisbursed"], r["project_code"]))
    assert ask("undisbursed_by_project") == in_order


def test_04_carry_over_lapsing(ask: Callable[..., list[Row]], published: Published) -> None:
    expected = []
    for code, rows in by_commune(published, OCTOBER).items():
        plan, paid = total(rows, "plan_carry"), total(rows, "disb_carry")
        if plan > paid:
            expected.append(
                {
                    "commune_code": code, "commune_vi": names()[code], "plan_carry": plan, "disb_carry": paid,
                    "undisbursed_carry": plan - paid, "rate_carry": rate(paid, plan), "days_left": 92,
                }
            )  # fmt: skip
    expected.sort(key=lambda r: (-r["undisbursed_carry"], r["commune_code"]))
    assert ask("carry_over_lapsing") == expected


def test_05_rate_change(ask: Callable[..., list[Row]], published: Published) -> None:
    def rates(period: Period) -> dict[str | None, Decimal | None]:
        every: dict[str | None, list[Row]] = {None: lines(published, period), **by_commune(published, period)}
        return {c: rate(total(rows, "disb_ytd"), total(rows, "plan_total")) for c, rows in every.items()}

    now, before = rates(OCTOBER), rates(SEPTEMBER)
    found = ask("rate_change")
    assert {r["commune_code"] for r in found} == set(now)
    for row in found:
        code = row["commune_code"]
        assert (row["rate_total"], row["rate_previous"]) == (now[code], before[code])
        assert row["change_points"] == now[code] - before[code]
        assert row["rate_last_year"] is row["change_last_year_points"] is None
    first, *rest = found
    assert first["commune_code"] is None
    assert [r["change_points"] for r in rest] == sorted(r["change_points"] for r in rest)


def test_06_rate_by_source(ask: Callable[..., list[Row]], published: Published) -> None:
    rows = lines(published, OCTOBER)
    parts = {
        "NSTW": (total(rows, "plan_nstw", "carry_nstw"), total(rows, "disb_nstw")),
        "NSDP": (total(rows, "plan_nst", "plan_nsx", "carry_nsdp"), total(rows, "disb_nsdp")),
    }
    assert ask("rate_by_source") == [
        {
            "source": source, "plan_total": plan, "disb_ytd": paid, "undisbursed": plan - paid,
            "rate_total": rate(paid, plan), "communes_reported": 65, "communes_expected": 65,
        }
        for source, (plan, paid) in parts.items()
    ]  # fmt: skip


def test_07_published_and_known_now(ask: Callable[..., list[Row]], published: Published) -> None:
    before, now = lines(published, OCTOBER, revised=False), lines(published, OCTOBER)
    values = {
        "disb_ytd": ("vnd", total(before, "disb_ytd"), total(now, "disb_ytd")),
        "plan_total": ("vnd", total(before, "plan_total"), total(now, "plan_total")),
        "rate_total": (
            "pct",
            rate(total(before, "disb_ytd"), total(before, "plan_total")),
            rate(total(now, "disb_ytd"), total(now, "plan_total")),
        ),
    }
    assert ask("published_and_known_now") == [
        {
            "release_id": "2025-10-r1", "metric": metric, "unit": unit, "published": old, "known_now": new,
            "difference": new - old, "coverage_n": 65, "coverage_of": 65,
        }
        for metric, (unit, old, new) in values.items()
    ]  # fmt: skip
    assert ask("published_and_known_now")[0]["difference"] == REVISED_BY_VND


def test_08_changed_since_release(ask: Callable[..., list[Row]], published: Published) -> None:
    found = ask("changed_since_release")
    before = lines(published, OCTOBER, revised=False)
    for row, held in zip(found, (before, [r for r in before if r["commune"] == REVISED_COMMUNE]), strict=True):
        assert row["metric"] == "disb_ytd"
        assert row["published"] == total(held, "disb_ytd")
        assert row["current_value"] == total(held, "disb_ytd") + REVISED_BY_VND
        assert row["difference"] == REVISED_BY_VND
    province_row, commune_row = found
    assert (province_row["commune_code"], province_row["submission_id"]) == (None, None)
    assert commune_row["commune_code"] == REVISED_COMMUNE
    assert commune_row["file_name"] == file_name(REVISED_COMMUNE, OCTOBER)
    assert (commune_row["received_at"], commune_row["is_late_revision"]) == (REVISED, True)


def test_09_missing_and_late(ask: Callable[..., list[Row]], published: Published) -> None:
    late = days_late(published, NOVEMBER)
    returned = communes_of(published, NOVEMBER, "returned")
    expected = {("late", c) for c in communes_of(published, NOVEMBER) if late[c]}
    expected |= {("returned", c) for c in returned}
    expected |= {("missing", c) for c in set(simulation().commune_codes) - set(late)}
    found = ask("missing_and_late", period="2025-11")
    assert {(r["state"], r["commune_code"]) for r in found} == expected
    assert len(found) == len(expected) >= 60
    assert returned
    for row in found:
        assert row["due_on"] == due_on(NOVEMBER)
        assert row["commune_vi"] == names()[row["commune_code"]]
        assert row["received_at"] == sent(published, NOVEMBER).get(row["commune_code"])
        assert (row["errors"] > 0) == (row["state"] == "returned")
    october = {c: d for c, d in days_late(published, OCTOBER).items() if d}
    assert {r["commune_code"]: r["late_days"] for r in ask("missing_and_late")} == october


def test_10_punctuality(ask: Callable[..., list[Row]], published: Published) -> None:
    found = {r["commune_code"]: r for r in ask("punctuality", as_of="2025-12-31")}
    late = {period: days_late(published, period) for period in REPORTED}
    accepted = {period: communes_of(published, period) for period in REPORTED}
    for code in simulation().commune_codes:
        counted = [late[p][code] for p in REPORTED if code in accepted[p]]
        assert found.pop(code) == {
            "commune_code": code,
            "commune_vi": names()[code],
            "periods_due": 4,
            "on_time": counted.count(0),
            "late": len(counted) - counted.count(0),
            "not_accepted": 4 - len(counted),
            "days_late": sum(counted),
        }
    assert found == {}


def test_11_overdue_tasks(ask: Callable[..., list[Row]], published: Published) -> None:
    done = {
        (fact["lead"], fact["task_id"])
        for period in REPORTED
        for fact in published.truth(period)["facts"]["B03"]
        if fact["status"] == "Đã hoàn thành" and fact["done_date"] <= OVERDUE_ON.isoformat()
    }
    overdue: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with (LISTS / "tasks.csv").open(encoding="utf-8") as handle:
        for task in csv.DictReader(handle):
            late = (OVERDUE_ON - date.fromisoformat(task["due_date"])).days if task["due_date"] else 0
            if late > 0 and (task["lead_vi"], task["task_id"]) not in done:
                overdue[task["lead_vi"]].append((late, task["task_id"]))
    expected = [
        {
            "lead_vi": lead, "tasks_overdue": len(of), "longest_overdue_days": max(of)[0],
            "tasks": [task for _, task in sorted(of, key=lambda t: (-t[0], t[1]))],
        }
        for lead, of in sorted(overdue.items(), key=lambda item: -max(item[1])[0])
    ]  # fmt: skip
    assert ask("overdue_tasks", as_of=OVERDUE_ON.isoformat()) == expected != []


def test_12_proposals_by_agency_and_age(ask: Callable[..., list[Row]], published: Published) -> None:
    groups: dict[tuple[str, int], list[str]] = defaultdict(list)
    for fact in published.truth(OCTOBER)["facts"]["B04"]:
        if fact["state"] == "Đã giải quyết":
            continue
        begun = Period.parse("-".join(fact["issue_id"].split("-")[2:4])) if fact["issue_id"] else OCTOBER
        groups[fact["addressee"], OCTOBER.month - begun.month].append(fact["commune"])
    expected = [
        {"addressee": to, "months_open": age, "proposals": len(of), "communes": len(set(of))}
        for (to, age), of in sorted(groups.items(), key=lambda item: (item[0][0], -item[0][1]))
    ]
    assert ask("proposals_by_agency_and_age") == expected
    assert len({r["months_open"] for r in expected}) > 1


def test_13_proposals_to_reduce(ask: Callable[..., list[Row]], published: Published) -> None:
    expected = [
        {
            "commune_code": fact["commune"], "commune_vi": names()[fact["commune"]],
            "project_code": fact["project_code"], "reduce_by": -int(fact["adjust_amount"]),
            "addressee": fact["addressee"], "state": fact["state"], "proposal": fact["proposal"],
        }
        for fact in published.truth(OCTOBER)["facts"]["B04"]
        if fact["adjust_amount"] and int(fact["adjust_amount"]) < 0
    ]  # fmt: skip
    expected.sort(key=lambda r: (-r["reduce_by"], r["commune_code"], r["project_code"]))
    assert ask("proposals_to_reduce") == expected != []


def test_14_outputs_against_targets(ask: Callable[..., list[Row]], published: Published) -> None:
    facts = grouped(published.truth(OCTOBER)["facts"]["B02"], lambda r: r["indicator_code"])
    found = ask("outputs_against_targets")
    assert {r["indicator_code"] for r in found} == set(facts)
    for row in found:
        rows = facts[row["indicator_code"]]
        assert (row["unit"], row["communes"]) == (rows[0]["unit"], len(rows))
        if row["unit"] == "%":
            assert row["target_year"] is row["actual_ytd"] is row["rate_year"] is None
            continue
        target, actual = (sum(Decimal(r[key]) for r in rows) for key in ("target_year", "actual_ytd"))
        assert (row["target_year"], row["actual_ytd"]) == (target, actual)
        assert row["rate_year"] == (actual * 100 / target).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_15_plan_against_decisions(ask: Callable[..., list[Row]], published: Published) -> None:
    nodes = province.load().nodes

    def of_programme(rows: list[Row], code: str | None) -> list[Row]:
        return [r for r in rows if code in (None, nodes[r["project_code"]].programme_code)]

    reported = lines(published, OCTOBER)
    with (published.months[OCTOBER] / "reference" / "allocation.csv").open(encoding="utf-8") as handle:
        register = [
            row for row in csv.DictReader(handle)
            if row["commune_code"] != "TINH" and row["budget_year"] == "2025" and row["effective_on"] <= "2025-10-31"
        ]  # fmt: skip
    programmes = sorted({nodes[r["project_code"]].programme_code for r in reported})
    assert ask("plan_against_decisions") == [
        {
            "programme_code": code,
            "plan_reported": total(of_programme(reported, code), "plan_total"),
            "plan_registered": total(of_programme(register, code), "amount_vnd"),
            "plan_registered_reported": total(of_programme(register, code), "amount_vnd"),
            "difference": 0,
        }
        for code in (None, *programmes)
    ]


def test_16_treasury_differences(ask: Callable[..., list[Row]], published: Published) -> None:
    amounts = {p["kind"]: p["amount"] for p in published.planted}
    kinds: dict[str | None, tuple[int, int, int, int | None]] = {
        None: (4, amounts["posting"] + amounts["code"], amounts["amount"], amounts["overdue"]),
        "advance_overdue": (1, 0, 0, amounts["overdue"]),
        "posting_date": (1, amounts["posting"], 0, None),
        "unexplained": (1, 0, amounts["amount"], None),
        "wrong_code": (1, amounts["code"], 0, None),
    }
    assert ask("treasury_differences") == [
        {"kind": kind, "communes": n, "differences": n, "above": above, "below": below, "overdue": overdue}
        for kind, (n, above, below, overdue) in kinds.items()
    ]


def test_17_quality_by_rule(ask: Callable[..., list[Row]], published: Published) -> None:
    """October: a figure that fell though the note says why, one that stood still for three months, one that
    the Treasury contradicts. November: what was planted."""
    months = [{(r["commune"], r["line_code"]): r for r in lines(published, p, revised=False)} for p in REPORTED[:3]]
    fell = [k for k, r in months[2].items() if k in months[1] and r["disb_ytd"] < months[1][k]["disb_ytd"]]
    still = [
        k
        for k, r in months[2].items()
        if 0 < r["disb_ytd"] < r["plan_total"] and all(k in m and m[k]["disb_ytd"] == r["disb_ytd"] for m in months)
    ]
    found = {r["expectation_id"]: r for r in ask("quality_by_rule")}
    outcomes = ("explained", "corrected", "overridden", "still_open")
    for rule, severity, places, outcome in (
        ("CK15-explained", "info", fell, "still_open"),
        ("CK20-same", "warning", still, "explained"),
        ("CK28", "error", [(REVISED_COMMUNE, REVISED_LINE)], "overridden"),
    ):
        assert found.pop(rule) == {
            "expectation_id": rule, "severity": severity, "communes": len({c for c, _ in places}), "found": len(places),
            **dict.fromkeys(outcomes, 0), outcome: len(places),
        }  # fmt: skip
    assert found == {}
    planted = Counter(f["rule"] for f in published.november["findings"] if f["severity"] == "error")
    told = Counter[str]()
    for row in ask("quality_by_rule", period="2025-11"):
        if row["severity"] == "error":
            told[row["expectation_id"].partition("-")[0]] += row["found"]
            assert row["still_open"] == row["found"]
    assert told == planted
    assert told


def test_18_coverage(ask: Callable[..., list[Row]], published: Published) -> None:
    expected = []
    for period in REPORTED:
        accepted, returned = communes_of(published, period), communes_of(published, period, "returned")
        late = days_late(published, period)
        held, every = planned(accepted, period), planned(simulation().commune_codes, period)
        expected.append(
            {
                "period": str(period), "communes_expected": 65, "communes_reported": len(accepted),
                "communes_returned": len(returned), "communes_missing": 65 - len(accepted) - len(returned),
                "communes_late": sum(late[c] > 0 for c in accepted), "plan_covered_vnd": held,
                "plan_registered_vnd": every, "plan_covered_pct": rate(held, every),
            }
        )  # fmt: skip
    assert ask("coverage") == expected


def test_19_where_a_number_comes_from(ask: Callable[..., list[Row]], published: Published) -> None:
    original = published.home / "inbox" / file_name(REVISED_COMMUNE, OCTOBER)
    (row,) = ask("where_a_number_comes_from")
    assert row["file_name"] == original.name
    assert row["sha256"] == hashlib.sha256(original.read_bytes()).hexdigest()
    sheet = load_workbook(original)[row["sheet"]]
    cells = [cell.value for cell in sheet[row["row_no"]]]
    assert REVISED_LINE in cells
    (paid,) = [r["disb_ytd"] for r in lines(published, OCTOBER) if (r["commune"], r["line_code"]) == _revised()]
    assert row["disb_ytd"] == paid


def _revised() -> tuple[str, str]:
    return REVISED_COMMUNE, REVISED_LINE


def test_20_line_as_it_was_known(ask: Callable[..., list[Row]], published: Published) -> None:
    def line(revised: bool) -> Row:
        held = lines(published, OCTOBER, revised=revised)
        return next(r for r in held if (r["commune"], r["line_code"]) == _revised())

    first, second = ask("line_as_it_was_known")
    assert (first["known_from"], first["known_to"]) == (NOW, REVISED)
    assert (second["known_from"], second["known_to"]) == (REVISED, None)
    for row, expected in ((first, line(False)), (second, line(True))):
        assert (row["plan_total"], row["disb_ytd"]) == (expected["plan_total"], expected["disb_ytd"])
    assert first["submission_id"] < second["submission_id"]


def test_there_are_twenty_each_with_question_parameters_and_columns() -> None:
    assert [q.number for q in queries.every()] == list(range(1, 21))
    for path, query in zip(sorted((db.marts.folder().parent / "queries").glob("*.sql")), queries.every(), strict=True):
        text = path.read_text(encoding="utf-8")
        assert (query.vi[-1], query.en[-1]) == ("?", "?"), path.name
        assert set(queries._USED.findall(query.body)) == set(query.parameters), path.name
        told = ", ".join(f"{k} = {v}" for k, v in query.parameters.items())
        assert f"-- Tham số | parameters: {told}\n" in text, path.name
        assert "-- Cột | columns: " in text, path.name


def test_the_header_names_the_columns_in_their_order(published: Published) -> None:
    folder = db.marts.folder().parent / "queries"
    with db.connect() as connection:
        for path, query in zip(sorted(folder.glob("*.sql")), queries.every(), strict=True):
            columns, _ = queries.run(connection, query, {})
            head = path.read_text(encoding="utf-8").partition("columns: ")[2].partition("\n\\")[0]
            at = [head.find(column) for column in columns]
            assert -1 not in at, path.name


def test_psql_gives_the_same_with_and_without_a_parameter(published: Published) -> None:
    path = db.marts.folder().parent / "queries" / "18_coverage.sql"
    for arguments, periods in ((), 4), (("-v", "budget_year=2024"), 0):
        done = subprocess.run(
            [server.client("psql"), published.address, "-X", "-A", "-t", *arguments, "-f", path],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert (len(done.stdout.splitlines()), done.stderr) == (periods, "")


def test_questions_use_nothing_but_mart_and_ref() -> None:
    for query in queries.every():
        schemas = set(re.findall(r"\b(?:from|join)\s+(\w+)\.", query.body))
        assert schemas <= {"mart", "ref"}, query.name


def test_the_command_lists_and_answers(published: Published) -> None:
    run = CliRunner().invoke
    assert "01 rate_by_month" in run(app, ["query"]).output
    told = run(app, ["query", "coverage", "--csv"])
    assert told.output.splitlines()[0].startswith("period,communes_expected,")
    assert len(told.output.splitlines()) == 5
    assert '"disb_ytd": "' in run(app, ["query", "6", "--param", "period=2025-09", "--json"]).output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["21"], "Không có câu hỏi 21"),
        (["coverage", "--param", "month=1"], "Câu 18 không có tham số month; các tham số: budget_year"),
        (["coverage", "--param", "budget_year"], "Tham số phải viết tên=giá trị"),
        (["coverage", "--param", "budget_year=x"], "Tham số không đọc được"),
        (["coverage", "--param", "budget_year=2025'; drop schema mart; --"], "Tham số không đọc được"),
    ],
)
def test_a_wrong_question_is_told_in_vietnamese(published: Published, arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["query", *arguments])
    assert result.exit_code == 2
    assert told in result.output


def test_a_question_cannot_write(published: Published) -> None:
    body = "with gone as (delete from ref.holiday returning 1) select * from gone"
    spoiled = queries.Query(99, "x", "x?", "x?", {}, body)
    with db.connect() as connection, pytest.raises(db.psycopg.errors.ReadOnlySqlTransaction):
        queries.run(connection, spoiled, {})
    with pytest.raises(UsageError):
        queries.find("gone")
