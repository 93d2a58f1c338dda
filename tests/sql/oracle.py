"""Every mart worked out a second time, in plain Python and Decimal, from what was reported and decided.

Written from what the marts say of themselves (their .yml and header comments) and from DOMAIN.md, never from their SQL.
A mart here is a list of rows; its columns are those of the mart but for texts that only say again what a code says,
and for numbers that the warehouse gives (``submission_id`` is compared by what it points to).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from etl.period import Period
from etl.reference.province import Province, Window, read_csv

Row = dict[str, Any]
Number = int | Decimal
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
ALWAYS = datetime.min.replace(tzinfo=UTC)
AMOUNTS = ("plan_total", "plan_nstw", "plan_nst", "plan_nsx", "carry_nstw", "carry_nsdp", "disb_period", "disb_ytd",
           "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume",
           "forecast")  # fmt: skip
PLAN_OF_SOURCE = {"NSTW": "plan_nstw", "NST": "plan_nst", "NSX": "plan_nsx", "KD_NSTW": "carry_nstw",
                  "KD_NSDP": "carry_nsdp"}  # fmt: skip
SLICES = {
    "all": (),
    "commune": ("commune_code",),
    "programme": ("programme_code",),
    "project": ("programme_code", "project_code"),
    "subproject": ("programme_code", "project_code", "subproject_code"),
    "capital_kind": ("capital_kind",),
    "programme_capital_kind": ("programme_code", "capital_kind"),
    "commune_capital_kind": ("commune_code", "capital_kind"),
    "commune_programme": ("commune_code", "programme_code"),
}
AXES = ("commune_code", "programme_code", "project_code", "subproject_code", "capital_kind", "source")
OPEN_STATES = ("Chưa giải quyết", "Đang giải quyết")
PLANNED = (*(f"planned_m{n:02d}" for n in range(1, 13)), "planned_close")
CLOSE = 13
SERIAL = ("plan_total", "plan_assigned", "plan_carry", "disb_ytd", "disb_assigned", "disb_carry")
PROBLEM = ("rule_id", "expectation_id", "form", "line", "item")


@dataclass
class Version:
    """One workbook that was judged. ``forms``: B01 to B05 and off_budget, rows as they were reported."""

    commune: str
    period: str
    budget_year: int
    received_at: datetime
    forms: dict[str, list[Row]] = field(default_factory=dict)
    verdict: str = "accepted"
    is_late_revision: bool = False
    accepted_at: datetime | None = None
    withdrawn: bool = False
    nothing_to_report: tuple[str, ...] = ()
    findings: list[Row] = field(default_factory=list)

    @property
    def was_in_force(self) -> bool:
        return self.verdict == "accepted" and (not self.is_late_revision or self.accepted_at is not None)

    @property
    def month(self) -> int:
        """1 to 12, and 13 for the report on the close of the budget year."""
        return (int(self.period[:4]) - self.budget_year) * 12 + int(self.period[5:])


@dataclass
class Decided:
    """One amount of an allocation decision."""

    effective_on: date
    budget_year: int
    commune: str
    project_code: str
    capital_kind: str
    source: str
    amount: int


# Arithmetic with blanks ----------------------------------------------------------------------------------------------


def total(values: Iterable[Number | None]) -> Number | None:
    """What is known added up; a blank when nothing is known."""
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def plus(*values: Number | None) -> Number | None:
    """A sum that is blank when a part is."""
    return None if None in values else sum(v for v in values if v is not None)


def minus(a: Number | None, b: Number | None) -> Number | None:
    return None if a is None or b is None else a - b


def half_up(value: Decimal, places: int = 0) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def rate(part: Number | None, whole: Number | None) -> Decimal | None:
    if part is None or whole is None or whole == 0:
        return None
    return half_up(Decimal(part) * 100 / Decimal(whole), 2)


def both(rows: Sequence[Row], a: str, b: str) -> tuple[Number | None, Number | None]:
    """Sums of two columns over the rows that have both."""
    paired = [r for r in rows if r[a] is not None and r[b] is not None]
    return total(r[a] for r in paired), total(r[b] for r in paired)


def quantile(values: Iterable[Decimal], share: Decimal) -> Decimal:
    """The smallest value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def month_of(row: Row) -> tuple[str, int]:
    return row["period"], row["budget_year"]


def of_commune(row: Row) -> tuple[str, int, str]:
    return row["period"], row["budget_year"], row["commune_code"]


def months_before(period: str, months: int) -> str:
    number = int(period[:4]) * 12 + int(period[5:]) - 1 - months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _months_over(month: tuple[str, int]) -> int:
    """Of the thirteen of a budget year, which closes on 31 January of the next."""
    return between(f"{month[1]}-01", month[0]) + 1


def between(first: str, last: str) -> int:
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])


@dataclass
class Oracle:
    """The marts over these versions and decisions, as known at ``now``. What the checks found is compared only where
    all of it is given (``knows_findings``); the sample's truth has what was planted."""

    province: Province
    versions: list[Version]
    decided: list[Decided]
    now: datetime
    knows_findings: bool = False

    # Who speaks -------------------------------------------------------------------------------------------------------

    @cached_property
    def windows(self) -> list[Window]:
        return list(self.province.windows.values())

    def window(self, row: Row) -> Window:
        return self.province.windows[Period.parse(row["period"]), row["budget_year"]]

    @cached_property
    def reports(self) -> list[Version]:
        """The last word of each commune for a month: a valid version that was not taken back; one that came after
        publication only when an officer accepted it, from that moment."""
        speaking: dict[tuple[str, str, int], tuple[datetime, Version]] = {}
        for v in self.versions:
            counts = v.verdict == "accepted" and not v.withdrawn and (not v.is_late_revision or v.accepted_at)
            if not counts:
                continue
            key, since = (v.commune, v.period, v.budget_year), v.accepted_at or v.received_at
            if key not in speaking or since > speaking[key][0]:
                speaking[key] = since, v
        return [v for _, v in speaking.values()]

    @cached_property
    def by_key(self) -> dict[tuple[str, int, str], Version]:
        return {(v.period, v.budget_year, v.commune): v for v in self.reports}

    def _head(self, v: Version) -> Row:
        as_of = self.province.window(Period.parse(v.period), v.budget_year).as_of
        return {"period": v.period, "budget_year": v.budget_year, "as_of": as_of, "commune_code": v.commune,
                "commune_vi": self.province.communes[v.commune].name_vi, "report": v.received_at}  # fmt: skip

    def _rows(self, form: str) -> list[tuple[Version, Row]]:
        return [(v, row) for v in self.reports for row in v.forms.get(form, [])]

    @cached_property
    def submission(self) -> list[Row]:
        return [
            {**self._head(v), "received_at": v.received_at, "is_late_revision": v.is_late_revision,
             "is_admitted": False, "nothing_to_report": sorted(v.nothing_to_report)}
            for v in self.reports
        ]  # fmt: skip

    # Money ------------------------------------------------------------------------------------------------------------

    def _in_force(self, budget_year: int, as_of: date) -> list[Decided]:
        return [d for d in self.decided if d.budget_year == budget_year and d.effective_on <= as_of]

    def _place(self, code: str) -> Row:
        """Programme, and the node right under it above (or at) the code."""
        nodes = self.province.nodes
        chain = [code, *self.province.ancestors(code)]
        return {"programme_code": nodes[code].programme_code, "project_code": chain[-2] if len(chain) > 1 else code,
                "subproject_code": code, "subproject_vi": nodes[code].name_vi}  # fmt: skip

    @cached_property
    def disbursement_line(self) -> list[Row]:
        result = []
        for v in self.reports:
            lines = v.forms.get("B01", [])
            for row in lines:
                result.append(self._line(v, row["project_code"], row["capital_kind"], row))
            result += self._unallocated(v, lines)
        return result

    def _line(self, v: Version, code: str, kind: str, amounts: Row, *, is_unallocated: bool = False) -> Row:
        row = {k: amounts.get(k) for k in AMOUNTS}
        return {
            **self._head(v), **self._place(code), **row, "capital_kind": kind, "line_code": f"{code}-{kind}",
            "plan_assigned": plus(row["plan_nstw"], row["plan_nst"], row["plan_nsx"]),
            "plan_carry": plus(row["carry_nstw"], row["carry_nsdp"]),
            "disb_assigned": minus(row["disb_ytd"], row["disb_carry"]),
            "note": amounts.get("note"), "is_unallocated": is_unallocated,
        }  # fmt: skip

    def _unallocated(self, v: Version, lines: Sequence[Row]) -> list[Row]:
        """Capital that the decisions give to the commune and that stands on none of its lines."""
        given: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(PLAN_OF_SOURCE.values(), 0))
        for d in self._in_force(v.budget_year, self._head(v)["as_of"]):
            if d.commune == v.commune:
                given[d.project_code, d.capital_kind][PLAN_OF_SOURCE[d.source]] += d.amount
        reported = {(r["project_code"], r["capital_kind"]): r for r in lines}
        result = []
        for (code, kind), amounts in given.items():
            left = dict(amounts)
            if code in self.province.leaf_codes:
                if (code, kind) in reported:
                    continue
            else:
                for (below, below_kind), row in reported.items():
                    if below_kind == kind and code in self.province.ancestors(below):
                        own = given.get((below, kind), {})
                        for key in left:
                            if row[key] is not None:  # a blank says nothing of how the node was split
                                left[key] -= row[key] - own.get(key, 0)
            plan = sum(left.values())
            if plan > 0:
                nothing = {k: 0 for k in AMOUNTS if k.startswith("disb_")}
                result.append(self._line(v, code, kind, {**left, **nothing, "plan_total": plan}, is_unallocated=True))
        return result

    @cached_property
    def disbursement_rate(self) -> list[Row]:
        result = []
        coverage = {month_of(c): c for c in self.completeness}
        for (period, year), lines in grouped(self.disbursement_line, month_of).items():
            of_month = {"period": period, "budget_year": year} | {
                k: coverage[period, year][k] for k in ("communes_reported", "communes_expected", "plan_covered_pct")
            }
            for name, keys in SLICES.items():
                for values, rows in grouped(lines, lambda r, keys=keys: tuple(r[k] for k in keys)).items():
                    axes = dict.fromkeys(AXES) | dict(zip(keys, values, strict=True))
                    axes["commune_vi"] = rows[0]["commune_vi"] if axes["commune_code"] else None
                    result.append({**of_month, "slice": name, **axes, **self._sums(rows)})
            for source, plans, paid in (("NSTW", ("plan_nstw", "carry_nstw"), "disb_nstw"),
                                        ("NSDP", ("plan_nst", "plan_nsx", "carry_nsdp"), "disb_nsdp")):  # fmt: skip
                rows = [{"plan": plus(*(r[p] for p in plans)), "paid": r[paid]} for r in lines]
                row = dict.fromkeys(self._sums(lines)) | {
                    "plan_total": total(r["plan"] for r in rows), "disb_ytd": total(r["paid"] for r in rows),
                    "undisbursed": total(minus(r["plan"], r["paid"]) for r in rows),
                    "rate_total": rate(*both(rows, "paid", "plan")),
                }  # fmt: skip
                result.append({**of_month, "slice": "source", **dict.fromkeys(AXES), "source": source, **row})
        return result

    def _sums(self, rows: Sequence[Row]) -> Row:
        keys = ("plan_total", "plan_assigned", "plan_carry", "disb_period", "disb_ytd", "disb_assigned", "disb_carry",
                "disb_completed", "disb_advance")  # fmt: skip
        forecasts = [r["forecast"] for r in rows]
        return {
            **{k: total(r[k] for r in rows) for k in keys},
            "undisbursed": total(minus(r["plan_total"], r["disb_ytd"]) for r in rows),
            "undisbursed_carry": total(minus(r["plan_carry"], r["disb_carry"]) for r in rows),
            "forecast": plus(*forecasts),
            "rate_total": rate(*both(rows, "disb_ytd", "plan_total")),
            "rate_assigned": rate(*both(rows, "disb_assigned", "plan_assigned")),
            "rate_carry": rate(*both(rows, "disb_carry", "plan_carry")),
        }

    @cached_property
    def disbursement_series(self) -> list[Row]:
        """All units here are those of today: each is a unit, and a group of its own."""
        newest = max(self._head(v)["as_of"] for v in self.reports)
        parts = {"all": (), "programme": ("programme_code",), "capital_kind": ("capital_kind",)}
        lines = grouped(self.disbursement_line, of_commune)
        months = {(v.period, v.budget_year): self._head(v)["as_of"] for v in self.reports}
        result = []
        for ((period, year), as_of), commune, level in product(
            months.items(), self.province.communes.values(), ("unit", "group")
        ):
            key = period, year, commune.code
            of_unit = {
                "period": period, "budget_year": year, "as_of": as_of, "boundaries": newest, "level": level,
                "unit_code": commune.code, "unit_vi": commune.name_vi, "is_comparable": True, "reason_vi": None,
                "group_code": commune.code, "group_vi": commune.name_vi, "group_units": 1,
                "communes_reported": int(key in self.by_key), "communes_expected": 1,
            }  # fmt: skip
            for name, axes in parts.items():
                some = grouped(lines.get(key, []), lambda r, axes=axes: tuple(r[a] for a in axes))
                for values, rows in (some or ({(): []} if name == "all" else {})).items():
                    places = dict.fromkeys(("programme_code", "capital_kind")) | dict(zip(axes, values, strict=True))
                    result.append({**of_unit, "slice": name, **places, **self._serial(rows)})
        return result

    def _serial(self, rows: Sequence[Row]) -> Row:
        sums = self._sums(rows)
        return {k: sums[k] for k in (*SERIAL, "undisbursed", "rate_total", "rate_assigned", "rate_carry")}

    def district_groups(self) -> list[Row]:
        """Former districts, those taken together in which one commune of today lies, by their names."""
        of_commune_: dict[str, set[str]] = defaultdict(set)
        for row in read_csv(self.province.folder / "former_units.csv"):
            of_commune_[row["commune_code"]].add(row["former_district_vi"])
        groups: list[set[str]] = []
        for districts in of_commune_.values():
            met = [g for g in groups if g & districts]
            groups = [g for g in groups if g not in met] + [districts.union(*met)]
        result = []
        for (period, year), rows in grouped(self.disbursement_line, month_of).items():
            for group in groups:
                of_group = [r for r in rows if of_commune_[r["commune_code"]] <= group]
                result.append({"period": period, "budget_year": year, "districts": frozenset(group),
                               **self._serial(of_group)})  # fmt: skip
        return result

    def programme_sums(self) -> list[Row]:
        """What the lines of the programmes add up to, and what of it is of programmes that others replaced."""
        listed = read_csv(self.province.folder / "programmes.csv")
        replaced = {code.partition(" ")[0] for row in listed for code in row["predecessor_codes"].split("|")}
        result = []
        for (period, year), rows in grouped(self.disbursement_line, month_of).items():
            earlier = [r for r in rows if r["programme_code"] in replaced]
            whole = {k: self._sums(rows)[k] for k in (*SERIAL, "undisbursed")}
            result.append({
                "period": period, "budget_year": year, **whole,
                "earlier_plan_total": total(r["plan_total"] for r in earlier) or 0,
                "earlier_disb_ytd": total(r["disb_ytd"] for r in earlier) or 0,
            })  # fmt: skip
        return result

    @cached_property
    def disbursement_change(self) -> list[Row]:
        known = {(*month_of(r), r["slice"], *(r[a] for a in AXES)): r for r in self.disbursement_rate}
        result = []
        for (period, year, *place), row in known.items():
            before = known.get((months_before(period, 1), year, *place), {})
            last_year = known.get((months_before(period, 12), year - 1, *place), {})
            result.append({
                **{k: row[k] for k in ("period", "budget_year", "slice", *AXES, "rate_total")},
                "rate_previous": before.get("rate_total"),
                "rate_change_points": minus(row["rate_total"], before.get("rate_total")),
                "communes_previous": before.get("communes_reported"),
                "rate_last_year": last_year.get("rate_total"),
                "rate_change_last_year_points": minus(row["rate_total"], last_year.get("rate_total")),
            })  # fmt: skip
        return result

    @cached_property
    def commune_rank(self) -> list[Row]:
        result = []
        lines = grouped(self.disbursement_line, month_of)
        for (period, year), rows in grouped(self.disbursement_rate, month_of).items():
            everybody = both(lines[period, year], "disb_ytd", "plan_total")
            ranked = [r for r in rows if r["slice"] == "commune" and (r["plan_total"] or 0) > 0]
            ranked = [r for r in ranked if r["rate_total"] is not None]
            lowest = sorted(ranked, key=lambda r: (r["rate_total"], -r["undisbursed"], r["commune_code"]))
            stuck = sorted(ranked, key=lambda r: (-r["undisbursed"], r["commune_code"]))
            for r in ranked:
                own = both([q for q in lines[period, year] if q["commune_code"] == r["commune_code"]], "disb_ytd",
                           "plan_total")  # fmt: skip
                result.append({
                    **{k: r[k] for k in ("period", "budget_year", "commune_code", "commune_vi", "plan_total",
                                         "disb_ytd", "undisbursed", "rate_total")},
                    "rank_rate": 1 + sum(q["rate_total"] > r["rate_total"] for q in ranked),
                    "order_lowest": 1 + lowest.index(r), "order_undisbursed": 1 + stuck.index(r),
                    "above_average": own[0] * everybody[1] > everybody[0] * own[1],
                    "at_zero": r["disb_ytd"] == 0,
                    "below_threshold": r["rate_total"] < self.province.thresholds["low_rate_pct"],
                })  # fmt: skip
        return result

    # Reporting --------------------------------------------------------------------------------------------------------

    @cached_property
    def submission_status(self) -> list[Row]:
        result = []
        by_commune: dict[tuple[str, int, str], list[Version]] = defaultdict(list)
        for v in self.versions:
            by_commune[v.period, v.budget_year, v.commune].append(v)
        for window, commune in product(self.windows, self.province.communes.values()):
            key = (str(window.period), window.budget_year, commune.code)
            sent = by_commune.get(key, [])
            in_time_for_the_release = [v for v in sent if not v.is_late_revision]
            there = sorted((v for v in in_time_for_the_release if not v.withdrawn), key=lambda v: v.received_at)
            speaks = self.by_key.get(key)
            shown = speaks or (there[-1] if there else None)
            first = min((v.received_at for v in in_time_for_the_release), default=speaks and speaks.received_at)
            late = (first.astimezone(LOCAL).date() - window.due_on).days if first else 0
            waiting = [v for v in sent if v.is_late_revision and not v.accepted_at and not v.withdrawn]
            result.append({
                "period": key[0], "budget_year": key[1], "commune_code": commune.code, "commune_vi": commune.name_vi,
                "state": "reported" if speaks else shown.verdict if shown else "missing",
                "received_at": shown.received_at if shown else None, "due_on": window.due_on,
                "late_days": max(late, 0), "versions": len(sent), **self._judged(shown),
                "report": shown.received_at if shown else None,
                "nothing_to_report": sorted(speaks.nothing_to_report) if speaks else None,
                "late_revisions_waiting": sum(v.verdict == "accepted" for v in waiting),
            })  # fmt: skip
        return result

    def _answer(self, v: Version, finding: Row) -> str | None:
        """What an officer said to it; an explanation of a warning counts in later versions as well."""
        if finding["answer"] or finding["severity"] != "warning":
            return finding["answer"]
        place = (v.period, v.budget_year, v.commune)
        earlier = [u for u in self.versions if (u.period, u.budget_year, u.commune) == place]
        earlier = [u for u in earlier if u.received_at < v.received_at]
        same = [f for u in earlier for f in u.findings if all(f[k] == finding[k] for k in PROBLEM)]
        return "explained" if any(f["answer"] == "explained" for f in same) else None

    def _judged(self, shown: Version | None) -> Row:
        found = [(f, self._answer(shown, f)) for f in shown.findings] if shown else []
        errors = [bool(answer) for f, answer in found if f["severity"] == "error"]
        warnings = [bool(answer or f["explanation"]) for f, answer in found if f["severity"] == "warning"]
        counts = {"errors": errors.count(False), "overridden": errors.count(True)}
        if self.knows_findings:
            counts |= {"warnings": len(warnings), "explained": warnings.count(True)}
        return counts

    @cached_property
    def finding(self) -> list[Row]:
        """One row per problem; what the same column of the same line has again in the next version is the same."""
        result = []
        sent: dict[tuple[str, int, str], list[Version]] = defaultdict(list)
        for v in sorted(self.versions, key=lambda v: v.received_at):
            if v.verdict != "refused":
                sent[v.period, v.budget_year, v.commune].append(v)
        for (period, year, commune), versions in sent.items():
            found = [(n, f) for n, v in enumerate(versions) for f in v.findings]
            for problem in dict.fromkeys(tuple(f[k] for k in PROBLEM) for _, f in found):
                told = [(n, f) for n, f in found if tuple(f[k] for k in PROBLEM) == problem]
                last, said = told[-1]
                proves = [
                    v
                    for v in versions[last + 1 :]
                    if v.was_in_force
                    and not any(f["severity"] == "error" and (f["form"], f["line"]) == problem[2:4] for f in v.findings)
                ]
                noted = said["explanation"] and said["severity"] == "warning"
                outcome = (
                    "corrected" if proves else self._answer(versions[last], said) or ("explained" if noted else "open")
                )
                result.append({
                    "period": period, "budget_year": year, "commune_code": commune,
                    **dict(zip(PROBLEM, problem, strict=True)), "severity": said["severity"], "outcome": outcome,
                    "versions": len({n for n, _ in told}), "first_found_at": versions[told[0][0]].received_at,
                    "report": versions[last].received_at,
                })  # fmt: skip
        return result

    @cached_property
    def finding_answer(self) -> list[Row]:
        """Errors that were let pass and warnings that were explained; that a remark was is no answer."""
        kept = ("period", "budget_year", "commune_code", *PROBLEM, "outcome", "report")
        return [
            {k: f[k] for k in kept}
            for f in self.finding
            if f["outcome"] == "overridden" or (f["outcome"] == "explained" and f["severity"] == "warning")
        ]

    @staticmethod
    def _outcomes(rows: Sequence[Row]) -> Row:
        count = {o: sum(r["outcome"] == o for r in rows) for o in ("corrected", "overridden", "explained", "open")}
        return {"found": len(rows), "communes": len({r["commune_code"] for r in rows}),
                "still_open": count.pop("open"), **count}  # fmt: skip

    @cached_property
    def finding_count(self) -> list[Row]:
        result = []
        for (period, year), rows in grouped(self.finding, month_of).items():
            whole = {"period": period, "budget_year": year, "rule_id": None, "expectation_id": None, "severity": None}
            result.append({**whole, **self._outcomes(rows)})
            for expectation, some in grouped(rows, lambda r: r["expectation_id"]).items():
                of_rule = {
                    "rule_id": some[0]["rule_id"],
                    "expectation_id": expectation,
                    "severity": some[0]["severity"],
                }
                result.append({**whole, **of_rule, **self._outcomes(some)})
        return result

    @cached_property
    def rule_precision(self) -> list[Row]:
        """Rules that found something."""
        result = []
        for expectation, rows in grouped(self.finding, lambda r: r["expectation_id"]).items():
            for (period, year), some in {(None, None): rows, **grouped(rows, month_of)}.items():
                told = self._outcomes(some)
                settled = told["corrected"] + told["overridden"] + told["explained"]
                of_rule = {"rule_id": rows[0]["rule_id"], "expectation_id": expectation}
                share = rate(told["corrected"], settled)
                result.append({**of_rule, "period": period, "budget_year": year, **told, "precision_pct": share})
        return result

    @cached_property
    def completeness(self) -> list[Row]:
        result = []
        for (period, year), rows in grouped(self.submission_status, month_of).items():
            given = self._given(period, year)
            covered = total(given.get(r["commune_code"]) for r in rows if r["state"] == "reported")
            registered = total(given.values())
            count = lambda state, rows=rows: sum(r["state"] == state for r in rows)  # noqa: E731
            result.append({
                "period": period, "budget_year": year, "communes_expected": len(rows),
                "communes_reported": count("reported"), "communes_returned": count("returned"),
                "communes_refused": count("refused"), "communes_missing": count("missing"),
                "communes_late": sum(r["late_days"] > 0 for r in rows), "plan_covered_vnd": covered,
                "plan_registered_vnd": registered, "plan_covered_pct": rate(covered or 0, registered),
            })  # fmt: skip
        return result

    def _given(self, period: str, year: int) -> dict[str, int]:
        as_of = self.province.window(Period.parse(period), year).as_of
        given: dict[str, int] = defaultdict(int)
        for d in self._in_force(year, as_of):
            given[d.commune] += d.amount
        return given

    @cached_property
    def report_summary(self) -> list[Row]:
        ranks = grouped(self.commune_rank, month_of)
        whole = {month_of(r): r["undisbursed"] for r in self.disbursement_rate if r["slice"] == "all"}
        result = []
        for c in self.completeness:
            key = month_of(c)
            rows, closing_on = ranks.get(key, []), date(c["budget_year"] + 1, 1, 31)
            if self.knows_findings:
                with_warnings = [s for s in self.submission_status if month_of(s) == key and s["state"] == "reported"]
                c = {**c, "communes_with_warnings": sum(s["warnings"] > 0 for s in with_warnings)}
            left = max(between(c["period"], f"{closing_on:%Y-%m}"), 0)
            stuck = whole.get(key)
            result.append({
                **{k: v for k, v in c.items() if not k.endswith("_vnd")},
                "communes_not_reporting": c["communes_expected"] - c["communes_reported"],
                "communes_ranked": len(rows), "communes_above_average": sum(r["above_average"] for r in rows),
                "communes_at_zero": sum(r["at_zero"] for r in rows),
                "communes_below_threshold": sum(r["below_threshold"] for r in rows),
                "low_rate_pct": self.province.thresholds["low_rate_pct"], "closing_on": closing_on,
                "months_left": left, "undisbursed": stuck,
                "pace_needed": half_up(Decimal(stuck) / left) if left and stuck is not None else None,
            })  # fmt: skip
        return result

    @cached_property
    def punctuality(self) -> list[Row]:
        today = self.now.astimezone(LOCAL).date()
        due = [r for r in self.submission_status if r["due_on"] < today or r["versions"]]
        return [
            {
                "budget_year": year, "commune_code": code, "commune_vi": rows[0]["commune_vi"],
                "periods_due": len(rows),
                "periods_reported": sum(r["state"] == "reported" for r in rows),
                "periods_in_time": sum(r["state"] == "reported" and not r["late_days"] for r in rows),
                "periods_late": sum(r["state"] == "reported" and r["late_days"] > 0 for r in rows),
                "periods_missing": sum(r["state"] == "missing" for r in rows),
                "periods_sent_back": sum(r["state"] in ("returned", "refused") for r in rows),
                "late_days": sum(r["late_days"] for r in rows),
                "longest_late_days": max(r["late_days"] for r in rows),
                "versions": sum(r["versions"] for r in rows),
            }
            for (year, code), rows in grouped(due, lambda r: (r["budget_year"], r["commune_code"])).items()
        ]  # fmt: skip

    # Decisions on capital ---------------------------------------------------------------------------------------------

    def allocation_at(self, as_of: date) -> list[Row]:
        sums: dict[tuple[Any, ...], int] = defaultdict(int)
        for d in self.decided:
            if d.effective_on <= as_of:
                sums[d.budget_year, d.commune, d.project_code, d.capital_kind, d.source] += d.amount
        names = ("budget_year", "commune_code", "project_code", "capital_kind", "source")
        return [{**dict(zip(names, key, strict=True)), "amount_vnd": amount} for key, amount in sums.items()]

    @cached_property
    def allocation_gap(self) -> list[Row]:
        result = []
        for window in self.windows:
            period, year = str(window.period), window.budget_year
            reported = [
                {"commune_code": r["commune_code"], "programme_code": r["programme_code"], "reported": r["plan_total"]}
                for r in self.disbursement_line
                if month_of(r) == (period, year) and not r["is_unallocated"]
            ]
            registered = [
                {"commune_code": d.commune, "programme_code": self.province.nodes[d.project_code].programme_code,
                 "registered": d.amount, "told": d.amount if (period, year, d.commune) in self.by_key else None}
                for d in self._in_force(year, window.as_of)
            ]  # fmt: skip
            for name in ("all", "commune", "programme"):
                axis = f"{name}_code" if name != "all" else None
                for value, rows in grouped([*reported, *registered], lambda r, axis=axis: axis and r[axis]).items():
                    sums = [total(r.get(k) for r in rows) for k in ("reported", "registered", "told")]
                    places = {"commune_code": None, "programme_code": None} | ({axis: value} if axis else {})
                    result.append({
                        "period": period, "budget_year": year, "slice": name, **places, "plan_reported": sums[0],
                        "plan_registered": sums[1], "plan_registered_reported": sums[2],
                        "difference": minus(sums[0], sums[2]),
                    })  # fmt: skip
        return result

    # Outputs, proposals, roadmaps, what is outside the budget ---------------------------------------------------------

    @cached_property
    def output_line(self) -> list[Row]:
        result = []
        for v, row in self._rows("B02"):
            known = self.province.indicators.get(row["indicator_code"])
            told = {k: row.get(k) for k in ("target_phase", "target_year", "actual_period", "actual_ytd",
                                            "actual_phase", "rate_year", "rate_phase", "forecast")}  # fmt: skip
            named = known and {"indicator_vi": known["name_vi"], "project_code": known["project_code"],
                               "unit": known["unit"]}  # fmt: skip
            own = {k: row.get(k) for k in ("indicator_vi", "project_code", "unit")}
            result.append({**self._head(v), "indicator_code": row["indicator_code"], **(named or own), **told,
                           "note": row.get("note"), "is_registered": known is not None})  # fmt: skip
        return result

    @cached_property
    def output_indicator(self) -> list[Row]:
        registered = [r for r in self.output_line if r["is_registered"]]
        result = []
        for (period, year, code), rows in grouped(registered, lambda r: (*month_of(r), r["indicator_code"])).items():
            adds_up = rows[0]["unit"] != "%"
            sums = {k: total(r[k] for r in rows) if adds_up else None
                    for k in ("target_year", "actual_period", "actual_ytd")}  # fmt: skip
            result.append({
                "period": period, "budget_year": year, "indicator_code": code,
                **{k: rows[0][k] for k in ("indicator_vi", "project_code", "unit")},
                "communes": sum(r["actual_ytd"] is not None for r in rows), **sums,
                "rate_year": rate(*both(rows, "actual_ytd", "target_year")) if adds_up else None,
            })  # fmt: skip
        return result

    @cached_property
    def proposal(self) -> list[Row]:
        result = []
        for v in self.reports:
            new = 0
            for row in v.forms.get("B04", []):
                new += not row.get("issue_id")
                told = {k: row.get(k) for k in ("project_code", "problem", "cause", "proposal", "addressee", "category",
                                                "state", "reply_doc", "adjust_amount", "note")}  # fmt: skip
                result.append({
                    **{k: x for k, x in self._head(v).items() if k != "as_of"}, **told,
                    "issue_id": row.get("issue_id") or f"KN-{v.commune}-{v.period}-{new:02d}",
                    "is_new": row.get("is_new", not row.get("issue_id")),
                })  # fmt: skip
        return result

    @cached_property
    def proposal_count(self) -> list[Row]:
        result = []
        for (period, year), rows in grouped(self.proposal, month_of).items():
            addressees, states = ({r[k] for r in rows} | {None} for k in ("addressee", "state"))
            for addressee, state in product(addressees, states):
                some = [r for r in rows if addressee in (None, r["addressee"]) and state in (None, r["state"])]
                if some:
                    communes = {r["commune_code"] for r in some}
                    result.append({"period": period, "budget_year": year, "addressee": addressee, "state": state,
                                   "proposals": len(some), "communes": len(communes)})  # fmt: skip
        return result

    @cached_property
    def proposal_age(self) -> list[Row]:
        result = []
        for rows in grouped(self.proposal, lambda r: (r["commune_code"], r["issue_id"])).values():
            for row in rows:
                if row["state"] in OPEN_STATES:
                    so_far = {r["period"] for r in rows if r["period"] <= row["period"]}
                    kept = ("period", "budget_year", "commune_code", "commune_vi", "issue_id", "addressee", "category",
                            "state", "project_code", "proposal", "adjust_amount", "report")  # fmt: skip
                    result.append({**{k: row[k] for k in kept}, "first_period": min(so_far),
                                   "periods_reported": len(so_far),
                                   "months_open": between(min(so_far), row["period"])})  # fmt: skip
        return result

    @cached_property
    def task_report(self) -> list[Row]:
        keys = ("task_id", "doc_no", "doc_date", "content", "lead", "coordinating", "deadline_text", "status",
                "done_date", "result_doc", "progress", "reason", "extension_date", "note")  # fmt: skip
        return [{**self._head(v), **{k: row.get(k) for k in keys}} for v, row in self._rows("B03")]

    @cached_property
    def off_budget(self) -> list[Row]:
        return [
            {**self._head(v), "line_code": r["line_code"], "amount": r["amount"]} for v, r in self._rows("off_budget")
        ]

    @cached_property
    def roadmap_line(self) -> list[Row]:
        return [
            {**self._head(v), "programme_code": self.province.nodes[r["project_code"]].programme_code,
             "subproject_code": r["project_code"], "capital_kind": r["capital_kind"], "line_code": r["line_code"],
             **{k: r.get(k) for k in PLANNED}, "note": r.get("note")}
            for v, r in self._rows("B05")
        ]  # fmt: skip

    @cached_property
    def roadmap_lag(self) -> list[Row]:
        sent = grouped(self.roadmap_line, lambda r: (r["budget_year"], r["commune_code"]))
        result = []
        for line in self.disbursement_line:
            if line["is_unallocated"]:
                continue
            own = [
                r for r in sent.get((line["budget_year"], line["commune_code"]), []) if r["period"] <= line["period"]
            ]
            in_use = max((r["period"] for r in own), default=None)
            of_line = [r for r in own if r["period"] == in_use and r["line_code"] == line["line_code"]]
            month = self.by_key[of_commune(line)].month
            planned = of_line[0][PLANNED[month - 1]] if of_line else None
            lag = minus(planned, line["disb_ytd"])
            kept = ("period", "budget_year", "commune_code", "commune_vi", "programme_code", "project_code",
                    "subproject_code", "capital_kind", "line_code", "disb_ytd", "plan_total", "report")  # fmt: skip
            result.append({
                **{k: line[k] for k in kept}, "roadmap_period": in_use, "planned": planned,
                "planned_close": of_line[0]["planned_close"] if of_line else None, "lag": lag,
                "lag_pct": rate(lag, line["plan_total"]),
            })  # fmt: skip
        return result

    @cached_property
    def roadmap_progress(self) -> list[Row]:
        rates = {of_commune(r): r for r in self.disbursement_rate if r["slice"] == "commune"}
        sent = grouped(self.roadmap_line, lambda r: (r["budget_year"], r["commune_code"], r["period"]))
        own = []
        for key, lines in grouped([r for r in self.roadmap_lag if r["roadmap_period"]], of_commune).items():
            of_month = PLANNED[self.by_key[key].month - 1]
            whole = sent[lines[0]["budget_year"], lines[0]["commune_code"], lines[0]["roadmap_period"]]
            sums = {
                "planned": total(r[of_month] for r in whole),
                "planned_close": total(r["planned_close"] for r in whole),
            }
            if key in rates and sums["planned"] is not None:
                head = {
                    k: lines[0][k] for k in ("period", "budget_year", "commune_code", "commune_vi", "roadmap_period")
                }
                own.append({**head, **sums, **{k: rates[key][k] for k in ("disb_ytd", "plan_total")}})
        nobody = dict.fromkeys(("commune_code", "commune_vi", "roadmap_period"))
        together = grouped(own, lambda r: (r["period"], r["budget_year"])).values()
        summed = [*(({**some[0], **nobody}, some) for some in together), *((row, [row]) for row in own)]
        result = []
        for head, some in summed:
            sums = {k: total(r[k] for r in some) for k in ("planned", "planned_close", "disb_ytd", "plan_total")}
            planned_rate, rate_total = (rate(sums[k], sums["plan_total"]) for k in ("planned", "disb_ytd"))
            result.append({
                **head, **sums, "lag": minus(sums["planned"], sums["disb_ytd"]), "planned_rate": planned_rate,
                "rate_total": rate_total, "lag_points": minus(rate_total, planned_rate),
                "planned_close_rate": rate(sums["planned_close"], sums["plan_total"]),
                "communes_with_roadmap": len(some),
                "communes_behind": sum(r["disb_ytd"] is not None and r["planned"] > r["disb_ytd"] for r in some),
            })  # fmt: skip
        return result

    # Where it is heading ----------------------------------------------------------------------------------------------

    @cached_property
    def outlook(self) -> list[Row]:
        rows = {of_commune(r): r for r in self.disbursement_rate if r["slice"] == "commune"}
        lines = grouped(self.disbursement_line, of_commune)
        result = []
        for key, r in rows.items():
            month = self.by_key[key].month
            recent = [q["disb_period"] for k, q in rows.items() if k[1:] == key[1:]
                      and month - 3 < self.by_key[k].month <= month and q["disb_period"] is not None]  # fmt: skip
            pace_recent = half_up(Decimal(sum(recent)) / len(recent)) if recent else None
            left, stuck = CLOSE - month, r["undisbursed"]
            needed = Decimal(stuck) / left if left and stuck is not None else None
            ratio = half_up(needed / pace_recent, 2) if needed is not None and pace_recent else None
            result.append({
                **{k: r[k] for k in ("period", "budget_year", "commune_code", "plan_total", "disb_ytd", "rate_total",
                                     "undisbursed")},
                "commune_vi": self.province.communes[key[2]].name_vi, "months_left": left,
                "pace_needed": None if needed is None else half_up(needed), "pace_recent": pace_recent,
                "pace_ratio": ratio, **self._expected(r, month, rows, lines),
            })  # fmt: skip
        return result

    def _expected(self, r: Row, month: int, rows: dict[Any, Row], lines: dict[Any, list[Row]]) -> Row:
        ends_of = ("", "_low", "_high")
        names = ("closed_years", "histories", "expected_plan", *(f"expected_close{end}" for end in ends_of),
                 *(f"expected_unspent{end}" for end in ends_of))  # fmt: skip
        before = []
        for key, then in rows.items():
            closing = rows.get((f"{key[1] + 1}-01", key[1], key[2]))
            same_month = key[1] < r["budget_year"] and self.by_key[key].month == month < CLOSE
            if same_month and closing and closing["plan_total"] is not None and then["plan_total"]:
                before.append((key, then, closing))
        if not before:
            return dict.fromkeys(names)
        half, tenth = Decimal("0.5"), Decimal("0.1")
        growth = quantile((Decimal(c["plan_total"]) / t["plan_total"] for _, t, c in before), half)
        shares = []
        for key, then, closing in before:
            later = minus(closing["disb_ytd"], then["disb_ytd"])
            base = plus(then["undisbursed"], then["plan_total"] * (growth - 1))
            if later is not None and base is not None and base > 0:
                shares.append((key[1], later / Decimal(base), self._equal_lines(lines[key])))
        median = quantile((s for _, s, _ in shares), half)
        deviations = [(s - median) * lines_.sqrt() for _, s, lines_ in shares]
        own = self._equal_lines(lines[of_commune(r)]).sqrt()
        growing = None if r["plan_total"] is None else half_up(r["plan_total"] * (growth - 1))
        if growing is None or r["undisbursed"] is None:
            told = {"closed_years": len({y for y, _, _ in shares}), "histories": len(shares)}
            return dict.fromkeys(names) | told | {"expected_plan": plus(r["plan_total"], growing)}
        base = max(r["undisbursed"] + growing, 0)
        ends = [median, median + quantile(deviations, tenth) / own, median + quantile(deviations, 1 - tenth) / own]
        middle, low, high = (half_up(base * min(max(end, Decimal(0)), Decimal(1))) for end in ends)
        values = (len({y for y, _, _ in shares}), len(shares), r["plan_total"] + growing,
                  *(r["disb_ytd"] + x for x in (middle, low, high)),
                  *(r["undisbursed"] + growing - x for x in (middle, high, low)))  # fmt: skip
        return dict(zip(names, values, strict=True))

    def _equal_lines(self, lines: Sequence[Row]) -> Decimal:
        stuck = [Decimal(max(s, 0)) for line in lines if (s := minus(line["plan_total"], line["disb_ytd"])) is not None]
        squares = sum((s * s for s in stuck), Decimal(0))
        return sum(stuck, Decimal(0)) ** 2 / squares if squares else Decimal(1)

    @cached_property
    def help_list(self) -> list[Row]:
        lag = {k: total(r["lag"] for r in rows) for k, rows in grouped(self.roadmap_lag, of_commune).items()}
        asked = grouped((p for p in self.proposal if p["state"] in OPEN_STATES), of_commune)
        lines = grouped(self.disbursement_line, of_commune)
        listed = []
        for o in self.outlook:
            at_risk, basis = o["expected_unspent"], "closed_years"
            if at_risk is None:
                basis = "pace"
                at_risk = max(minus(o["undisbursed"], (o["pace_recent"] or 0) * o["months_left"]) or 0, 0)
            if at_risk <= 0:
                continue
            key = of_commune(o)
            proposals = sorted(asked.get(key, []), key=lambda p: p["issue_id"])
            said = [p["problem"].rstrip(" .") for p in proposals if p["problem"]] + self._notes(lines.get(key, []))
            kept = ("period", "budget_year", "commune_code", "commune_vi", "undisbursed", "rate_total", "pace_needed",
                    "pace_recent")  # fmt: skip
            listed.append({
                **{k: o[k] for k in kept}, "at_risk": at_risk, "basis": basis, "roadmap_lag": lag.get(key),
                "proposals_open": len(proposals),
                "categories": sorted({p["category"] for p in proposals if p["category"]}),
                "stated_obstacles": "; ".join(said) or None,
            })  # fmt: skip
        for rows in grouped(listed, month_of).values():
            rows.sort(key=lambda r: (-r["at_risk"], -r["undisbursed"], r["commune_code"]))
            for place, row in enumerate(rows, 1):
                row["order_no"] = place
        return listed

    def _notes(self, lines: Sequence[Row]) -> list[str]:
        """Three different notes, of the lines on which most is undisbursed."""

        def place(line: Row) -> tuple[bool, Number, str]:
            stuck = minus(line["plan_total"], line["disb_ytd"])
            return stuck is None, -(stuck or 0), line["line_code"]

        notes = [line["note"].rstrip(" .") for line in sorted(lines, key=place) if line["note"]]
        return list(dict.fromkeys(notes))[:3]

    @cached_property
    def capital_move(self) -> list[Row]:
        opened = [p for p in self.proposal if p["state"] in OPEN_STATES and p["adjust_amount"]]
        lines = grouped(self.disbursement_line, month_of)
        result = []
        for p in opened:
            of_it = self._under(lines[month_of(p)], p["commune_code"], p["project_code"])
            money, kinds = self._moved(month_of(p), of_it), {r["capital_kind"] for r in of_it}
            gives, asked = p["adjust_amount"] < 0, abs(p["adjust_amount"])
            stuck = max(minus(money["plan_total"], money["disb_ytd"]) or 0, 0)
            result.append({
                **{k: p[k] for k in ("period", "budget_year", "project_code", "commune_code", "commune_vi", "issue_id",
                                     "proposal", "report")},
                "side": "give" if gives else "take", "basis": "proposal", "order_no": None, "pace_recent": None,
                "capital_kind": min(kinds) if len(kinds) == 1 else None, "amount": asked,
                "possible": min(asked, stuck) if gives else asked, **money,
            })  # fmt: skip
        spoken = {(*of_commune(p), p["project_code"]) for p in opened}
        for period, year, code, kind in self._given_up(opened, lines):
            able = []
            for commune in {r["commune_code"] for r in lines[period, year]}:
                if (period, year, commune, code) not in spoken:
                    able += self._able((period, year), commune, code, kind, lines)
            able.sort(
                key=lambda r: (-r["pace_pct"], -(-1 if r["possible"] is None else r["possible"]), r["commune_code"])
            )
            result += [{**r, "order_no": n} for n, r in enumerate(able, 1)]
        return [{**r, "project_vi": self.province.nodes[r["project_code"]].name_vi} for r in result]

    def _given_up(self, opened: Sequence[Row], lines: dict[Any, list[Row]]) -> set[tuple[str, int, str, str]]:
        """Period, year, project and kind of which a commune that wants less has something left to give."""
        result = set()
        for p in opened:
            if p["adjust_amount"] < 0 and _months_over(month_of(p)) < CLOSE:
                of_it = self._under(lines[month_of(p)], p["commune_code"], p["project_code"])
                for kind, rows in grouped(of_it, lambda r: r["capital_kind"]).items():
                    if (minus(total(r["plan_total"] for r in rows), total(r["disb_ytd"] for r in rows)) or 0) > 0:
                        result.add((*month_of(p), p["project_code"], kind))
        return result

    def _able(
        self, month: tuple[str, int], commune: str, code: str, kind: str, lines: dict[Any, list[Row]]
    ) -> list[Row]:
        """The commune, if its rate or its pace is high enough."""
        limits = self.province.thresholds
        money = self._moved(month, self._under(lines[month], commune, code, kind))
        if money["rate_total"] is None:
            return []
        fast = money["rate_total"] >= limits["absorb_rate_pct"]
        if not fast and money["pace_pct"] < limits["absorb_pace_pct"]:
            return []
        last = [total(r["disb_period"] for r in self._under(lines.get((months_before(month[0], back), month[1]), []),
                                                            commune, code, kind)) for back in range(3)]  # fmt: skip
        told = [x for x in last if x is not None]
        pace = half_up(Decimal(sum(told)) / len(told)) if told else None
        left = minus(money["plan_total"], money["disb_ytd"])
        return [{
            "period": month[0], "budget_year": month[1], "side": "take", "basis": "rate" if fast else "pace",
            "project_code": code, "capital_kind": kind, "commune_code": commune,
            "commune_vi": self.province.communes[commune].name_vi, "amount": None, "pace_recent": pace,
            "possible": None if pace is None else max(pace * (CLOSE - _months_over(month)) - left, 0),
            "issue_id": None, "proposal": None, "report": None, **money,
        }]  # fmt: skip

    def _under(self, lines: Sequence[Row], commune: str, code: str, kind: str | None = None) -> list[Row]:
        """Lines of a commune in a project: its own line, or all under it."""
        return [
            r for r in lines
            if r["commune_code"] == commune and kind in (None, r["capital_kind"])
            and code in (r["subproject_code"], *self.province.ancestors(r["subproject_code"]))
        ]  # fmt: skip

    def _moved(self, month: tuple[str, int], lines: Sequence[Row]) -> Row:
        paid, plan = both(lines, "disb_ytd", "plan_total")
        over = _months_over(month)
        has = [source for source, key in PLAN_OF_SOURCE.items() if (total(r[key] for r in lines) or 0) > 0]
        return {
            "plan_total": total(r["plan_total"] for r in lines), "disb_ytd": total(r["disb_ytd"] for r in lines),
            "rate_total": rate(paid, plan), "rate_needed": rate(over, CLOSE), "sources": "; ".join(has) or None,
            "pace_pct": None if paid is None or plan is None else rate(paid * CLOSE, plan * over),
        }  # fmt: skip

    # Tasks ------------------------------------------------------------------------------------------------------------

    def task_state(self, as_of: date) -> list[Row]:
        """No extension, withdrawal or reopening in these data: only what the leading commune reports."""
        soon = int(self.province.thresholds["due_soon_working_days"])
        by_name = {f"UBND {c.kind} {c.short_name_vi}": c.code for c in self.province.communes.values()}
        result = []
        for t in self.province.tasks():
            told = [r for r in self.task_report if r["task_id"] == t["task_id"]
                    and r["commune_code"] == by_name.get(t["lead_vi"]) and t["due_kind"] != "recurring"]  # fmt: skip
            # A report that says done and names no document leaves the task as it was.
            clear = [r for r in told if r["status"] != "Đã hoàn thành" or (r["result_doc"] or "").strip()]
            last = max(clear, key=lambda r: (r["period"], r["budget_year"]), default=None)
            documented = last and last["status"] == "Đã hoàn thành"
            done = last["done_date"] if last and documented else None
            done = done if done and done <= as_of else None
            due = date.fromisoformat(t["due_date"]) if t["due_date"] else None
            directive = self.province.directives()[t["directive_id"]]
            assigned = directive["doc_date"] or directive["event_date"]
            if done:
                state = "Đã hoàn thành quá hạn" if due and done > due else "Đã hoàn thành đúng hạn"
            elif due is None:
                standing = t["due_kind"] == "recurring" or t["deliverable"] == "standing"
                state = "Nhiệm vụ thường xuyên / định kỳ" if standing else "Không quy định thời hạn"
            elif as_of > due:
                state = "Đang thực hiện quá hạn"
            elif self.province.working_days_between(as_of, due) <= soon:
                state = "Sắp đến hạn"
            else:
                state = "Đang thực hiện trong hạn"
            result.append({
                "task_id": t["task_id"], "lead_vi": t["lead_vi"], "original_due_date": due, "due_date": due,
                "extensions": 0, "done_date": done, "state": state,
                "days_overdue": (as_of - due).days if state == "Đang thực hiện quá hạn" and due else 0,
                "assigned_on": date.fromisoformat(assigned) if assigned else None,
            })  # fmt: skip
        return result

    def _given_out(self, as_of: date) -> list[Row]:
        return [t for t in self.task_state(as_of) if t["assigned_on"] is None or t["assigned_on"] <= as_of]

    @cached_property
    def directive(self) -> list[Row]:
        tasks = grouped(self.province.tasks(), lambda t: t["directive_id"])
        return [
            {"directive_id": number, "doc_no": row["doc_no"] or None, "issuer_vi": row["issuer_vi"],
             "tasks": len(tasks[number]), "tasks_dated": sum(bool(t["due_date"]) for t in tasks[number])}
            for number, row in self.province.directives().items()
            if tasks.get(number)
        ]  # fmt: skip

    def task_count(self, as_of: date) -> list[Row]:
        tasks = self._given_out(as_of)
        leads, states = ({t[k] for t in tasks} | {None} for k in ("lead_vi", "state"))
        result = []
        for lead, state in product(leads, states):
            some = [t for t in tasks if lead in (None, t["lead_vi"]) and state in (None, t["state"])]
            if some or lead is state is None:
                longest = max((t["days_overdue"] for t in some), default=None)
                result.append({"lead_vi": lead, "state": state, "tasks": len(some), "longest_overdue_days": longest})
        return result

    @cached_property
    def task_by_agency(self) -> list[Row]:
        return [
            {"period": str(w.period), "budget_year": w.budget_year, "as_of": w.as_of, **row}
            for w in self.windows
            for row in self.task_count(w.as_of)
        ]

    def task_month(self, first: date, as_of: date) -> Row:
        due = [t for t in self._given_out(as_of) if t["due_date"] and first <= t["due_date"] <= as_of]
        done, still = [t for t in due if t["done_date"]], [t for t in due if not t["done_date"]]
        late = [t for t in done if t["done_date"] > t["due_date"]]
        overdue = [t for t in still if t["days_overdue"] > 0]
        return {"tasks_due": len(due), "tasks_due_done": len(done), "tasks_due_done_on_time": len(done) - len(late),
                "tasks_due_done_late": len(late), "tasks_due_open": len(still),
                "tasks_due_open_in_time": len(still) - len(overdue),
                "tasks_due_open_overdue": len(overdue)}  # fmt: skip


KEYS: dict[str, tuple[str, ...]] = {
    "submission": ("period", "budget_year", "commune_code"),
    "disbursement_line": ("period", "budget_year", "commune_code", "line_code", "is_unallocated"),
    "disbursement_series": (
        "period",
        "budget_year",
        "level",
        "unit_code",
        "slice",
        "programme_code",
        "capital_kind",
    ),
    "directive": ("directive_id",),
    "disbursement_rate": ("period", "budget_year", "slice", *AXES),
    "disbursement_change": ("period", "budget_year", "slice", *AXES),
    "commune_rank": ("period", "budget_year", "commune_code"),
    "completeness": ("period", "budget_year"),
    "submission_status": ("period", "budget_year", "commune_code"),
    "report_summary": ("period", "budget_year"),
    "allocation_gap": ("period", "budget_year", "slice", "commune_code", "programme_code"),
    "output_line": ("period", "budget_year", "commune_code", "indicator_code"),
    "output_indicator": ("period", "budget_year", "indicator_code"),
    "proposal": ("period", "budget_year", "commune_code", "issue_id"),
    "proposal_count": ("period", "budget_year", "addressee", "state"),
    "proposal_age": ("period", "budget_year", "commune_code", "issue_id"),
    "task_report": ("period", "budget_year", "commune_code", "task_id"),
    "roadmap_line": ("period", "budget_year", "commune_code", "line_code"),
    "roadmap_lag": ("period", "budget_year", "commune_code", "line_code"),
    "roadmap_progress": ("period", "budget_year", "commune_code"),
    "outlook": ("period", "budget_year", "commune_code"),
    "help_list": ("period", "budget_year", "commune_code"),
    "capital_move": ("period", "budget_year", "side", "project_code", "capital_kind", "commune_code", "issue_id"),
    "off_budget": ("period", "budget_year", "commune_code", "line_code"),
    "punctuality": ("budget_year", "commune_code"),
    "task_by_agency": ("period", "budget_year", "lead_vi", "state"),
}
"""Mart -> the columns that tell its rows apart."""
FOUND_KEYS = {
    "finding": ("period", "budget_year", "commune_code", "expectation_id", "form", "line", "item"),
    "finding_answer": ("period", "budget_year", "commune_code", "expectation_id", "form", "line", "item"),
    "finding_count": ("period", "budget_year", "expectation_id"),
    "rule_precision": ("expectation_id", "period", "budget_year"),
}
"""The same of the marts of what the checks found."""
