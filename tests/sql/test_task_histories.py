"""Histories of tasks with the answer of each day worked out by hand (``data/task_histories.csv``): over Tết, year ends,
make-up days, extensions, reopenings, periods of recurring tasks, reports with and without their document, communes
that are renamed, merged and divided, and what was not known yet.

A row is one day on which one history is asked; ``known_at``: as it was known on that morning (empty: now). ``events``:
``kind[@period] day [new deadline] [ghi day]`` (written into the register on a later day); ``b03[:commune][/version]
period status|done on|document`` for what a commune says in Biểu 03 (06517 unless it says otherwise; version 2 comes on
the tenth of the next month, ``late`` after the month was published). An empty ``state``: there is no such task or
period.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from etl.load.warehouse import Connection
from etl.period import Period
from tests.sql import builders

FILE = Path(__file__).parent / "data" / "task_histories.csv"
ROWS = list(csv.DictReader(FILE.open(encoding="utf-8")))
OTHER, OWNER = "05977", "06517"
_B03 = re.compile(r"b03(?P<other>-other)?(?::(?P<code>\d+))?(?:/(?P<version>\w+))? (?P<period>\S+) (?P<said>.*)")
_EVENT = re.compile(
    r"(?P<kind>\w+)(?:@(?P<instance>\S+))? (?P<day>[\d-]+)(?: (?P<until>[\d-]+))?(?: ghi (?P<recorded>[\d-]+))?"
)
Reports = dict[tuple[str, str, str], list[dict[str, Any]]]
"""Rows of Biểu 03 by commune, period and version."""


def at(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(2), UTC)


def insert_histories(connection: Connection) -> Reports:
    """All tasks and events, in few statements; what is said in Biểu 03 is for reports."""
    reports: Reports = defaultdict(list)
    directives, tasks, events = [], [], []
    for row in {row["history"]: row for row in ROWS}.values():
        task_id, registered = f"H-{row['history']}", row["assigned"]
        for number, text in enumerate(filter(None, re.split(r"\s*;\s*", row["events"]))):
            if said := _B03.fullmatch(text):
                commune = said["code"] or (OTHER if said["other"] else OWNER)
                status, done_on, document = said["said"].split("|")
                reports[commune, said["period"], said["version"] or "1"].append(
                    {"task_id": task_id, "status": status, "done_date": done_on or None, "result_doc": document or None}
                )
                continue
            event = _EVENT.fullmatch(text)
            assert event, text
            if event["kind"] == "registered":
                registered = event["day"]
                continue
            events.append(
                (
                    task_id, event["instance"] or "", event["kind"], event["day"],
                    event["until"] if event["kind"] == "extended" else None,
                    event["until"] if event["kind"] == "extension_asked" else None,
                    f"văn bản {number}", at(event["recorded"] or event["day"]),
                )
            )  # fmt: skip
        directives.append((task_id, f"{row['history']}/TB-VP", row["assigned"], row["why"]))
        tasks.append(
            (
                task_id, task_id, row["owner"], row["owner"], row["why"], row["due"] or None, row["due_kind"],
                row["recurrence"] or None, row["deliverable"] or None, at(registered),
                int(row["due_day"]) if row["due_day"] else None, int(row["due_shift"] or 0),
            )
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into core.directive (directive_id, doc_no, doc_date, issuer_vi, title_vi) "
            "values (%s, %s, %s, 'Văn phòng UBND tỉnh', %s)",
            directives,
        )
        cursor.executemany(
            "insert into core.task (task_id, directive_id, item, lead_vi, lead_text_vi, coordinating_vi, content_vi, "
            "due_date, due_kind, recurrence, kind, deliverable, registered_at, due_day, due_shift) "
            "values (%s, %s, '1', %s, %s, '{}', %s, %s, %s, %s, 'department', %s, %s, %s, %s)",
            tasks,
        )
        cursor.executemany(
            "insert into core.task_event (task_id, instance, kind, event_date, new_due_date, asked_due_date, document, "
            "recorded_by, recorded_at) values (%s, %s, %s, %s, %s, %s, %s, 'thử', %s)",
            events,
        )
    return reports


def insert_reports(connection: Connection, reports: Reports) -> None:
    # A second version replaces the first as a whole.
    for commune, period, version in list(reports):
        more: dict[str, Any] = {}
        if version != "1":
            after = Period.parse(period).next
            more = {"version": 2, "received_at": datetime(after.year, after.month, 10, 3, tzinfo=UTC)}
        if version == "late":
            more |= {"is_late_revision": True, "received_at": at("2026-01-20")}
        builders.report(connection, commune, period, [], tasks=reports[commune, period, version], **more)


def change_the_lists(connection: Connection) -> None:
    """Units that change on 1/4/2026; a day off and a make-up day that were published on 1/7/2026; in June 2027 a task
    is due soon three working days before."""
    connection.execute(
        """
        update ref.unit set valid_to = '2026-03-31'
        where commune_code in ('06040', '06046', '06058', '06073', '06076') and valid_to is null;
        insert into ref.unit (commune_code, valid_from, name_vi, kind, province_code, verified) values
        ('06040', '2026-04-01', 'Xã Thất Khê Mới', 'xã', '20', false),
        ('06047', '2026-04-01', 'Xã Tràng Định', 'xã', '20', false),
        ('06073', '2026-04-01', 'Xã Hoa Việt', 'xã', '20', false),
        ('06076', '2026-04-01', 'Xã Quý Hòa', 'xã', '20', false),
        ('06077', '2026-04-01', 'Xã Quý Bình', 'xã', '20', false);
        insert into ref.unit_change values
        ('2026-04-01', '06040', '06040', 'renamed', true, 'NQ', false),
        ('2026-04-01', '06046', '06047', 'recoded', true, 'NQ', false),
        ('2026-04-01', '06058', '06073', 'merged', true, 'NQ', false),
        ('2026-04-01', '06073', '06073', 'merged', true, 'NQ', false),
        ('2026-04-01', '06076', '06076', 'divided', false, 'NQ', false),
        ('2026-04-01', '06076', '06077', 'divided', false, 'NQ', false);
        update ref.threshold set valid_to = '2027-05-31' where threshold_code = 'due_soon_working_days';
        insert into ref.threshold
        select (jsonb_populate_record(t, change)).*
        from ref.threshold as t cross join (
            values
            ('{"value": 3, "valid_from": "2027-06-01", "valid_to": "2027-06-30"}'::jsonb),
            ('{"valid_from": "2027-07-01", "valid_to": null}')
        ) as c (change)
        where t.threshold_code = 'due_soon_working_days';
        select set_config('tiendo.known_at', '2026-07-01T00:00:00Z', true);
        insert into ref.holiday values
        ('2026-07-10', 'holiday', 'Nghỉ', false), ('2026-07-18', 'makeup', 'Làm bù', false);
        """
    )


Answers = dict[tuple[str, str, str, str], tuple[Any, ...]]


def _moments(of_periods: bool) -> tuple[list[str], list[str], list[str]]:
    """The days that are asked about, and how they are known: for tasks, or for periods of recurring ones."""
    asked = sorted({(row["as_of"], row["known_at"]) for row in ROWS if bool(row["instance"]) is of_periods})
    days, known = [day for day, _ in asked], [known_at for _, known_at in asked]
    return days, known, [at(known_at).isoformat() if known_at else "infinity" for known_at in known]


@pytest.fixture(scope="module")
def answers(reference: str) -> Iterator[Answers]:
    """(history, day, known at, period) -> state, deadline in force, days overdue."""
    with builders.copy_of(reference) as connection:
        change_the_lists(connection)
        insert_reports(connection, insert_histories(connection))
        connection.execute("analyze core.task, core.task_event, core.task_report")
        found: Answers = {}
        for query, asked in (
            ("select task_id, '' as instance, state, due_date, days_overdue from mart.task_state", _moments(False)),
            ("select task_id, instance, state, due_date, days_overdue from mart.task_instance", _moments(True)),
        ):
            rows = connection.execute(
                "select q.day::text, q.known_on, a.* from unnest(%s::date[], %s::text[], %s::timestamptz[]) "
                f"as q (day, known_on, known_at) cross join lateral ({query}(q.day, q.known_at)) as a",
                asked,
            ).fetchall()
            for day, known_on, task_id, instance, *answer in rows:
                found[task_id.removeprefix("H-"), day, known_on, instance] = tuple(answer)
        yield found


def test_there_are_more_than_two_hundred_histories() -> None:
    assert len({row["history"] for row in ROWS}) >= 200
    assert len({(r["history"], r["as_of"], r["known_at"], r["instance"]) for r in ROWS}) == len(ROWS)


HISTORIES: dict[str, list[dict[str, str]]] = defaultdict(list)
for one in ROWS:
    HISTORIES[one["history"]].append(one)


@pytest.mark.parametrize("history", HISTORIES)
def test_a_history_has_the_states_that_were_worked_out(answers: Answers, history: str) -> None:
    found, expected = {}, {}
    for row in HISTORIES[history]:
        asked = (row["as_of"], row["known_at"], row["instance"])
        due = date.fromisoformat(row["due_now"]) if row["due_now"] else None
        expected[asked] = (row["state"], due, int(row["days_overdue"])) if row["state"] else None
        found[asked] = answers.get((history, *asked))
    assert found == expected, HISTORIES[history][0]["why"]
