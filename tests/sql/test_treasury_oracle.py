"""The comparison with the State Treasury equals an independent computation (tests/sql/treasury_oracle.py): eight months
of a dozen communes, random amounts, every kind of difference, statements that replace each other, reports that are sent
again, taken back, revised late or missing; as known now and at moments in between.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from etl import settings
from etl.collect.treasury import Line, Posting, Statement
from etl.load import reconciliation, server, treasury
from etl.load import warehouse as store
from etl.load.warehouse import Connection
from etl.period import Period
from tests.databases import copy_of
from tests.sql import builders
from tests.sql.oracle import Row
from tests.sql.test_oracle import keyed, read
from tests.sql.treasury_oracle import KEYS, Month, Said, Sent, TreasuryOracle

COMMUNES = ("06517", "06463", "06004", "06001", "06124", "06040", "06073", "06565", "06529", "06541", "06625", "06196")
MONTHS: tuple[Month, ...] = (("2025-08", 2025), ("2025-09", 2025), ("2025-10", 2025), ("2025-11", 2025),
                             ("2025-12", 2025), ("2026-01", 2025), ("2026-01", 2026), ("2026-02", 2026))  # fmt: skip
WITHOUT_STATEMENT = ("2025-11", 2025)
LINES = ("GNBV-DA2-SN", "GNBV-DA3-TDA1-SN", "GNBV-DA7-TDA1-SN", "GNBV-DA7-TDA2-SN", "DTTS-DA4-TDA1-DT",
         "DTTS-DA4-TDA1-SN", "DTTS-DA6-SN", "NTM-ND02-DT", "NTM-ND02-SN", "GNBV-DA2-DT")  # fmt: skip
"""Two of them under a heading that the Treasury has one code for; the last one has no code."""
WAYS = ("agree", "agree", "rounding", "late", "two_late", "too_late", "up", "down", "advance", "recovered", "overdue",
        "unparted", "blank")  # fmt: skip
"""What the Treasury says of one line; what it says of a commune: see ``_of_commune``."""
KINDS = {"posting_date", "wrong_code", "missing_unit", "unexplained", "advance", "advance_overdue", "unknown_code",
         "unknown_unit"}  # fmt: skip
CASES = 1_000


@dataclass
class Word:
    """What a statement has of one line before it is put on codes."""

    code: str
    total: int
    advance: int | None
    overdue: int | None = None


class Treasury:
    """Goes through the months with a fixed seed; what it makes is known to the oracle and to the warehouse alike."""

    def __init__(self, connection: Connection) -> None:
        self.chance = random.Random(20251128)
        self.connection = connection
        self.oracle = TreasuryOracle(builders.province())
        self.unit_of = {commune: unit for unit, commune in self.oracle.commune_of.items()}
        self.now = datetime(2025, 7, 2, tzinfo=UTC)
        self.moments: list[datetime] = []
        self.ways: dict[tuple[str, str], str] = {}
        self.counts = 0

    def make(self) -> None:
        for month in MONTHS:
            self._month(month)
            self.moments.append(self.now)

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=11)
        return self.now

    def _month(self, month: Month) -> None:
        window = self.oracle.province.window(Period.parse(month[0]), month[1])
        self.now = max(self.now, datetime(window.due_on.year, window.due_on.month, window.due_on.day, tzinfo=UTC))
        for commune in COMMUNES:
            if self.chance.random() < 0.88:
                self._send(commune, month, is_valid=self.chance.random() < 0.95)
        self._compare(month)  # there is no statement yet
        if self.chance.random() < 0.6:
            self._statement(month, date(window.as_of.year, window.as_of.month, 14))
        if month == WITHOUT_STATEMENT:
            return
        first = self._statement(month, window.as_of)
        self._compare(month)
        self._compare(month)  # nothing new: not kept
        self.moments.append(self.now)
        for commune in self.chance.sample(COMMUNES, 3):
            self._change(commune, month)
        self._compare(month)
        self.moments.append(self.now)
        self._statement(month, window.as_of)
        self._compare(month)
        if self.chance.random() < 0.5:
            self._load(first)
            self._compare(month)
        self._an_earlier_month(month)

    def _an_earlier_month(self, month: Month) -> None:
        """It is told anew, and so are some of those after it."""
        earlier = [m for m in MONTHS[: MONTHS.index(month)] if m[1] == month[1] and m != WITHOUT_STATEMENT]
        if not earlier:
            return
        chosen = self.chance.choice(earlier)
        for commune in self.chance.sample(COMMUNES, 4):
            self._change(commune, chosen)
        self._statement(chosen, self.oracle.province.window(Period.parse(chosen[0]), chosen[1]).as_of)
        self._compare(chosen)
        self.moments.append(self.now)
        if self.chance.random() < 0.5:
            self._compare(month)

    # Reports ----------------------------------------------------------------------------------------------------------

    def _send(self, commune: str, month: Month, *, is_valid: bool = True, is_late: bool = False) -> Sent:
        lines: dict[str, tuple[int | None, int | None]] = {}
        for line in self.chance.sample(LINES, self.chance.randint(5, len(LINES))):
            ytd = self.chance.choice(
                (0, self.chance.randint(1, 9 * 10**6) * 1000, self.chance.randint(1, 10**6) * 1000)
            )
            lines[line] = ytd, self.chance.choice((0, ytd // 3000 * 1000))
            if self.chance.random() < 0.04:
                lines[line] = self.chance.choice(((None, 0), (ytd, None)))
        sent = Sent(commune, month, self._tick(), lines, is_valid, is_late)
        self.counts += 1
        how: dict[str, Any] = {"received_at": sent.at, "budget_year": month[1], "version": self.counts,
                               "is_late_revision": is_late}  # fmt: skip
        if is_valid:
            builders.report(self.connection, commune, month[0], [self._line(*item) for item in lines.items()], **how)
        else:
            builders.submission(self.connection, commune, month[0], verdict="returned", **how)
        self.oracle.sent.append(sent)
        return sent

    def _line(self, line: str, amounts: tuple[int | None, int | None]) -> Row:
        code, _, kind = line.rpartition("-")
        ytd, advance = amounts
        return builders.line(code, kind, 10**10, 0) | {"disb_ytd": ytd, "disb_advance": advance, "disb_completed": None}

    def _change(self, commune: str, month: Month) -> None:
        """Sent again; or taken back; or revised late, accepted or not."""
        match self.chance.choice(("again", "again", "withdrawn", "late", "accepted", "accepted")):
            case "again":
                self._send(commune, month)
            case "withdrawn":
                there = [s for s in self.oracle.sent if (s.commune, s.month) == (commune, month) and not s.withdrawn_at]
                if there:
                    self._withdraw(there[-1])
            case how:
                sent = self._send(commune, month, is_late=True)
                if how == "accepted":
                    sent.accepted_at = self._tick()
                    self.connection.execute(
                        "insert into raw.revision_decision (submission_id, decision, decided_by, reason, decided_at) "
                        "values (%s, 'accepted', 'Hoa', 'Sửa sai', %s)",
                        (self._number(sent), sent.accepted_at),
                    )

    def _withdraw(self, sent: Sent) -> None:
        sent.withdrawn_at = self._tick()
        self.connection.execute(
            "insert into raw.withdrawal values (%s, 'Hoa', 'Gửi nhầm', %s)", (self._number(sent), sent.withdrawn_at)
        )

    def _number(self, sent: Sent) -> int:
        row = self.connection.execute(
            "select submission_id from raw.submission where received_at = %s and commune_code = %s",
            (sent.at, sent.commune),
        ).fetchone()
        return int(row[0]) if row else 0

    # What the Treasury says -------------------------------------------------------------------------------------------

    def _statement(self, month: Month, as_of: date) -> Said:
        lines: list[Line] = []
        postings: list[Posting] = []
        for commune in COMMUNES:
            sent = [s for s in self.oracle.sent if (s.commune, s.month) == (commune, month)]
            words, late = self._of_commune(commune, sent[-1] if sent else None)
            for word in words:
                self._put(lines, self.unit_of[commune], word)
            for code, days, kind, amount in late:
                n = len(postings) + 5
                place = (self.unit_of[commune], code, None, as_of + timedelta(days))
                postings.append(Posting("ChungTu", n, f"H{n}", *place, f"CT{n:04}", kind, amount))
        for unit in self.chance.sample(("9999991", "9999992", "9999993"), self.chance.randint(0, 2)):
            for code in ("00474", "00524"):
                self._put(lines, unit, Word(code, self.chance.randint(0, 10**8), None))
        name = f"kho-bac-{month[1]}-{as_of}-{len(self.oracle.said)}.xlsx"
        said = Said(name, as_of, month[1], tuple(lines), tuple(postings))
        self.oracle.said.append(said)
        self._load(said)
        return said

    def _put(self, lines: list[Line], unit: str, word: Word) -> None:
        n = len(lines) + 10
        done = None if word.advance is None else word.total - word.advance
        place = ("SoDu", n, f"G{n}", unit, word.code, None)
        lines.append(Line(*place, done, word.advance, word.total, word.overdue))

    def _of_commune(self, commune: str, sent: Sent | None) -> tuple[list[Word], list[tuple[str, int, str, int]]]:
        """Balances, and late documents as (code, days after the as-of date, kind, amount)."""
        lot = self.chance.random()
        if sent is None or lot < 0.08:
            return [], []
        if lot < 0.12:  # late documents and nothing else
            return [], [("00474", 3, "payment", sent.lines.get("GNBV-DA2-SN", (1, 0))[0] or 1)]
        words: list[Word] = []
        late: list[tuple[str, int, str, int]] = []
        for line, (ytd, advance) in sent.lines.items():
            node, _, kind = line.rpartition("-")
            up = [(n, kind) for n in (node, *self.oracle.province.ancestors(node))]
            code = next((self.oracle.code_of[s] for s in up if s in self.oracle.code_of), None)
            if code and ytd is not None:
                word, documents = self._of_line(commune, line, Word(code, ytd, advance or 0))
                words.append(word)
                late += documents
        if len(words) > 2 and lot < 0.5:
            self._confuse(words, late)
        if lot > 0.85:
            words.append(Word("00999", self.chance.choice((0, self.chance.randint(1, 10**9))), None))
        return words, late

    def _of_line(self, commune: str, line: str, word: Word) -> tuple[Word, list[tuple[str, int, str, int]]]:
        """As a line was the month before it mostly is the month after: differences stay open."""
        place = commune, line
        if place not in self.ways or self.chance.random() < 0.35:
            self.ways[place] = self.chance.choice(WAYS)
        some = self.chance.randint(2_000, 9 * 10**8)
        code = word.code
        match self.ways[place]:
            case "rounding":
                word.total += self.chance.randint(-999, 999)
            case "late":
                word.total -= some
                return word, [(code, self.chance.randint(1, 4), "payment", some + self.chance.choice((0, 0, 400)))]
            case "two_late":
                word.total -= some
                return word, [(code, 2, "payment", some - 777), (code, 3, "payment", 777), (code, 4, "payment", 31**5)]
            case "too_late":
                word.total -= some
                return word, [(code, 20, "payment", some)]
            case "up":
                word.total -= some
            case "down":
                word.total += some
            case "advance":
                word.advance = (word.advance or 0) + some
            case "recovered":
                word.advance = (word.advance or 0) + some
                return word, [(code, 2, "recovery", -some), (code, 2, "payment", some)]
            case "overdue":
                word.overdue = some
            case "unparted":
                word.advance = None
        return word, []

    def _confuse(self, words: list[Word], late: list[tuple[str, int, str, int]]) -> None:
        """Money booked under another code, one that is known or not, with a late document beside it or not."""
        one, other = self.chance.sample(words, 2)
        some = self.chance.randint(10**5, 9 * 10**8)
        one.total -= some
        match self.chance.choice(("known", "unknown", "late")):
            case "known":
                other.total += some + self.chance.choice((0, 0, 300))
            case "unknown":
                words.append(Word("00998", some, None))
            case "late":
                other.total += some
                document = self.chance.randint(2_000, 9 * 10**7)
                one.total -= document
                late.append((one.code, 1, "payment", document))

    def _load(self, said: Said) -> None:
        said.loaded.append(self._tick())
        sha256 = hashlib.sha256(said.file_name.encode()).hexdigest()
        self.connection.execute(
            "insert into raw.original values (%s, 1, %s, %s) on conflict do nothing", (sha256, sha256, self.now)
        )
        whole = Statement(said.as_of, said.budget_year, sha256, said.file_name, said.lines, said.postings)
        treasury.load(self.connection, whole, self.now)

    def _compare(self, month: Month) -> None:
        moment = self._tick()
        self.oracle.compare(month, moment)
        reconciliation.reconcile(self.connection, Period.parse(month[0]), month[1], moment)
        self.connection.commit()


@pytest.fixture(scope="module")
def made(postgres: settings.Settings) -> Iterator[tuple[str, Treasury]]:
    with copy_of(server.url("tiendo", postgres)) as address:
        with store.connect(address) as connection:
            builders.reference_data(connection)
            life = Treasury(connection)
            life.make()
        yield address, life


def unlike(found: list[Row], expected: list[Row], mart: str) -> tuple[list[Any], int]:
    """What differs, and how many cells were compared."""
    rows, wanted = keyed(found, KEYS[mart]), keyed(expected, KEYS[mart])
    wrong: list[Any] = [("too many", key) for key in rows.keys() - wanted.keys()]
    wrong += [("missing", key) for key in wanted.keys() - rows.keys()]
    cells = [(key, c, rows[key][c], value) for key, row in wanted.items() if key in rows for c, value in row.items()]
    wrong += [cell for cell in cells if (sorted(cell[2]) if cell[1] == "line_codes" else cell[2]) != cell[3]]
    return wrong, len(cells) - len(wanted) * len(KEYS[mart])


@pytest.mark.parametrize("mart", sorted(KEYS))
def test_what_is_known_now_equals_the_independent_computation(made: tuple[str, Treasury], mart: str) -> None:
    address, life = made
    wrong, cells = unlike(read(address, f"select * from mart.{mart}"), getattr(life.oracle, mart)(life.now), mart)
    assert wrong == []
    print("\n", mart, cells)
    assert mart == "treasury_kind" or cells > CASES // 10


@pytest.mark.parametrize("mart", sorted(KEYS))
def test_what_was_known_at_a_moment_equals_the_independent_computation(made: tuple[str, Treasury], mart: str) -> None:
    address, life = made
    checked = 0
    for moment in [life.now - timedelta(days=365), *life.moments]:
        expected = getattr(life.oracle, mart)(moment)
        wrong, cells = unlike(read(address, f"select * from mart.{mart}_at(%s)", moment), expected, mart)
        assert wrong == [], moment
        checked += cells
    period, year = MONTHS[2]
    of_month = [r for r in getattr(life.oracle, mart)(life.moments[-3]) if (r["period"], r["budget_year"]) == MONTHS[2]]
    found = read(address, f"select * from mart.{mart}_at(%s, %s, %s)", life.moments[-3], period, year)
    assert unlike(found, of_month, mart)[0] == []
    print("\n", mart, checked)
    assert checked >= CASES


def test_everything_that_is_compared_happens(made: tuple[str, Treasury]) -> None:
    _, life = made
    rows = [row for run in life.oracle.runs for row in run.rows]
    kept = life.oracle.treasury_reconciliation(life.now)
    assert {row["kind"] for row in kept} == KINDS
    assert {row["explained_by"] is None for row in rows if row["kind"] == "missing_unit"} == {True, False}
    assert {row["explained_by"] is None for row in rows if row["kind"] == "advance"} == {True, False}
    wrong = [row["explained_by"] for row in rows if row["kind"] == "wrong_code"]
    assert {"chưa có trong danh mục" in text for text in wrong} == {True, False}
    assert any(len(row["line_codes"]) > 1 and row["kind"] == "unexplained" for row in rows)
    assert any(row["line_codes"] == [] and row["kind"] == "unexplained" for row in rows)
    assert any(row["explained_by"].count("chứng từ") == 2 for row in rows if row["kind"] == "posting_date")
    both = {(r["period"], r["commune_code"], r["node_code"], r["capital_kind"], r["kind"]) for r in kept}
    assert any((*key[:4], "posting_date") in both for key in both if key[4] == "wrong_code")
    assert max(row["months_open"] for row in kept) > 3
    assert any(len(said.loaded) > 1 for said in life.oracle.said)
    assert any(c["other_dates"] for c in life.oracle.treasury_comparison(life.now))
    now = {(c["period"], c["budget_year"]): c for c in life.oracle.treasury_comparison(life.now)}
    assert now[WITHOUT_STATEMENT]["statement_file"] is None
    assert min(now[m]["communes_compared"] for m in MONTHS if m != WITHOUT_STATEMENT) < len(COMMUNES)
