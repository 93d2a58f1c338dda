"""Twenty-four months with revisions: every release stays what it was, and every list of revisions adds up."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from psycopg.rows import dict_row

from etl.load.warehouse import Connection
from etl.period import Period
from etl.publish import checks, figures, pack, release
from tests.sql import builders
from tests.sql.asked import wrong_answers
from tests.sql.numbers import Model
from tests.sql.packs import holes
from tests.sql.two_years import Frozen, Life, Received, of_province

DRAWN_EACH_MONTH = 1
ASKED_OF = 10
ADDITIVE = {
    "plan_total", "plan_assigned", "plan_carry", "disb_period", "disb_ytd", "disb_assigned", "disb_carry",
    "disb_completed", "disb_advance", "undisbursed", "undisbursed_carry",
}  # fmt: skip
COLUMN = {
    "commune": "commune_code", "programme": "programme_code", "project": "project_code",
    "subproject": "subproject_code", "capital_kind": "capital_kind", "indicator": "line_code",
}  # fmt: skip
Row = dict[str, Any]
Said = dict[str, str]
"""Mart -> hash of its rows as known at the moment of a release; ``figures``: of the figures of the report."""


def rows_of(connection: Connection, query: str, *values: Any) -> list[Row]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()


class Witness:
    """Keeps what every mart said of each release when it was published."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.said: dict[str, Said] = {}
        self.changed: set[tuple[str, str, str]] = set()
        self.marts = [
            name
            for (name,) in connection.execute(
                "select proname from pg_proc where pronamespace = 'mart'::regnamespace and proname like '%\\_at' "
                "and proargtypes[0] = 'timestamptz'::regtype and pronargs - pronargdefaults = 1 order by proname"
            )
        ]

    def listen(self, id: str, known_at: datetime) -> None:
        """A release was frozen at that moment."""
        self.said[id] = self.marts_at(known_at)

    def marts_at(self, known_at: datetime) -> Said:
        """Everything that was known at a moment, of every period."""
        said = {}
        for name in self.marts:
            rows = self.connection.execute(f"select m::text from mart.{name}(%s) as m", (known_at,)).fetchall()
            said[name] = hashlib.sha256("\n".join(sorted(r for (r,) in rows)).encode()).hexdigest()
        return said

    def compare(self, month: str, of: Frozen) -> None:
        """Everything is asked again; what differs is noted."""
        said = self.marts_at(of.known_at) | {"figures": self.figures_of(of)}
        before = self.said[of.id] | {"figures": of.facts_sha256}
        self.changed |= {(month, of.id, name) for name in said if said[name] != before[name]}

    def figures_of(self, of: Frozen) -> str:
        period = Period.parse(of.period)
        found = checks.of_figures(self.connection, period, of.budget_year, of.known_at)
        computed = figures.compute(self.connection, period, of.budget_year, of.known_at, found)
        return release.facts_sha256(computed)

    def kept(self) -> dict[str, str]:
        """What the kept summaries say of all releases, in one query."""
        return dict(
            self.connection.execute(
                """
                select r.release_id, md5(string_agg(k.content, ',' order by k.content))
                from mart.release as r
                cross join lateral (
                    select to_jsonb(l.*)::text as content from mart.disbursement_line_at(r.known_at) as l
                    where l.period = r.period and l.budget_year = r.budget_year
                    union all
                    select to_jsonb(s.*)::text from mart.disbursement_rate_at(r.known_at) as s
                    where s.period = r.period and s.budget_year = r.budget_year
                    union all
                    select to_jsonb(o.*)::text from mart.output_line_at(r.known_at) as o
                    where o.period = r.period and o.budget_year = r.budget_year
                ) as k
                group by r.release_id
                """
            ).fetchall()
        )


@pytest.fixture(scope="module")
def years(warehouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Life, Witness]]:
    """All months have been lived through; after each one what was said before was asked again."""
    home = tmp_path_factory.mktemp("two-years")
    with (
        pytest.MonkeyPatch.context() as patch,
        of_province(patch) as point,
        builders.copy_of(warehouse) as connection,
    ):
        # What is tested are the figures of the releases, not the files that are made of them.
        patch.setattr(pack, "render", lambda figures, *_: {"bao-cao.txt": figures.release_id.encode()})

        witness = Witness(connection)
        life = Life(connection, home, home / "out", point, witness.listen)
        chance = random.Random(7)
        kept: dict[str, str] = {}
        for month in life.months():
            connection.execute("analyze")  # as a server does by itself in the weeks between
            now = witness.kept()
            witness.changed |= {(month, id, "kept") for id, said in kept.items() if now[id] != said}
            kept = now
            for frozen in chance.sample(life.releases, DRAWN_EACH_MONTH):
                witness.compare(month, frozen)
        yield life, witness


def test_everything_happened(years: tuple[Life, Witness]) -> None:
    life, _ = years
    assert {r.period for r in life.releases} >= {"2025-03", "2025-07", "2026-01", "2027-02"}
    assert {(r.period, r.budget_year) for r in life.releases} >= {
        ("2026-01", 2025), ("2026-01", 2026), ("2027-01", 2026), ("2027-01", 2027),
    }  # fmt: skip
    assert len(life.releases) > 26 + 15
    wanted = ("missing", "returned", "late", "admitted", "accepted", "rejected", "withdrawn", "decided", "taken",
              "statements", "at_once")  # fmt: skip
    assert all(life.counts[name] > 1 for name in wanted), dict(life.counts)


def test_after_every_month_every_release_is_what_it_was(years: tuple[Life, Witness]) -> None:
    """The sums, lines and outputs of all of them; every mart and figure of one that is drawn."""
    _, witness = years
    assert witness.changed == set()


def test_at_the_end_every_figure_and_mart_of_every_release_comes_out_again(years: tuple[Life, Witness]) -> None:
    life, witness = years
    assert len(witness.marts) >= 35
    for frozen in life.releases:
        witness.compare("end", frozen)
    assert witness.changed == set()


def test_at_the_end_the_query_of_every_figure_gives_an_analyst_what_was_published(
    years: tuple[Life, Witness],
) -> None:
    life, witness = years
    connection = witness.connection
    drawn = random.Random(5).sample(life.releases, ASKED_OF)
    drawn += [frozen for frozen in life.releases if frozen.period == "2026-01" and frozen not in drawn]
    sets = [release.figures_of(connection, release.get(connection, frozen.id)) for frozen in drawn]
    connection.execute("set role tiendo_analyst")
    try:
        asked = [wrong_answers(connection, figures) for figures in sets]
    finally:
        connection.execute("reset role")
    assert [answer for _, wrong in asked for answer in wrong] == []
    assert sum(number for number, _ in asked) > 5_000


def test_every_month_is_told_in_sentences_and_figures_that_it_bears_out(years: tuple[Life, Witness]) -> None:
    """The documents of the last release of each month and budget year."""
    life, witness = years
    last = {(frozen.period, frozen.budget_year): frozen for frozen in life.releases}
    assert len(last) >= 26
    faults = []
    for frozen in last.values():
        figures = release.figures_of(witness.connection, release.get(witness.connection, frozen.id))
        made = pack.build(figures)
        model = Model(figures, (made.page, made.full))
        checked = checks.of_documents(figures, (made.page, made.full), made.extra.charts())
        found = [f.message for f in checked if f.severity == "error"]
        found += holes(figures, made)
        for document in (made.page, made.full, *made.letters[:3]):
            found += model.faults(model.laid_out(document))
        faults += [f"{frozen.id}: {fault}" for fault in found]
    assert faults == []


def test_the_published_views_show_what_was_known_when_a_release_was_frozen(years: tuple[Life, Witness]) -> None:
    life, witness = years
    of = next(r for r in life.releases if (r.period, r.budget_year) == ("2026-01", 2025))
    for name in (n.removesuffix("_at") for n in witness.marts):
        published = rows_of(
            witness.connection, f"select * from mart.{name}_published where release_id = %s", of.id
        )  # fmt: skip
        held = {"period": of.period, "budget_year": of.budget_year}
        known = [
            row
            for row in rows_of(witness.connection, f"select * from mart.{name}_at(%s)", of.known_at)
            if all(row.get(column, value) == value for column, value in held.items())
        ]
        shown = [{k: v for k, v in row.items() if k not in ("release_id", "release_no")} for row in published]
        assert sorted(map(repr, shown)) == sorted(map(repr, known)), name


# Lists of revisions ---------------------------------------------------------------------------------------------------


def consecutive(life: Life) -> Iterator[tuple[Frozen, Frozen]]:
    """Each published release with the next one of its period and budget year."""
    last: dict[tuple[str, int], Frozen] = {}
    for frozen in life.releases:
        key = (frozen.period, frozen.budget_year)
        if key in last:
            yield last[key], frozen
        last[key] = frozen


def revisions(connection: Connection) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows_of(connection, "select * from mart.revision"):
        found[row["release_id"]].append(row)
    return found


@pytest.fixture(scope="module")
def listed(years: tuple[Life, Witness]) -> dict[str, list[Row]]:
    return revisions(years[1].connection)


def additive_figures(connection: Connection, release_id: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], Decimal]:
    """Amounts and counts of outputs of a release that are sums over lines: by metric and dimensions."""
    found = connection.execute(
        "select metric, dims, value from release.figure where release_id = %s and value is not null "
        "and (source = 'mart.disbursement_rate' and unit = 'vnd' "
        "or source = 'mart.output_indicator' and unit = 'quantity')",
        (release_id,),
    )
    return {
        (metric, tuple(sorted(dims.items()))): value
        for metric, dims, value in found
        if (metric in ADDITIVE or "indicator" in dims) and set(dims) <= set(COLUMN)
    }


def test_every_list_of_revisions_adds_up_to_the_difference_of_every_figure(
    years: tuple[Life, Witness], listed: dict[str, list[Row]]
) -> None:
    life, witness = years
    checked = 0
    for old, new in consecutive(life):
        sides = [additive_figures(witness.connection, side.id) for side in (old, new)]
        rows = listed[new.id]
        assert {row["previous_release_id"] for row in rows} <= {old.id}
        for metric, dims in sides[0] | sides[1]:
            form = "B02" if "indicator" in dict(dims) else "B01"
            total = sum(
                row["difference"]
                for row in rows
                if (row["form"], row["metric"]) == (form, metric)
                and all(row[COLUMN[name]] == value for name, value in dims)
            )
            difference = sides[1].get((metric, dims), 0) - sides[0].get((metric, dims), 0)
            assert total == difference, (old.id, new.id, metric, dims)
            checked += total != 0
    assert checked > 1000


def lines_of(connection: Connection, release_id: str) -> dict[tuple[Any, ...], Decimal]:
    """Every amount of every line as it was published: by commune, line, place in the tree and metric."""
    rows = rows_of(connection, "select * from mart.disbursement_line_published where release_id = %s", release_id)
    place = ("commune_code", "line_code", "is_unallocated", "programme_code", "project_code")
    return {
        (*(row[name] for name in place if name != "is_unallocated"), metric, row["is_unallocated"]): row[metric]
        for row in rows
        for metric in (*sorted(ADDITIVE - {"undisbursed", "undisbursed_carry"}), "plan_nstw", "disb_nsdp", "forecast")
        if row[metric] is not None
    }


def test_a_list_of_revisions_turns_the_lines_of_one_release_into_those_of_the_next(
    years: tuple[Life, Witness], listed: dict[str, list[Row]]
) -> None:
    life, witness = years
    gone = come = 0
    for old, new in consecutive(life):
        before, after = (lines_of(witness.connection, side.id) for side in (old, new))
        metrics = {key[4] for key in before | after}
        told = [row for row in listed[new.id] if row["form"] == "B01" and row["metric"] in metrics]
        name = ("commune_code", "line_code", "programme_code", "project_code", "metric")
        differing = Counter(
            (*key[:5], before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)
        )
        assert Counter((*(row[n] for n in name), row["old_value"], row["new_value"]) for row in told) == differing
        gone += sum(row["new_value"] is None for row in told)
        come += sum(row["old_value"] is None for row in told)
    assert min(gone, come) > 20


def cause_of(old: Received | None, new: Received | None, since: datetime, until: datetime) -> str:
    """Why another report speaks, from what was received and decided between the two moments."""

    def between(moment: datetime | None) -> bool:
        return moment is not None and since < moment <= until

    if old and between(old.withdrawn):
        return "withdrawn"
    if new and any(what == "accepted" and between(at) for at, what in new.decided):
        return "late_revision"
    if new and between(new.admitted):
        return "admitted"
    if old and any(what == "rejected" and between(at) for at, what in old.decided):
        return "revision_rejected"
    return "resubmission" if old else "new_report"


def test_every_row_names_the_reports_and_the_reason(years: tuple[Life, Witness], listed: dict[str, list[Row]]) -> None:
    life, _ = years
    seen: dict[str, int] = defaultdict(int)
    for old, new in consecutive(life):
        since, until = old.known_at, new.known_at
        decided = {
            (commune, line): number
            for at, commune, year, line, number in life.decisions
            if year == new.budget_year and since < at <= until
        }
        for row in listed[new.id]:
            key = (row["commune_code"], new.period, new.budget_year)
            before, after = life.speaking(key, since), life.speaking(key, until)
            assert row["old_submission_id"] == (before.number if before else None), row
            assert row["new_submission_id"] == (after.number if after else None), row
            assert row["reason"], row
            if row["cause"] == "allocation":
                assert (row["commune_code"], row["line_code"]) in decided, row
                assert decided[row["commune_code"], row["line_code"]] in row["reason"].split("; "), row
            elif row["cause"] == "reference":
                assert any(since < at <= until for at in life.reference_changes), row
            else:
                assert before is not after, row
                assert row["cause"] == cause_of(before, after, since, until), row
            seen[row["cause"]] += 1
    assert set(seen) >= {
        "withdrawn", "late_revision", "admitted", "revision_rejected", "new_report", "resubmission", "allocation",
        "reference",
    }, dict(seen)  # fmt: skip
    most = max(len({row["cause"] for row in rows}) for rows in listed.values())
    assert most >= 4


def test_what_is_pending_is_what_changed_since_the_last_release_of_each_period(years: tuple[Life, Witness]) -> None:
    _, witness = years
    totals = rows_of(
        witness.connection,
        """
        select r.period, r.budget_year, n.disb_ytd - o.disb_ytd as difference, coalesce(p.listed, 0) as listed
        from mart.release as r
        inner join mart.disbursement_rate_published as o on r.release_id = o.release_id and o.slice = 'all'
        inner join mart.disbursement_rate as n
            on r.period = n.period and r.budget_year = n.budget_year and n.slice = 'all'
        left join (
            select q.period, q.budget_year, sum(q.difference) as listed from mart.revision_pending as q
            where q.metric = 'disb_ytd' group by q.period, q.budget_year
        ) as p on r.period = p.period and r.budget_year = p.budget_year
        where r.is_latest and r.period >= '2026-08'
        """,
    )
    assert any(row["listed"] for row in totals)
    assert [row for row in totals if row["difference"] != row["listed"]] == []
