"""What the figures of a release are made of, as one compact object for the page of sources (law 8).

The facts stand in it once, with file, sheet, row and columns; a figure only names its sums (``sums.parts_of``), or
the entries of a list that it tells of. The page does the rest: it adds up what ``tiendo trace`` would. Everything is
read as known when the release was frozen, so the same release gives the same object on any day.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.publish import trace, trace_quality
from etl.publish.catalogue import LABELS, Catalogue, formula, kind
from etl.publish.checks.finding import PeriodFinding
from etl.publish.figure import Figure, FigureSet
from etl.publish.sums import FILTERS, LINES, Part, parts_of

_JS_SAFE = 2**53
_PLACES = {
    "B01": ("programme_code", "project_code", "subproject_code", "capital_kind"),
    "B02": ("indicator_code",),
    "B05": ("programme_code", "subproject_code", "capital_kind"),
}
Table = tuple[str, str, int]
"""Form, period, budget year."""


def load(connection: Connection, figures: FigureSet, found: Sequence[PeriodFinding]) -> dict[str, Any]:
    """The object: plain lists, texts and whole numbers. What is said of figures of one kind (name, formula, query with
    the places of the dimensions left open) stands with their group, what their dimensions are called in ``words``.

    ``found``: what the checks of the period found when the release was frozen (``release.finding``).
    """
    release = _release(figures)
    catalogue = Catalogue(figures)
    files = _Files(connection, release)
    groups = _groups(figures, release)
    told = _Told(connection, figures, release, found, files)
    sums = _tables(connection, release, groups, files)
    order = {table: number for number, table in enumerate(sums)}
    return {
        "release": {
            "id": figures.release_id,
            "period": str(figures.period),
            "budget_year": figures.budget_year,
            "known_at": figures.known_at.astimezone(UTC).isoformat(),
        },
        "words": catalogue.words,
        "order": list(LABELS),
        "groups": [
            {
                "metric": key[0],
                "unit": key[1],
                "source": key[2],
                "name": kind(members[0]),
                "formula": formula(members[0]),
                "query": catalogue.template(members[0]),
                "dims": list(key[3]),
                "parts": [[p.role, order[p.form, p.period, p.budget_year], list(map(list, p.terms))] for p in parts],
                "told": told.kind(members[0]) if not parts else None,
                "rows": [
                    _row(figure, None if parts else told.of(figure), catalogue.standing(figure)) for figure in members
                ],
            }
            for key, parts, members in groups
        ],
        "tables": list(sums.values()),
        **told.lists,
        "layouts": files.layouts,
        "files": files.rows,
    }


def _release(figures: FigureSet) -> dict[str, Any]:
    """What the functions of ``trace`` take of a release."""
    return {
        "release_id": figures.release_id,
        "period": str(figures.period),
        "budget_year": figures.budget_year,
        "known_at": figures.known_at,
        "as_of": figures.get("as_of").date,
    }


def _plain(value: Decimal | None) -> int | str | None:
    """A whole number as such where JavaScript holds it exactly, else the text that ``tiendo trace`` gives."""
    if value is None:
        return None
    text = f"{value:f}"
    return int(text) if text.isdigit() and int(text) < _JS_SAFE else text


Group = tuple[tuple[Any, ...], list[Part], list[Figure]]


def _groups(figures: FigureSet, release: Mapping[str, Any]) -> list[Group]:
    """Figures that are made in the same way: of one metric and kind of place, with the same sums."""
    groups: dict[tuple[Any, ...], list[Figure]] = {}
    for figure in figures:
        names = tuple(name for name, _ in figure.dims)
        made = (figure.dim("source"), figure.dim("period"), figure.value is None)
        groups.setdefault((figure.metric, figure.unit, figure.source, names, *made), []).append(figure)
    return [(key, parts_of(_traced(members[0], release), dict(members[0].dims)), members)
            for key, members in groups.items()]  # fmt: skip


def _traced(figure: Figure, release: Mapping[str, Any]) -> dict[str, Any]:
    """The figure as ``trace`` reads it from the warehouse."""
    return {**release, "metric": figure.metric, "source": figure.source, "unit": figure.unit, "value": figure.value}


def _row(figure: Figure, told: list[int] | None, standing: str) -> list[Any]:
    """[values of the dimensions, value, numerator, denominator, coverage, told, 1 where provisional], without empty
    ends."""
    coverage = [figure.coverage_n, figure.coverage_of, _plain(figure.coverage_plan_pct)]
    row: list[Any] = [
        [value for _, value in figure.dims],
        figure.text if figure.value is None else _plain(figure.value),
        _plain(figure.numerator),
        _plain(figure.denominator),
        coverage if figure.coverage_n is not None else None,
        told,
        1 if standing == "provisional" else None,
    ]
    while row[-1] is None:
        row.pop()
    return row


class _Files:
    """Submissions by number: commune, file and hash, period, and the layout of its sheets."""

    def __init__(self, connection: Connection, release: Mapping[str, Any]) -> None:
        self._connection = connection
        self._known_at = release["known_at"]
        self._numbers: dict[int, int] = {}
        self._layout_numbers: dict[str, int] = {}
        self.rows: list[list[Any]] = []
        self.layouts: list[dict[str, Any]] = []
        self._all = {row["submission_id"]: row for row in self._read()}
        for number, row in self._all.items():
            if (row["period"], row["budget_year"]) == (release["period"], release["budget_year"]):
                self.number(number)

    def _read(self) -> list[dict[str, Any]]:
        return (
            self._connection.cursor(row_factory=dict_row)
            .execute(
                """
                select
                    f.submission_id, f.commune_code, c.name_vi as commune, f.file_name, f.sha256, f.period,
                    f.budget_year, coalesce(y.layout::text, '{}') as layout
                from core.in_force(%(known_at)s) as f
                left join ref.unit_known_at(%(known_at)s) as c
                    on
                        f.commune_code = c.commune_code and f.as_of >= c.valid_from
                        and (c.valid_to is null or f.as_of <= c.valid_to)
                left join (
                    select l.submission_id, jsonb_object_agg(l.form, jsonb_build_array(l.sheet, l.columns)) as layout
                    from raw.sheet_layout as l group by l.submission_id
                ) as y on f.submission_id = y.submission_id
                order by f.commune_code, f.period, f.budget_year
                """,
                {"known_at": self._known_at},
            )
            .fetchall()
        )

    def number(self, submission_id: int) -> int:
        """Where the file of a submission that speaks stands in ``rows``."""
        if submission_id not in self._numbers:
            row = self._all[submission_id]
            self._numbers[submission_id] = len(self.rows)
            self.rows.append(
                [row["commune_code"], row["commune"], row["file_name"], row["sha256"], submission_id, row["period"],
                 row["budget_year"], self._layout(row["layout"])]
            )  # fmt: skip
        return self._numbers[submission_id]

    def _layout(self, text: str) -> int:
        if text not in self._layout_numbers:
            self._layout_numbers[text] = len(self.layouts)
            self.layouts.append(json.loads(text))
        return self._layout_numbers[text]


# Sums of cells --------------------------------------------------------------------------------------------------------


def _tables(
    connection: Connection, release: Mapping[str, Any], groups: Sequence[Group], files: _Files
) -> dict[Table, dict[str, Any]]:
    """The lines of each form, period and budget year that a figure adds up, with the columns that it takes."""
    keys: dict[Table, dict[str, None]] = {}
    for _, parts, _ in groups:
        for part in parts:
            wanted = keys.setdefault((part.form, part.period, part.budget_year), {})
            wanted.update(dict.fromkeys(key for key, _ in part.terms))
    return {table: _table(connection, release, table, list(wanted), files) for table, wanted in keys.items()}


def _table(
    connection: Connection, release: Mapping[str, Any], table: Table, keys: Sequence[str], files: _Files
) -> dict[str, Any]:
    """``rows``: [file, place, row or the numbers of the decisions that stand for it, amounts in the order of keys…].

    ``zeros``: how many zeros at the end of every amount of a column are left out; plans are whole triệu đồng.
    """
    form, period, budget_year = table
    names = _PLACES[form]
    query = sql.SQL(
        """
        select l.submission_id, l.row_no, l.commune_code, s.as_of, l.label, {places}, {keys} from ({lines}) as l
        inner join raw.submission as s on l.submission_id = s.submission_id
        inner join raw.sheet_layout as y on l.submission_id = y.submission_id and y.form = {form}
        where l.period = %(period)s and l.budget_year = %(budget_year)s
        order by l.commune_code, l.row_no
        """
    ).format(
        places=sql.SQL(", ").join(sql.Identifier("l", name) for name in names),
        keys=sql.SQL(", ").join(sql.Identifier("l", key) for key in keys),
        lines=sql.SQL(LINES[form]),
        form=sql.Literal(form),
    )
    places: dict[tuple[str, ...], int] = {}
    rows: list[list[Any]] = []
    amounts = []
    for number, row_no, commune, as_of, label, *more in connection.execute(
        query, {"known_at": release["known_at"], "period": period, "budget_year": budget_year}
    ):
        place = (label, *more[: len(names)])
        line = {"commune_code": commune, "as_of": as_of, "label": label}
        where = trace.decisions(connection, release, budget_year, line)[0] if row_no is None else row_no
        rows.append([files.number(number), places.setdefault(place, len(places)), where])
        amounts.append([_plain(value or Decimal(0)) for value in more[len(names) :]])
    zeros = [_zeros(column) for column in zip(*amounts, strict=True)]
    for row, held in zip(rows, amounts, strict=True):
        row += [value // 10**cut if isinstance(value, int) else value for value, cut in zip(held, zeros, strict=True)]
    return {
        "form": form, "period": period, "budget_year": budget_year, "keys": list(keys), "zeros": zeros,
        "by": [name for column in names for name, at in FILTERS.items() if at == column],
        "places": list(map(list, places)), "rows": rows,
    }  # fmt: skip


def _zeros(column: Sequence[int | str]) -> int:
    if not all(isinstance(value, int) for value in column):
        return 0
    return next(cut for cut in range(6, -1, -1) if all(int(value) % 10**cut == 0 for value in column))


# What is told one by one ----------------------------------------------------------------------------------------------


class _Told:
    """Lists of what figures tell of that are no sums of cells, and which of their entries one tells of."""

    def __init__(
        self,
        connection: Connection,
        figures: FigureSet,
        release: Mapping[str, Any],
        found: Sequence[PeriodFinding],
        files: _Files,
    ) -> None:
        self._release = release
        self._tasks = trace.register(connection, release)
        self._proposals = trace.proposals(connection, release)
        for number, row in enumerate(self._proposals):
            row["no"] = number
        self._reports = trace_quality.found(connection, _traced_source(release, "mart.finding_count"))
        self._own = [_own_finding(connection, f, figures) for f in found if f.rule_id.startswith("BT")]
        self._differences = trace_quality.differences(connection, release)
        balances = trace_quality.statement_balances(connection, release) if self._differences else []
        reports = trace.task_reports(connection, release, [task["task_id"] for task in self._tasks])
        of_task = {row["task_id"]: _evidence(row, "B03", row["task_id"], trace.TASK_CELLS, files) for row in reports}
        self.lists: dict[str, list[Any]] = {
            "tasks": [task | {"report": of_task.get(task["task_id"])} for task in self._tasks],
            "proposals": [
                _evidence(row, "B04", row["issue_id"], trace.PROPOSAL_CELLS, files) for row in self._proposals
            ],
            "findings": [_finding(row) for row in (*self._reports, *self._own)],
            "differences": [
                trace_quality.difference(row)
                | {
                    "cells": [cell for cell, _ in trace_quality.reported_cells(connection, row)],
                    "rows": trace_quality.statement_rows(balances, row),
                }
                for row in self._differences
            ],
        }
        self._known: dict[tuple[Any, ...], list[int]] = {}

    def kind(self, figure: Figure) -> str:
        if figure.source.startswith(trace.REGISTER):
            return "tasks"
        if figure.source.startswith("mart.proposal"):
            return "proposals"
        if figure.source in trace_quality.FINDINGS:
            return "findings"
        if figure.source in trace_quality.STATEMENTS:
            single = trace_quality.is_single(_traced(figure, self._release), dict(figure.dims))
            return "difference" if single else "differences"
        return "submissions"

    def of(self, figure: Figure) -> list[int] | None:
        """Numbers of the entries; None for the reports of the figure's commune, or of all."""
        kind = self.kind(figure)
        if kind == "submissions":
            return None
        outcome = figure.metric if kind == "findings" else None
        known = (kind, figure.source, outcome, figure.dims)
        if known not in self._known:
            self._known[known] = self._of(kind, _traced(figure, self._release), dict(figure.dims))
        return self._known[known]

    def _of(self, kind: str, figure: Mapping[str, Any], dims: Mapping[str, str]) -> list[int]:
        if kind == "tasks":
            return _numbers(self._tasks, lambda task: trace.is_told(figure, dims, task))
        if kind == "proposals":
            return [row["no"] for row in trace.chosen(self._proposals, dims)]
        if kind == "findings":
            own = figure["source"] == "release.finding"
            rows, first = (self._own, len(self._reports)) if own else (self._reports, 0)
            return [first + n for n in _numbers(rows, lambda row: trace_quality.is_told(figure, dims, row))]
        return _numbers(self._differences, lambda row: trace_quality.is_meant(figure, dims, row))


def _numbers(rows: Sequence[Mapping[str, Any]], wanted: Callable[[Mapping[str, Any]], bool]) -> list[int]:
    return [number for number, row in enumerate(rows) if wanted(row)]


def _traced_source(release: Mapping[str, Any], source: str) -> dict[str, Any]:
    return {**release, "source": source}


def _evidence(row: Mapping[str, Any], form: str, code: str, keys: Sequence[str], files: _Files) -> dict[str, Any]:
    """One row of a form; ``cells``: [column, cell, what was loaded from it]."""
    return {
        "file": files.number(row["submission_id"]),
        "form": form,
        "row_no": row["row_no"],
        "code": code,
        "sheet": row["sheet"],
        "cells": [
            [key, f"{row['columns'].get(key, '')}{row['row_no']}", None if row[key] is None else str(row[key])]
            for key in keys
        ],
    }


def _own_finding(connection: Connection, finding: PeriodFinding, figures: FigureSet) -> dict[str, Any]:
    """A finding of the release in the words of ``trace_quality.found``."""
    name = figures.find("name", commune=finding.commune_code) if finding.commune_code else None
    file = connection.execute(
        "select file_name, sha256 from raw.submission where submission_id = %s", (finding.submission_id,)
    ).fetchone() or (None, None)
    return {
        "commune": name.text if name else None, "commune_code": finding.commune_code,
        "expectation_id": finding.expectation_id, "rule": finding.expectation_id, "place": finding.line,
        "outcome": None, "line": finding.line, "sheet": finding.sheet, "cell": finding.cell, "value": finding.value,
        "message_vi": finding.message, "submission_id": finding.submission_id, "file_name": file[0], "sha256": file[1],
    }  # fmt: skip


def _finding(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {"rule": row["expectation_id"], "file": row["file_name"], "message": row["message_vi"]}
    same = ("commune", "outcome", "line", "sha256", "submission_id", "sheet", "cell", "value")
    return told | {name: row[name] for name in same}


def keys_of(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Every column of the forms that stands in the object."""
    for table in evidence["tables"]:
        yield from table["keys"]
    for row in (*(task["report"] for task in evidence["tasks"] if task["report"]), *evidence["proposals"]):
        yield from (cell[0] for cell in row["cells"])
