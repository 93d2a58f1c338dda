"""A commune's report held against the State Treasury (CK28, CK29); of the statement itself: ``etl.validate.statement``.

Only equal dates are compared: without a statement of the report's as-of date nothing is said. One cause, one
difference: what is explained by a late posting or a wrong code is not told again line by line. Amounts are whole đồng.
Sources: DOMAIN.md section 6, checks CK28 and CK29.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

from etl import money
from etl.clock import show_date
from etl.collect.report import Form, Row
from etl.reference.province import Province, split_line_code
from etl.reference.treasury import Place

ERRORS = frozenset({"wrong_code", "missing_unit", "unexplained"})
"""Kinds of difference that send a report back; the others only ask."""
_TO_TRY = 12
"""So many late documents of one line are tried in every combination; of more, each, each pair and all up to a day."""

_MOST_BESIDE = 2
"""So many late documents may stand beside a wrong code: with more, amounts would meet by chance."""


@dataclass(frozen=True)
class Reported:
    """Cumulative đồng of one line of Biểu 01; None where the report does not say, or says what is in doubt."""

    ytd: int | None
    completed: int | None
    advance: int | None


@dataclass(frozen=True)
class Balance:
    """A row of a statement, whose parts are None where it does not part the total.

    ``node_code`` and ``capital_kind`` are None where its code is unknown (CK30).
    """

    budget_code: str
    node_code: str | None
    capital_kind: str | None
    completed: int | None
    advance: int | None
    total: int
    overdue: int | None = None
    sheet: str = ""
    cell: str = ""


@dataclass(frozen=True)
class LatePosting:
    """A document that the Treasury booked after the as-of date; ``kind``: see ``etl.collect.treasury.Posting``."""

    budget_code: str
    node_code: str | None
    capital_kind: str | None
    posted_on: date
    document_no: str
    kind: str | None
    amount: int


@dataclass(frozen=True)
class Balances:
    """What the statement in force has of one commune; no rows at all when it does not know the commune.

    ``codes``: place -> budget codes that stand for it on that day, for every place that has one. ``said_before``: file
    of an earlier statement of the same date that has rows of the commune, where this one has none.
    """

    as_of: date
    budget_year: int
    sha256: str
    lines: tuple[Balance, ...] = ()
    postings: tuple[LatePosting, ...] = ()
    codes: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    said_before: str = ""


@dataclass(frozen=True)
class Difference:
    """One cause of a difference, of a kind:

    posting_date    documents booked within the threshold's working days after the as-of date make it up
    wrong_code      booked under another code: two places differ by the same amount, one up, one down
    missing_unit    the statement has no row of the commune (``node_code`` None)
    unexplained     anything else; ``line_codes`` is empty where the report does not have the line
    advance         the totals agree, the advances do not
    advance_overdue advances past their term (``difference`` is the overdue amount)

    ``reported`` and ``treasury`` are the amounts that were compared, of the place ``node_code`` and ``capital_kind``
    with all ``line_codes`` under it; ``difference`` is the part that this cause explains, all of it where it is the
    only one.
    """

    kind: str
    node_code: str | None
    capital_kind: str | None
    line_codes: tuple[str, ...]
    reported: int | None
    treasury: int
    difference: int
    explained_by: str = ""


@dataclass
class _Place:
    """What both sides have of one place. ``is_covered``: the Treasury has a code for it, so it can know the money.

    ``rounding``: what the report may leave out of each line, in đồng: forms are in triệu, mostly with three decimals.
    """

    place: Place
    is_covered: bool
    rounding: int
    line_codes: list[str] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    postings: list[LatePosting] = field(default_factory=list)

    def sum_reported(self, name: str) -> int | None:
        """None when one of the lines does not say; 0 without any line."""
        amounts = [getattr(line, name) for line in self.reported]
        return None if None in amounts else sum(amounts)

    @property
    def treasury(self) -> int:
        return sum(balance.total for balance in self.balances)

    @property
    def gap(self) -> int | None:
        ytd = self.sum_reported("ytd")
        return None if ytd is None else ytd - self.treasury

    @property
    def tolerance(self) -> int:
        """A difference smaller than this is rounding."""
        return self.rounding * max(len(self.line_codes), 1)

    def explained(self) -> tuple[int, ...] | None:
        """Positions of the fewest late documents that make up the gap, but for rounding."""
        sums = _subsets(self.postings)
        gap = self.gap or 0
        exact = sums.get(gap)
        near = (chosen for amount, chosen in sums.items() if abs(gap - amount) < self.tolerance)
        return exact if exact is not None else next(near, None)

    def difference(self, kind: str, amount: int, explained_by: str = "") -> Difference:
        lines = tuple(self.line_codes)
        return Difference(kind, *self.place, lines, self.sum_reported("ytd"), self.treasury, amount, explained_by)


@dataclass(frozen=True)
class _Side:
    """One side of a possible wrong code: a place, or a code that is not known (``place`` None).

    ``remainders``: what is left of its difference once some late documents are taken off -> their positions.
    """

    name: str
    sort_key: tuple[int, str]
    place: _Place | None
    remainders: Mapping[int, tuple[int, ...]]

    @property
    def tolerance(self) -> int:
        return self.place.tolerance if self.place else 0


def compare(
    reported: Mapping[str, Reported], balances: Balances, province: Province, *, is_complete: bool = True
) -> list[Difference]:
    """Differences of one commune, in the order of the programme tree; ``reported`` by line code.

    ``is_complete`` False: some lines of the report could not be told apart, so that one which seems missing is not held
    against it. A line that does not say its cumulative figure is not judged, nor is what it is added up with.
    """
    if not balances.lines and not balances.postings:
        return _missing_unit(reported, balances)
    places = [p for p in _places(reported, balances, province).values() if p.line_codes or is_complete]
    order = {code: number for number, code in enumerate(province.nodes)}
    places.sort(key=lambda p: (order.get(p.place[0], len(order)), p.place[1]))
    found: list[Difference] = []
    unsettled: list[_Place] = []
    for place in places:
        if not place.gap or abs(place.gap) < place.tolerance:
            continue
        explained = place.explained()
        if explained is None:
            unsettled.append(place)
        else:
            found.append(place.difference("posting_date", place.gap, _documents(place.postings, explained)))
    found += _wrong_codes(unsettled, balances, order)
    if unsettled and not balances.lines:  # late documents do not make up for it: one cause, not told line by line
        return _missing_unit(reported, balances)
    found += [p.difference("unexplained", p.gap or 0) for p in unsettled if p.is_covered]
    found += [difference for place in places for difference in _advances(place)]
    return sorted(found, key=lambda d: (order.get(d.node_code or "", len(order)), d.capital_kind or ""))


def _missing_unit(reported: Mapping[str, Reported], balances: Balances) -> list[Difference]:
    paid = {code: line.ytd for code, line in reported.items() if line.ytd}
    total = sum(paid.values())
    before = f"sao kê {balances.said_before} nạp trước đó có đơn vị này" if balances.said_before else ""
    return [Difference("missing_unit", None, None, tuple(paid), total, 0, total, before)] if paid else []


def _places(reported: Mapping[str, Reported], balances: Balances, province: Province) -> dict[Place, _Place]:
    """Both sides by the place at which they are compared: the highest node on the way up that the Treasury uses.

    For a reported line that is the first one with a code; where the statement itself books on a heading, all that lies
    under the heading goes there.
    """
    most_days = int(province.thresholds["treasury_posting_days"])
    rounding = int(province.thresholds["treasury_rounding_vnd"])
    late = [
        posting
        for posting in balances.postings
        if posting.posted_on > balances.as_of
        and province.working_days_between(balances.as_of, posting.posted_on) <= most_days
    ]
    lines = {code: split_line_code(code) for code in reported}
    lines = {code: place for code, place in lines.items() if place[0] in province.nodes and place[1]}

    def upwards(place: Place) -> list[Place]:
        return [(node, place[1]) for node in (place[0], *province.ancestors(place[0]))]

    rows: list[Balance | LatePosting] = [*balances.lines, *late]
    used = {place for row in rows if (place := _place_of(row)) is not None}
    used |= {
        first for place in lines.values() if (first := next((p for p in upwards(place) if p in balances.codes), None))
    }
    places: dict[Place, _Place] = {}

    def at(place: Place) -> _Place:
        seats = [p for p in upwards(place) if p in used]
        seat = seats[-1] if seats else place
        return places.setdefault(seat, _Place(seat, bool(seats), rounding))

    for code, place in lines.items():
        at(place).line_codes.append(code)
        at(place).reported.append(reported[code])
    for balance in balances.lines:
        if (place_ := _place_of(balance)) is not None:
            at(place_).balances.append(balance)
    for posting in sorted(late, key=lambda p: (p.posted_on, p.document_no, p.amount)):
        if (place_ := _place_of(posting)) is not None:
            at(place_).postings.append(posting)
    return places


def _place_of(row: Balance | LatePosting) -> Place | None:
    return (row.node_code, row.capital_kind) if row.node_code and row.capital_kind else None


def _choices(count: int) -> Iterator[tuple[int, ...]]:
    """Positions of documents to try together, the fewest first."""
    if count <= _TO_TRY:
        for size in range(1, count + 1):
            yield from combinations(range(count), size)
        return
    yield from ((n,) for n in range(count))
    yield from combinations(range(count), 2)
    yield from (tuple(range(n)) for n in range(3, count + 1))


def _subsets(postings: Sequence[LatePosting]) -> dict[int, tuple[int, ...]]:
    """Sum of some of the documents -> their positions, the fewest that make it up."""
    sums: dict[int, tuple[int, ...]] = {}
    for chosen in _choices(len(postings)):
        sums.setdefault(sum(postings[n].amount for n in chosen), chosen)
    return sums


def _documents(postings: Sequence[LatePosting], chosen: Iterable[int]) -> str:
    return "; ".join(
        f"chứng từ {p.document_no} hạch toán ngày {show_date(p.posted_on)}, {money.group_vi(p.amount)} đồng"
        for p in (postings[n] for n in chosen)
    )


def _wrong_codes(unsettled: list[_Place], balances: Balances, order: Mapping[str, int]) -> list[Difference]:
    """Pairs that differ by the same amount but for rounding, one up and one down; both leave ``unsettled``.

    Late documents may explain the rest of a side: the pair that needs the fewest goes first, and of these the one
    whose places lie nearest to each other in the programme tree.
    """
    sides = [_side(place, balances, order) for place in unsettled] + _unknown_codes(balances)
    pairs = [
        (
            len(up.remainders[amount]) + len(down.remainders[other]),
            abs(amount + other),
            _distance(up, down),
            up.sort_key,
            down.sort_key,
            amount,
            other,
        )
        for up in sides
        for amount in up.remainders
        if amount > 0
        for down in sides
        if down is not up and (up.place or down.place)
        for other in down.remainders
        if amount + other == 0 or abs(amount + other) < up.tolerance + down.tolerance
    ]
    named = {side.sort_key: side for side in sides}
    found: list[Difference] = []
    taken: set[tuple[int, str]] = set()
    for _, _, _, upper, lower, amount, other in sorted(pairs):
        if upper in taken or lower in taken:
            continue
        taken |= {upper, lower}
        up, down = named[upper], named[lower]
        told = (up.place, amount) if up.place else (down.place, other)
        if told[0] is not None:
            found.append(told[0].difference("wrong_code", told[1], f"{up.name} và {down.name}"))
        for side, left in ((up, amount), (down, other)):
            if side.place is None:
                continue
            unsettled.remove(side.place)
            if chosen := side.remainders[left]:
                documents = _documents(side.place.postings, chosen)
                found.append(side.place.difference("posting_date", (side.place.gap or 0) - left, documents))
    return found


def _side(place: _Place, balances: Balances, order: Mapping[str, int]) -> _Side:
    gap = place.gap or 0
    remainders: dict[int, tuple[int, ...]] = {gap: ()}
    for amount, chosen in _subsets(place.postings).items():
        if len(chosen) <= _MOST_BESIDE:
            remainders.setdefault(gap - amount, chosen)
    node, kind = place.place
    rows: list[Balance | LatePosting] = [*place.balances, *place.postings]
    codes = sorted({row.budget_code for row in rows} or balances.codes.get(place.place, ()))
    name = f"mã {', '.join(codes)} ({node}-{kind})" if codes else f"{node}-{kind} (chưa có mã)"
    return _Side(name, (order.get(node, len(order)), f"{node}-{kind}"), place, remainders)


def _unknown_codes(balances: Balances) -> list[_Side]:
    totals: dict[str, int] = {}
    for balance in balances.lines:
        if _place_of(balance) is None:
            totals[balance.budget_code] = totals.get(balance.budget_code, 0) + balance.total
    return [
        _Side(unknown_code(code), (-1, code), None, {-total: ()}) for code, total in sorted(totals.items()) if total
    ]


def unknown_code(budget_code: str) -> str:
    """How a code that is in no list is named in ``explained_by``."""
    return f"mã {budget_code} (chưa có trong danh mục)"


def _distance(one: _Side, other: _Side) -> int:
    """0 for the two capital kinds of a node; the further apart in the tree, the more."""
    if one.place is None or other.place is None:
        return 1
    first, second = (side.place.place[0].split("-") for side in (one, other) if side.place)
    shared = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    return len(first) + len(second) - 2 * shared


def _advances(place: _Place) -> Iterator[Difference]:
    """CK29: the advance where the totals agree, and advances past their term."""
    reported = place.sum_reported("advance")
    advances = [balance.advance for balance in place.balances]
    treasury = sum(one or 0 for one in advances)
    lines = tuple(place.line_codes)
    agrees = place.gap == 0 or (place.gap is not None and abs(place.gap) < place.tolerance)
    gap = 0 if reported is None or None in advances or not agrees else reported - treasury
    if gap and abs(gap) >= place.tolerance:
        yield Difference("advance", *place.place, lines, reported, treasury, gap, _converted(place.postings, gap))
    overdue = sum(balance.overdue or 0 for balance in place.balances)
    if overdue > 0:
        yield Difference("advance_overdue", *place.place, lines, reported, overdue, overdue)


def _converted(postings: Sequence[LatePosting], wanted: int) -> str:
    """Late documents that leave the total as it is and change the advance by that much, such as a recovered advance."""
    for chosen in _choices(len(postings)):
        documents = [postings[n] for n in chosen]
        changed = sum(p.amount for p in documents if p.kind in ("advance", "recovery"))
        if sum(p.amount for p in documents) == 0 and changed == wanted and all(p.kind for p in documents):
            return _documents(postings, chosen)
    return ""


# Control columns for the suite ``treasury`` ---------------------------------------------------------------------------

COLUMNS = {
    "posting_date": "treasury_posting",
    "wrong_code": "treasury_code",
    "missing_unit": "treasury_unit",
    "unexplained": "treasury_gap",
    "unreported": "treasury_unreported",
    "advance": "treasury_advance",
    "advance_overdue": "treasury_overdue",
}
"""Kind of difference (``unreported``: unexplained, on a line that the report lacks) -> beginning of its columns."""


def reported_of(form: Form) -> dict[str, Reported]:
    """Leaf lines of Biểu 01 by code. What is bad already, or stands twice, is None: it is not judged."""
    lines: dict[str, Reported] = {}
    for row in form.rows:
        if row.role == "leaf":
            amounts = (_amount(row, key) for key in ("disb_ytd", "disb_completed", "disb_advance"))
            lines[row.code] = Reported(None, None, None) if row.code in lines else Reported(*amounts)
    return lines


def _amount(row: Row, key: str) -> int | None:
    value = row.values.get(key)
    return value if isinstance(value, int) and key not in row.bad else None


def marks(
    form: Form | None, balances: Balances | None, province: Province, *, is_complete: bool = True
) -> list[dict[str, Any]]:
    """Control columns for Biểu 01: one row of marks per difference.

    ``row_no`` is the row of the line, of the heading where several lines are compared as one sum, and None for what
    concerns the commune or a line that the form does not have. Columns of a kind (``COLUMNS``): ``…_value``,
    ``…_expected``, ``…_difference`` in đồng, judged by the last one, and ``…_text``; ``treasury_as_of`` for all.
    ``balances`` None: no statement of this date, nothing is said. ``is_complete``: see ``compare``; unknown and doubled
    codes are seen here.
    """
    if form is None or balances is None:
        return []
    leaves = [row for row in form.rows if row.role == "leaf"]
    sound = {row.code for row in leaves if split_line_code(row.code)[0] in province.leaf_codes}
    complete = is_complete and len(sound) == len(leaves)
    found = compare(reported_of(form), balances, province, is_complete=complete)
    return [_marks(form, difference, balances, province) for difference in found]


def _marks(form: Form, difference: Difference, balances: Balances, province: Province) -> dict[str, Any]:
    unreported = difference.kind == "unexplained" and not difference.line_codes
    column = COLUMNS["unreported" if unreported else difference.kind]
    expected: int | None = difference.treasury
    if difference.kind == "advance_overdue":  # what may be outstanding; the overdue amount is the difference
        left = (difference.reported or 0) - difference.difference
        expected = left if left >= 0 else None
    row_no, code = _row_of(form, difference)
    text = difference.explained_by
    if unreported:
        codes = {
            b.budget_code
            for b in balances.lines
            if (b.node_code, b.capital_kind) == (difference.node_code, difference.capital_kind)
        }
        node = province.nodes[difference.node_code or ""]
        text = f"mã {', '.join(sorted(codes))}, {node.name_vi}" if codes else node.name_vi
    elif difference.kind == "unexplained":
        text = "cao hơn" if difference.difference > 0 else "thấp hơn"
    elif text and difference.kind in ("advance", "missing_unit"):
        text = f" ({text})"
    return {
        "row_no": row_no,
        "code": code,
        "form": "B01",
        "treasury_as_of": show_date(balances.as_of),
        f"{column}_value": difference.reported,
        f"{column}_expected": expected,
        f"{column}_difference": difference.difference,
        f"{column}_text": text,
    }


def _row_of(form: Form, difference: Difference) -> tuple[int | None, str]:
    """Row and code of what the difference is about: the line itself, or the heading over several lines."""
    node, kind = difference.node_code, difference.capital_kind
    if node is None or kind is None:
        return None, ""
    code = f"{node}-{kind}"
    wanted = code if code in difference.line_codes else node
    row = next((r for r in form.rows if r.role in ("leaf", "heading") and r.code == wanted), None)
    if row is None and difference.line_codes:
        row = next((r for r in form.rows if r.role == "leaf" and r.code in difference.line_codes), None)
    return (row.row_no if row and difference.line_codes else None), code
