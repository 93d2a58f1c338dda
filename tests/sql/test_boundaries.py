"""Units that change: series in the boundaries of then and of now, and what is not comparable."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl.load import marts
from etl.load import warehouse as db
from etl.load.warehouse import Connection
from etl.reference import load as reference_load
from etl.reference.province import Province
from tests.sql import builders
from tests.sql.builders import TRIEU, line
from tests.unit.test_units import begin, end, folder, went

__all__ = ["folder"]

MAY, JULY, JUNE_30 = date(2025, 5, 31), date(2025, 7, 31), date(2025, 6, 30)
DINH_LAP, KIEN_MOC, CHAU_SON, DONG_KINH = "06613", "06625", "06637", "05977"
GROUP = "06613+06625+06637"


def amounts(number: int) -> list[dict[str, Any]]:
    """Lines of two programmes and kinds; another sum for each number."""
    return [
        line("GNBV-DA2", "SN", (100 + number) * TRIEU, 10 * number * TRIEU // 10, carry=number * TRIEU),
        line("NTM-ND02", "DT", 1000 * TRIEU, 3 * number * TRIEU),
    ]


def codes_on(connection: Connection, day: date) -> list[str]:
    query = (
        "select commune_code from ref.unit where valid_from <= %s and (valid_to is null or valid_to >= %s) order by 1"
    )
    return [code for (code,) in connection.execute(query, (day, day))]


def all_report(connection: Connection, day: date) -> dict[str, int]:
    """Every unit of that day reports the month; returns the amount disbursed by code."""
    paid = {}
    for number, code in enumerate(codes_on(connection, day), 1):
        builders.report(connection, code, f"{day:%Y-%m}", amounts(number), as_of=day)
        paid[code] = 4 * number * TRIEU
    return paid


def series(connection: Connection, boundaries: date | None = None) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Rows of the slice all by period, level and code."""
    marts.refresh(connection)
    found = connection.execute(
        "select * from mart.disbursement_series_at('infinity', %s) where slice = 'all'", (boundaries,)
    )
    names = [column.name for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    keyed = {(r["period"], r["level"], r["unit_code"]): r for r in rows}
    assert len(keyed) == len(rows)
    return keyed


def test_present_units_that_wholly_consist_of_former_ones_sum_exactly(connection: Connection) -> None:
    may, july = all_report(connection, MAY), all_report(connection, JULY)

    rows = series(connection)

    merged = sum(may[code] for code in ("05977", "05980", "05992", "06247"))
    assert rows["2025-05", "unit", DONG_KINH]["disb_ytd"] == merged
    assert rows["2025-05", "unit", DONG_KINH]["unit_vi"] == "Phường Đông Kinh"
    assert rows["2025-05", "unit", DONG_KINH]["communes_expected"] == 4
    assert rows["2025-07", "unit", DONG_KINH]["disb_ytd"] == july[DONG_KINH]
    for period, paid in (("2025-05", may), ("2025-07", july)):
        groups = [r for (p, level, _), r in rows.items() if (p, level) == (period, "group")]
        assert sum(r["disb_ytd"] for r in groups) == sum(paid.values())
        assert sum(r["communes_reported"] for r in groups) == len(paid)
        assert sum(p == period and level == "unit" for p, level, _ in rows) == 65


def test_the_divided_communes_are_not_comparable_and_their_group_is(connection: Connection) -> None:
    may, july = all_report(connection, MAY), all_report(connection, JULY)

    rows = series(connection)

    for code in (DINH_LAP, KIEN_MOC, CHAU_SON):
        before, after = rows["2025-05", "unit", code], rows["2025-07", "unit", code]
        assert (before["is_comparable"], before["disb_ytd"], before["rate_total"]) == (False, None, None)
        assert "đã chia cho" in before["reason_vi"]
        assert (after["is_comparable"], after["disb_ytd"], after["reason_vi"]) == (True, july[code], None)
        assert {before["group_code"], after["group_code"]} == {GROUP}
    assert "Xã Bính Xá (06622, Huyện Đình Lập)" in rows["2025-05", "unit", DINH_LAP]["reason_vi"]
    assert "Kiên Mộc" in rows["2025-05", "unit", CHAU_SON]["reason_vi"]
    parts = ("06613", "06619", "06622", "06625", "06628", "06634", "06637", "06643", "06646")
    former = rows["2025-05", "group", GROUP]
    assert former["disb_ytd"] == sum(may[code] for code in parts)
    assert former["group_vi"] == "Xã Đình Lập + Xã Kiên Mộc + Xã Châu Sơn"
    assert rows["2025-07", "group", GROUP]["disb_ytd"] == sum(july[c] for c in (DINH_LAP, KIEN_MOC, CHAU_SON))
    alone = {c for (p, level, c), r in rows.items() if (p, level) == ("2025-05", "unit") and r["is_comparable"]}
    assert len(alone) == 62


def test_data_of_now_are_given_in_the_boundaries_of_then_only_as_sums_over_groups(connection: Connection) -> None:
    may, july = all_report(connection, MAY), all_report(connection, JULY)

    rows = series(connection, JUNE_30)

    vinh_trai = rows["2025-05", "unit", DONG_KINH]
    assert (vinh_trai["unit_vi"], vinh_trai["disb_ytd"]) == ("Phường Vĩnh Trại", may[DONG_KINH])
    later = rows["2025-07", "unit", DONG_KINH]
    assert (later["disb_ytd"], later["group_code"]) == (None, "05977+05980+05992+06247")
    assert later["reason_vi"].startswith("Phường Đông Kinh (05977) gồm phần của Phường Vĩnh Trại")
    assert rows["2025-07", "group", "05977+05980+05992+06247"]["disb_ytd"] == july[DONG_KINH]
    groups = [r for (p, level, _), r in rows.items() if (p, level) == ("2025-07", "group")]
    assert sum(r["disb_ytd"] for r in groups) == sum(july.values())
    assert sum(p == "2025-05" and level == "unit" for p, level, _ in rows) == 194


def test_a_rate_in_other_boundaries_is_sum_over_sum(connection: Connection) -> None:
    builders.report(connection, "05977", "2025-05", [line("GNBV-DA2", "SN", 900 * TRIEU, 0)], as_of=MAY)
    builders.report(connection, "05980", "2025-05", [line("GNBV-DA2", "SN", 100 * TRIEU, 100 * TRIEU)], as_of=MAY)
    builders.report(connection, DONG_KINH, "2025-07", [line("GNBV-DA2", "SN", 100 * TRIEU, 0)])

    row = series(connection)["2025-05", "unit", DONG_KINH]

    assert (row["rate_total"], row["communes_reported"], row["communes_expected"]) == (10, 2, 4)


def test_the_slices_of_programme_and_kind_add_up_to_all(connection: Connection) -> None:
    all_report(connection, MAY)
    all_report(connection, JULY)
    marts.refresh(connection)

    different = connection.execute(
        """
        select s.unit_code from mart.disbursement_series_at('infinity', '2025-07-31') as s
        group by s.period, s.level, s.unit_code, s.is_comparable
        having
            coalesce(sum(s.plan_total) filter (where s.slice = 'programme'), 0)
            <> coalesce(sum(s.plan_total) filter (where s.slice = 'all'), 0)
            or coalesce(sum(s.disb_carry) filter (where s.slice = 'capital_kind'), 0)
            <> coalesce(sum(s.disb_carry) filter (where s.slice = 'all'), 0)
            or count(*) filter (where s.slice = 'programme') <> 2
        """
    ).fetchall()

    assert different == []


def test_a_report_that_did_not_come_is_missing_and_not_zero(connection: Connection) -> None:
    builders.report(connection, "06517", "2025-07", amounts(1))

    rows = series(connection)

    silent = rows["2025-07", "unit", DONG_KINH]
    assert (silent["disb_ytd"], silent["communes_reported"], silent["communes_expected"]) == (None, 0, 1)


def test_a_code_that_no_list_has_is_told_and_its_money_is_kept(connection: Connection) -> None:
    builders.report(connection, "99999", "2025-07", amounts(5))

    rows = series(connection)

    assert rows["2025-07", "group", "99999"]["disb_ytd"] == 20 * TRIEU
    assert rows["2025-07", "unit", "99999"]["reason_vi"] == "Mã 99999 không có trong danh mục đơn vị ngày 31/07/2025"


def test_the_series_is_given_as_it_was_known(connection: Connection) -> None:
    builders.report(connection, "06517", "2025-07", amounts(1))
    again = builders.submission(connection, "06517", "2025-08")
    marts.refresh(connection)
    known = connection.execute("select known_at from raw.submission where submission_id = %s", (again,)).fetchone()[0]

    def days(moment: Any) -> set[tuple[str, date]]:
        query = "select distinct period, boundaries from mart.disbursement_series_at(%s)"
        return set(connection.execute(query, (moment,)))

    july, august = ("2025-07", date(2025, 7, 31)), date(2025, 8, 31)
    assert days(known - timedelta(seconds=1)) == {july}
    assert days(known) == {("2025-07", august), ("2025-08", august)}


def test_districts_go_on_where_no_commune_lies_in_two(connection: Connection) -> None:
    may, july = all_report(connection, MAY), all_report(connection, JULY)
    marts.refresh(connection)

    rows = {
        (period, level, name): (comparable, paid, reason)
        for period, level, name, comparable, paid, reason in connection.execute(
            "select period, level, district_vi, is_comparable, disb_ytd, reason_vi from mart.disbursement_district "
            "where slice = 'all'"
        )
    }

    assert sum(level == "district" and period == "2025-05" for period, level, _ in rows) == 11
    present = builders.province().communes.values()
    together = sum(july[c.code] for c in present if c.former_districts == ("Huyện Đình Lập",))
    assert rows["2025-07", "district", "Huyện Đình Lập"] == (True, together, None)
    comparable, paid, reason = rows["2025-07", "district", "Huyện Văn Quan"]
    assert (comparable, paid) == (False, None)
    assert "Xã Khánh Khê (06286) gồm phần của Huyện Cao Lộc, Huyện Văn Quan" in reason
    assert rows["2025-05", "district", "Huyện Văn Quan"][0]
    for period, all_paid in (("2025-05", may), ("2025-07", july)):
        groups = [paid for (p, level, _), (_, paid, _) in rows.items() if (p, level) == (period, "group")]
        assert sum(groups) == sum(all_paid.values())
        assert len(groups) == 9


def test_facts_of_former_units_are_named_as_they_were_called_then(connection: Connection) -> None:
    outputs = [{"indicator_code": "CT-01", "target_year": 5, "actual_ytd": 2}]
    builders.report(connection, DONG_KINH, "2025-05", amounts(1), as_of=MAY, outputs=outputs)
    builders.report(connection, DONG_KINH, "2025-07", amounts(1), outputs=outputs)

    for mart in ("disbursement_line", "output_line", "submission"):
        found = connection.execute(f"select distinct period, commune_vi from mart.{mart} order by 1").fetchall()
        assert found == [("2025-05", "Phường Vĩnh Trại"), ("2025-07", "Phường Đông Kinh")]


def test_any_mart_is_brought_into_the_boundaries_of_now_by_the_map(connection: Connection) -> None:
    for code, done in (("05977", 2), ("05980", 3), ("06622", 4)):
        outputs = [{"indicator_code": "CT-01", "target_year": 5, "actual_ytd": done}]
        builders.report(connection, code, "2025-05", amounts(1), as_of=MAY, outputs=outputs)
    builders.report(connection, DONG_KINH, "2025-07", amounts(1))

    found = connection.execute(
        """
        select m.group_code, m.now_vi, m.is_comparable, sum(o.actual_ytd)
        from mart.output_line as o
        inner join mart.unit_map as m
            on
                o.commune_code = m.commune_code and o.as_of >= m.valid_from
                and (m.valid_to is null or o.as_of <= m.valid_to)
        group by m.group_code, m.now_vi, m.is_comparable order by 1
        """
    ).fetchall()

    assert found == [("05977", "Phường Đông Kinh", True, 5), (GROUP, None, False, 4)]


def test_the_unit_that_contains_all_of_another_is_found_forwards_and_backwards(connection: Connection) -> None:
    def at(code: str, day: date, boundaries: date) -> str | None:
        return connection.execute("select ref.unit_at(%s, %s, %s)", (code, day, boundaries)).fetchone()[0]

    assert at("05980", MAY, JULY) == DONG_KINH
    assert at("06622", MAY, JULY) is None
    assert at("06619", MAY, JULY) == KIEN_MOC
    assert at(DONG_KINH, JULY, MAY) is None
    assert at(DONG_KINH, JULY, date(2030, 1, 1)) == DONG_KINH
    assert at("05980", JULY, JULY) is None


def test_completeness_counts_the_units_that_there_were_on_the_day(connection: Connection) -> None:
    connection.execute(
        "insert into ref.reporting_calendar values "
        "('2025-05', 2025, '2025-05-31', '2025-05-31', '2025-06-06', '2025-06-10', '2025-06-13', false, false)"
    )
    builders.report(connection, "05980", "2025-05", amounts(1), as_of=MAY)
    marts.refresh(connection)

    expected = dict(connection.execute("select period, communes_expected from mart.completeness"))

    assert (expected["2025-05"], expected["2025-07"], expected["2027-12"]) == (194, 65, 65)
    query = "select period, count(*), count(*) filter (where state = 'reported') from mart.submission_status group by 1"
    status = {period: (units, reported) for period, units, reported in connection.execute(query)}
    assert (status["2025-05"], status["2025-07"]) == ((194, 1), (65, 0))


def change_2027(folder: Path) -> Province:
    """On 1/1/2027, as data only: two communes are merged, one is renamed, one is divided, one gets another code."""
    first, second = end(folder, "06001"), end(folder, "06004")
    begin(folder, first, name_vi="Xã Đoàn Kết", area_km2="408.81")
    went(folder, "06001", "06001", "merged")
    went(folder, "06004", "06001", "merged")
    assert second["name_vi"] == "Xã Quốc Khánh"
    begin(folder, end(folder, "06517"), name_vi="Xã Hữu Kiên", short_name_vi="Hữu Kiên")
    went(folder, "06517", "06517", "renamed")
    divided = end(folder, "06037")
    begin(folder, divided)
    went(folder, "06037", "06037", "divided")
    went(folder, "06037", "06998", "divided")
    begin(folder, divided, commune_code="06998", name_vi="Xã Chiến Thắng Mới", short_name_vi="Chiến Thắng Mới")
    begin(folder, end(folder, "06019"), commune_code="06997")
    went(folder, "06019", "06997", "recoded")
    return Province(folder)


def test_a_later_change_is_data_only(connection: Connection, folder: Path) -> None:
    reference_load.load(connection, change_2027(folder), builders.LOADED)
    december, january = date(2026, 12, 31), date(2027, 1, 31)
    may = all_report(connection, MAY)
    before = all_report(connection, december)
    after = all_report(connection, january)

    now = series(connection)
    then = series(connection, december)

    assert (len(before), len(after)) == (65, 65)
    assert now["2026-12", "unit", "06001"]["disb_ytd"] == before["06001"] + before["06004"]
    assert now["2027-01", "unit", "06001"]["disb_ytd"] == after["06001"]
    assert now["2026-12", "unit", "06997"]["disb_ytd"] == before["06019"]
    assert (now["2026-12", "unit", "06517"]["unit_vi"], then["2027-01", "unit", "06517"]["unit_vi"]) == (
        "Xã Hữu Kiên", "Xã Quan Sơn",
    )  # fmt: skip
    assert then["2027-01", "unit", "06517"]["disb_ytd"] == after["06517"]
    part = now["2026-12", "unit", "06998"]
    assert (part["disb_ytd"], part["group_code"]) == (None, "06037+06998")
    assert part["reason_vi"].startswith("Xã Kháng Chiến (06037) đã chia cho Xã Kháng Chiến, Xã Chiến Thắng Mới")
    assert then["2027-01", "unit", "06037"]["disb_ytd"] == after["06037"] + after["06998"]
    assert then["2027-01", "unit", "06001"]["disb_ytd"] is None
    assert then["2027-01", "group", "06001+06004"]["disb_ytd"] == after["06001"]
    for rows in (now, then):
        for period, paid in (("2025-05", may), ("2026-12", before), ("2027-01", after)):
            groups = [r["disb_ytd"] for (p, level, _), r in rows.items() if (p, level) == (period, "group")]
            assert sum(groups) == sum(paid.values())


def test_a_renamed_commune_stands_once_in_a_month_by_its_name_of_that_day(connection: Connection, folder: Path) -> None:
    reference_load.load(connection, change_2027(folder), builders.LOADED)
    for day in (date(2026, 12, 31), date(2027, 1, 31)):
        all_report(connection, day)
    marts.refresh(connection)

    for mart in (
        "disbursement_rate",
        "disbursement_rate_at('infinity')",
        "commune_rank",
        "commune_rank_at('infinity')",
    ):
        of_communes = "and slice = 'commune'" if "rate" in mart else ""
        rows = connection.execute(
            f"select period, commune_code, commune_vi from mart.{mart} where commune_code is not null {of_communes}"
        ).fetchall()
        assert len(rows) == len({row[:2] for row in rows}) == 130, mart
        assert {row for row in rows if row[1] == "06517"} == {
            ("2026-12", "06517", "Xã Quan Sơn"), ("2027-01", "06517", "Xã Hữu Kiên"),
        }, mart  # fmt: skip


def test_a_commune_that_is_divided_and_made_whole_again_is_comparable(connection: Connection) -> None:
    units = [[("10001",)], [("10001",), ("10002",)], [("10003",)]]
    _write(connection, units, [[[0, 1]], [[0], [0]]])

    days = _days(3)
    found = connection.execute("select ref.unit_at('10001', %s, %s), ref.unit_at('10001', %s, %s)", (
        days[0], days[2], days[0], days[1])).fetchone()  # fmt: skip

    assert found == ("10003", None)


# Random histories: some stretches of time with some units each; every unit goes to one or more of the next stretch.


def _days(number: int) -> list[date]:
    return [date(2020 + n, 1, 1) for n in range(number)]


def _write(
    connection: Connection, units: Sequence[Sequence[tuple[str]]], steps: Sequence[Sequence[Sequence[int]]]
) -> None:
    connection.execute("delete from ref.unit_change")
    connection.execute("delete from ref.unit")
    days = _days(len(units))
    for n, codes in enumerate(units):
        last = days[n + 1] - timedelta(1) if n + 1 < len(units) else None
        for (code,) in codes:
            connection.execute(
                "insert into ref.unit values (%s, %s, %s, %s, 'xã', null, '20', null, false)",
                (code, days[n], last, f"Xã {code}"),
            )
    for n, step in enumerate(steps):
        for (code,), targets in zip(units[n], step, strict=True):
            for target in targets:
                kind = "merged" if len(targets) == 1 else "divided"
                connection.execute(
                    "insert into ref.unit_change values (%s, %s, %s, %s, %s, 'NQ', false)",
                    (days[n + 1], code, units[n + 1][target][0], kind, len(targets) == 1),
                )


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[tuple[str]]], list[list[list[int]]]]:
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    units = []
    for size in sizes:
        # Codes are used again for other units, as in 2025.
        numbers = draw(st.permutations(range(7)))
        units.append([(f"1000{n}",) for n in numbers[:size]])
    steps = []
    for before, after in itertools.pairwise(sizes):
        step = [sorted(draw(st.sets(st.integers(0, after - 1), min_size=1, max_size=2))) for _ in range(before)]
        for missing in set(range(after)) - {t for targets in step for t in targets}:
            step[draw(st.integers(0, before - 1))].append(missing)
        steps.append([sorted(set(targets)) for targets in step])
    return units, steps


def _reach(steps: Sequence[Sequence[Sequence[int]]], sizes: Sequence[int], start: int, goal: int) -> list[set[int]]:
    """For each unit of stretch ``start`` those of stretch ``goal`` that may have land of it."""
    reached = [{n} for n in range(sizes[start])]
    if goal >= start:
        for step in steps[start:goal]:
            reached = [{t for u in units for t in step[u]} for units in reached]
    else:
        for step in reversed(steps[goal:start]):
            reached = [{u for u, targets in enumerate(step) if set(targets) & units} for units in reached]
    return reached


def _components(edges: Sequence[set[int]], places: int) -> list[frozenset[int]]:
    groups = [{n} for n in range(places)]
    for linked in edges:
        joined = set(linked).union(*(g for g in groups if g & linked))
        groups = [g for g in groups if not g & linked] + [joined]
    return [frozenset(g) for g in groups]


@given(history=histories(), data=st.data())
@hypothesis_settings(max_examples=30, deadline=None)
def test_no_money_is_lost_or_doubled_in_any_boundaries(
    reference: str, history: tuple[list[list[tuple[str]]], list[list[list[int]]]], data: st.DataObject
) -> None:
    units, steps = history
    sizes, days = [len(u) for u in units], _days(len(units))
    goal = data.draw(st.integers(0, len(units) - 1))
    paid: dict[str, dict[str, int]] = {}
    with db.connect(reference) as connection:
        _write(connection, units, steps)
        connection.execute("delete from core.stale_period")  # there is nothing yet that could be stale
        for n, codes in enumerate(units):
            day = days[n] + timedelta(30)
            paid[f"{day:%Y-%m}"] = {code: 2 ** (3 * k + n) for k, (code,) in enumerate(codes)}
            for code, amount in paid[f"{day:%Y-%m}"].items():
                builders.report(
                    connection, code, f"{day:%Y-%m}", [line("GNBV-DA2", "SN", 2 * amount, amount)], as_of=day
                )
        rows = series(connection, days[goal])
        connection.rollback()

    edges = {n: _reach(steps, sizes, n, goal) for n in range(len(units))}
    groups = _components([e for n in edges for e in edges[n]], sizes[goal])
    names = {frozenset(units[goal][p][0] for p in g) for g in groups}
    for n, (period, amounts_of) in enumerate(paid.items()):
        own = {code: r for (p, level, code), r in rows.items() if (p, level) == (period, "unit")}
        group = {code: r for (p, level, code), r in rows.items() if (p, level) == (period, "group")}
        assert sum(r["disb_ytd"] for r in group.values()) == sum(amounts_of.values())
        assert set(own) == {code for (code,) in units[goal]}
        members = defaultdict(set)
        for code, row in own.items():
            members[row["group_code"]].add(code)
        assert {frozenset(m) for m in members.values()} == names
        of_day = {p: g for g in _components(edges[n], sizes[goal]) for p in g}
        for place, (code,) in enumerate(units[goal]):
            alone = len(of_day[place]) == 1
            sources = [u for u, reached in enumerate(edges[n]) if place in reached]
            expected = sum(amounts_of[units[n][u][0]] for u in sources) if alone else None
            assert (own[code]["is_comparable"], own[code]["disb_ytd"]) == (alone, expected)
            assert (own[code]["reason_vi"] is None) == alone
