"""The marts of the comparison with the State Treasury worked out a second time, in plain Python.

Written from what the marts and ``core.reconciliation_difference`` say of themselves and from DOMAIN.md section 6 (CK28
to CK31), from what communes sent and the Treasury said alone. Where two readings of the same amounts would be equally
good it raises: cases are to have one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations
from typing import Any

from etl.collect.treasury import Line, Posting
from etl.period import Period
from etl.reference.province import Province, Window, read_csv
from tests.sql.oracle import Row, between, grouped, plus

Month = tuple[str, int]
Seat = tuple[str, str]
"""Node and capital kind at which both sides are compared."""
TOTAL = ("wrong_code", "missing_unit", "unexplained")
COLUMNS = ("commune_code", "node_code", "capital_kind", "kind", "explained_by")
KEYS = {
    "treasury_comparison": ("period", "budget_year"),
    "treasury_reconciliation": ("period", "budget_year", *COLUMNS),
    "treasury_kind": ("period", "budget_year", "kind"),
}


@dataclass
class Sent:
    """A workbook; ``lines``: line code -> cumulative disbursement and advance in it, in đồng."""

    commune: str
    month: Month
    at: datetime
    lines: dict[str, tuple[int | None, int | None]]
    is_valid: bool = True
    is_late: bool = False
    accepted_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def speaks_from(self, moment: datetime) -> datetime | None:
        since = self.accepted_at if self.is_late else self.at
        if not self.is_valid or since is None or since > moment:
            return None
        return None if self.withdrawn_at and self.withdrawn_at <= moment else since


@dataclass
class Said:
    """A statement; ``loaded``: every moment from which it spoke."""

    file_name: str
    as_of: date
    budget_year: int
    lines: tuple[Line, ...]
    postings: tuple[Posting, ...]
    loaded: list[datetime] = field(default_factory=list)

    def spoke(self, moment: datetime) -> datetime | None:
        return max((at for at in self.loaded if at <= moment), default=None)


@dataclass
class Run:
    """A comparison that was kept."""

    month: Month
    at: datetime
    file_name: str
    reports: dict[str, datetime]
    rows: list[Row]


@dataclass
class _Sums:
    """Both sides at one seat."""

    lines: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    balances: list[Line] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)

    @property
    def gap(self) -> int | None:
        reported = plus(*(ytd for ytd, _ in self.lines.values()))
        return None if reported is None else int(reported) - self.treasury

    @property
    def treasury(self) -> int:
        return sum(b.total for b in self.balances)


def show(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def dotted(amount: int) -> str:
    return f"{amount:,}".replace(",", ".")


def documents(postings: Iterable[Posting]) -> str:
    return "; ".join(
        f"chứng từ {p.document_no} hạch toán ngày {show(p.posted_on)}, {dotted(p.amount)} đồng" for p in postings
    )


def some_of(postings: Sequence[Posting], most: int) -> Iterable[tuple[Posting, ...]]:
    for size in range(1, most + 1):
        yield from combinations(postings, size)


class TreasuryOracle:
    """Give it what happened in the order in which it did: ``sent`` and ``said`` are lists to add to, ``compare`` a
    comparison; the marts are functions of a moment."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.sent: list[Sent] = []
        self.said: list[Said] = []
        self.runs: list[Run] = []
        self.rounding = int(province.thresholds["treasury_rounding_vnd"])
        codes = read_csv(province.folder / "treasury_codes.csv")
        self.seat_of: dict[str, Seat] = {r["budget_code"]: (r["node_code"], r["capital_kind"]) for r in codes}
        self.code_of = {seat: code for code, seat in self.seat_of.items()}
        units = read_csv(province.folder / "treasury_units.csv")
        self.commune_of = {r["budget_unit_code"]: r["commune_code"] for r in units}

    # A comparison -----------------------------------------------------------------------------------------------------

    def compare(self, month: Month, moment: datetime) -> None:
        said = self._statement(self._window(month), moment)
        if said is None:
            return
        reports = self._reports(month, moment)
        rows = [row for sent in reports for row in self._of_commune(sent, said, moment)]
        rows += self._of_no_commune(said)
        told = {sent.commune: sent.at for sent in reports}
        for row in rows:
            row["open_since"] = self._open_since(row, month, moment)
        before = self._latest(month, moment)
        if before is None or (before.file_name, before.reports, before.rows) != (said.file_name, told, rows):
            self.runs.append(Run(month, moment, said.file_name, told, rows))

    def _window(self, month: Month) -> Window:
        return self.province.window(Period.parse(month[0]), month[1])

    def _statement(self, window: Window, moment: datetime) -> Said | None:
        of_date = [
            (at, said)
            for said in self.said
            if (said.as_of, said.budget_year) == (window.as_of, window.budget_year) and (at := said.spoke(moment))
        ]
        return max(of_date, key=lambda pair: pair[0])[1] if of_date else None

    def _reports(self, month: Month, moment: datetime) -> list[Sent]:
        speaking: dict[str, tuple[datetime, Sent]] = {}
        for sent in self.sent:
            since = sent.speaks_from(moment) if sent.month == month else None
            if since and (sent.commune not in speaking or since > speaking[sent.commune][0]):
                speaking[sent.commune] = since, sent
        return [speaking[commune][1] for commune in sorted(speaking)]

    def _latest(self, month: Month, moment: datetime) -> Run | None:
        return next((r for r in reversed(self.runs) if r.month == month and r.at <= moment), None)

    # The differences of a commune -------------------------------------------------------------------------------------

    def _of_commune(self, sent: Sent, said: Said, moment: datetime) -> list[Row]:
        balances = [b for b in said.lines if self.commune_of.get(b.budget_unit_code) == sent.commune]
        later = [
            p for p in said.postings
            if self.commune_of.get(p.budget_unit_code) == sent.commune and p.posted_on > said.as_of
        ]  # fmt: skip
        if not balances and not later:
            return self._missing(sent, said, moment)
        seats = self._seats(sent, said, balances, later)
        rows, left = [], {}
        for seat, sums in seats.items():
            if sums.gap is None or not self._differs(sums, sums.gap):
                continue
            every = {d: sum(p.amount for p in d) for d in some_of(sums.postings, len(sums.postings))}
            near = [d for d, amount in every.items() if not self._differs(sums, sums.gap - amount)]
            if near:
                best = min(near, key=lambda d: (every[d] != sums.gap, len(d)))
                rows.append(self._row(sent, "posting_date", seat, sums, sums.gap, documents(best)))
            else:
                left[seat] = sums
        unknown = self._unknown(balances)
        rows += self._wrong_codes(sent, left, unknown)
        if left and not balances:
            return self._missing(sent, said, moment)
        rows += [
            self._row(sent, "unexplained", s, sums, sums.gap or 0) for s, sums in left.items() if s in self.code_of
        ]
        for code, of_code in unknown.items():
            if amount := sum(b.total for b in of_code):
                rows.append(_nowhere("unknown_code", sent, of_code[0], amount, f"mã {code} (chưa có trong danh mục)"))
        return rows + [row for seat, sums in seats.items() for row in self._advances(sent, seat, sums)]

    def _missing(self, sent: Sent, said: Said, moment: datetime) -> list[Row]:
        paid = {line: ytd for line, (ytd, _) in sent.lines.items() if ytd}
        if not paid:
            return []
        earlier = [
            (at, s.file_name)
            for s in self.said
            if (s.as_of, s.budget_year) == (said.as_of, said.budget_year) and s is not said and (at := s.spoke(moment))
            and any(self.commune_of.get(b.budget_unit_code) == sent.commune for b in s.lines)
        ]  # fmt: skip
        text = f"sao kê {max(earlier)[1]} nạp trước đó có đơn vị này" if earlier else None
        whole = sum(paid.values())
        return [
            {"commune_code": sent.commune, "node_code": None, "capital_kind": None, "kind": "missing_unit",
             "explained_by": text, "line_codes": sorted(paid), "reported": whole, "treasury": 0, "difference": whole,
             "report": sent.at, "sheet": None, "cell": None}
        ]  # fmt: skip

    def _seats(self, sent: Sent, said: Said, balances: list[Line], later: list[Posting]) -> dict[Seat, _Sums]:
        seats: dict[Seat, _Sums] = defaultdict(_Sums)
        for line, amounts in sent.lines.items():
            node, _, kind = line.rpartition("-")
            up = [(n, kind) for n in (node, *self.province.ancestors(node))]
            seats[next((s for s in up if s in self.code_of), (node, kind))].lines[line] = amounts
        for balance in balances:
            if balance.budget_code in self.seat_of:
                seats[self.seat_of[balance.budget_code]].balances.append(balance)
        most = self.province.thresholds["treasury_posting_days"]
        for posting in sorted(later, key=lambda p: (p.posted_on, p.document_no)):
            if self.province.working_days_between(said.as_of, posting.posted_on) <= most:
                seats[self.seat_of[posting.budget_code]].postings.append(posting)
        return seats

    def _differs(self, sums: _Sums, amount: int) -> bool:
        return amount != 0 and abs(amount) >= self.rounding * max(len(sums.lines), 1)

    def _unknown(self, balances: Sequence[Line]) -> dict[str, list[Line]]:
        return grouped_lines(b for b in balances if b.budget_code not in self.seat_of)

    def _wrong_codes(self, sent: Sent, left: dict[Seat, _Sums], unknown: dict[str, list[Line]]) -> list[Row]:
        """Takes out of ``left`` and ``unknown`` what it pairs: as much too much in one place as too little in another,
        the fewest late documents beside it first."""
        sides: list[tuple[Seat | str, int, tuple[Posting, ...]]] = [
            (code, -sum(b.total for b in rows), ()) for code, rows in unknown.items()
        ]
        for seat, sums in left.items():
            gap = sums.gap or 0
            sides.append((seat, gap, ()))
            sides += [(seat, gap - sum(p.amount for p in d), d) for d in some_of(sums.postings, 2)]

        def slack(side: Seat | str) -> int:
            return self.rounding * max(len(left[side].lines), 1) if isinstance(side, tuple) else 0

        pairs = [
            (len(up[2]) + len(down[2]), abs(up[1] + down[1]), up, down)
            for up in sides if up[1] > 0
            for down in sides if down[1] < 0 and up[0] != down[0]
            if isinstance(up[0], tuple) or isinstance(down[0], tuple)
            if up[1] + down[1] == 0 or abs(up[1] + down[1]) < slack(up[0]) + slack(down[0])
        ]  # fmt: skip
        pairs.sort(key=lambda pair: pair[:2])
        for one, other in combinations(pairs, 2):
            if one[:2] == other[:2] and {one[2][0], one[3][0]} & {other[2][0], other[3][0]}:
                raise AssertionError(("two readings", one, other))
        rows: list[Row] = []
        for _, _, up, down in pairs:
            if not all(side[0] in left or side[0] in unknown for side in (up, down)):
                continue
            seat, amount, _ = up if isinstance(up[0], tuple) else down
            text = f"{self._name(up[0], left)} và {self._name(down[0], left)}"
            rows.append(self._row(sent, "wrong_code", seat, left[seat], amount, text))
            for side, amount, used in (up, down):
                if isinstance(side, str):
                    del unknown[side]
                    continue
                sums = left.pop(side)
                if used:
                    rest = (sums.gap or 0) - amount
                    rows.append(self._row(sent, "posting_date", side, sums, rest, documents(used)))
        return rows

    def _name(self, side: Seat | str, left: dict[Seat, _Sums]) -> str:
        if isinstance(side, str):
            return f"mã {side} (chưa có trong danh mục)"
        where = "-".join(side)
        return f"mã {self.code_of[side]} ({where})" if side in self.code_of else f"{where} (chưa có mã)"

    def _advances(self, sent: Sent, seat: Seat, sums: _Sums) -> Iterable[Row]:
        reported = plus(*(advance for _, advance in sums.lines.values()))
        known = plus(*(b.advance for b in sums.balances))
        agrees = sums.gap is not None and not self._differs(sums, sums.gap)
        if agrees and reported is not None and known is not None and self._differs(sums, int(reported - known)):
            gap = int(reported - known)
            booked = [
                d for d in some_of(sums.postings, len(sums.postings))
                if sum(p.amount for p in d) == 0 and sum(p.amount for p in d if p.kind != "payment") == gap
            ]  # fmt: skip
            row = self._row(sent, "advance", seat, sums, gap, documents(booked[0]) if booked else None)
            yield {**row, "reported": reported, "treasury": known}
        overdue = sum(b.overdue or 0 for b in sums.balances)
        if overdue:
            row = self._row(sent, "advance_overdue", seat, sums, overdue)
            yield {**row, "reported": reported, "treasury": overdue}

    def _row(
        self, sent: Sent, kind: str, seat: Seat, sums: _Sums, difference: int, explained_by: str | None = None
    ) -> Row:
        first = sums.balances[0] if sums.balances else None
        return {
            "commune_code": sent.commune, "node_code": seat[0], "capital_kind": seat[1], "kind": kind,
            "explained_by": explained_by, "line_codes": sorted(sums.lines),
            "reported": plus(*(ytd for ytd, _ in sums.lines.values())), "treasury": sums.treasury,
            "difference": difference, "report": sent.at, "sheet": first and first.sheet, "cell": first and first.cell,
        }  # fmt: skip

    def _of_no_commune(self, said: Said) -> list[Row]:
        units: dict[str, list[Line]] = defaultdict(list)
        for balance in said.lines:
            if balance.budget_unit_code not in self.commune_of:
                units[balance.budget_unit_code].append(balance)
        return [
            _nowhere("unknown_unit", None, rows[0], amount, f"mã ĐVQHNS {unit} (chưa có trong danh mục)")
            for unit, rows in units.items()
            if (amount := sum(b.total for b in rows))
        ]

    # Since when -------------------------------------------------------------------------------------------------------

    def _open_since(self, row: Row, month: Month, moment: datetime) -> str:
        """Back month by month, as long as the same difference is there; a month that did not compare the commune is
        passed over."""
        since = month[0]
        earlier = {r.month for r in self.runs if r.month[1] == month[1] and r.month[0] < month[0]}
        for before in sorted(earlier, reverse=True):
            run = self._latest(before, moment)
            if run is None or (row["commune_code"] and row["commune_code"] not in run.reports):
                continue
            if not any(_same(row, other) for other in run.rows):
                break
            since = before[0]
        return since

    # Marts ------------------------------------------------------------------------------------------------------------

    def _current(self, moment: datetime) -> list[Run]:
        months = {run.month for run in self.runs}
        return [run for month in sorted(months) if (run := self._latest(month, moment))]

    def treasury_reconciliation(self, moment: datetime) -> list[Row]:
        nodes, communes = self.province.nodes, self.province.communes
        return [
            {
                "period": run.month[0], "budget_year": run.month[1], "as_of": self._window(run.month).as_of, **row,
                "commune_vi": communes[row["commune_code"]].name_vi if row["commune_code"] else None,
                "node_vi": nodes[row["node_code"]].name_vi if row["node_code"] else None,
                "months_open": between(row["open_since"], run.month[0]) + 1, "statement_file": run.file_name,
                "compared_at": run.at,
            }
            for run in self._current(moment)
            for row in run.rows
        ]  # fmt: skip

    def treasury_kind(self, moment: datetime) -> list[Row]:
        result = []
        by_month = grouped(self.treasury_reconciliation(moment), lambda r: (r["period"], r["budget_year"]))
        for (period, year), rows in by_month.items():
            for kind, some in {None: rows, **grouped(rows, lambda r: r["kind"])}.items():
                differing = [r["difference"] for r in some if r["kind"] != "advance_overdue"]
                overdue = [r["treasury"] for r in some if r["kind"] == "advance_overdue"]
                result.append({
                    "period": period, "budget_year": year, "kind": kind, "differences": len(some),
                    "communes": len({r["commune_code"] for r in some} - {None}),
                    "above": sum(d for d in differing if d > 0), "below": sum(d for d in differing if d < 0),
                    "overdue": sum(overdue) if overdue else None,
                })  # fmt: skip
        return result

    def treasury_comparison(self, moment: datetime) -> list[Row]:
        result = []
        for window in self.province.windows.values():
            run = self._latest((str(window.period), window.budget_year), moment)
            days = {s.as_of for s in self.said if s.budget_year == window.budget_year and s.spoke(moment)}
            result.append({
                "period": str(window.period), "budget_year": window.budget_year, "as_of": window.as_of,
                "statement_file": run and run.file_name, "communes_compared": len(run.reports) if run else None,
                "compared_at": run and run.at, "other_dates": sorted(days - {window.as_of}),
            })  # fmt: skip
        return result


def grouped_lines(balances: Iterable[Line]) -> dict[str, list[Line]]:
    codes: dict[str, list[Line]] = defaultdict(list)
    for balance in balances:
        codes[balance.budget_code].append(balance)
    return dict(codes)


def _nowhere(kind: str, sent: Sent | None, first: Line, amount: int, name: str) -> Row:
    return {
        "commune_code": sent and sent.commune, "node_code": None, "capital_kind": None, "kind": kind,
        "explained_by": name, "line_codes": [], "reported": None, "treasury": amount, "difference": -amount,
        "report": sent and sent.at, "sheet": first.sheet, "cell": first.cell,
    }  # fmt: skip


def _same(one: Row, other: Row) -> bool:
    """Whether two months have the same difference: a total that does not agree stays one, whatever it is taken for."""

    def told(row: Row) -> tuple[Any, ...]:
        family = "total" if row["kind"] in TOTAL else row["kind"]
        code = row["explained_by"] if row["kind"].startswith("unknown") else None
        return family, row["commune_code"], row["node_code"], row["capital_kind"], code

    return told(one) == told(other)
