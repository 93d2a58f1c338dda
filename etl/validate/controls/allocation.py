"""Biểu 01 against the register of allocation decisions (CK18, CK19, CK24 to CK26; case 51).

A figure of the plan that differs is named once: as a change since the month before where no decision came into force
meanwhile (CK18; carried-over capital CK19), else as not the register's (CK24).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from etl.collect.report import Form, Report, Row
from etl.reference.province import Province, split_line_code
from etl.validate.controls.marks import codes_wrong
from etl.validate.controls.table import Marks, amount, leaves, start, told_apart
from etl.validate.known import CUMULATIVE_KEYS, PLAN_KEYS, Amounts, Known

_CARRY = ("carry_nstw", "carry_nsdp")


def allocation(report: Report, province: Province, known: Known) -> list[Marks]:
    form = report.forms.get("B01")
    if form is None:
        return []
    lines = leaves(report, "B01")
    rows = told_apart(lines)
    swapped = _swapped(rows, known)
    result: list[Marks] = []
    told: set[str] = set()
    for row in rows:
        project, kind = split_line_code(row.code)
        if project not in province.nodes:
            continue
        has_money = any(amount(row, key) for key in (*PLAN_KEYS, *CUMULATIVE_KEYS))
        marks = start(row) | {"form": "B01", "line_code": row.code, "code_in_place": swapped.get(row.row_no)}
        if has_money:
            marks |= _belongs(row, project, kind, report, province, known)
        result.append(marks)
        registered = known.plan.get(row.code)
        if registered is not None or _from_above(row.code, known):
            differing = list(_plan(row, registered or {}, known))
            result += differing
            told |= {row.code} if differing else set()
        elif known.before and not known.plan:
            result += _changed(row, known)
    if rows and not codes_wrong(report, form, lines, province.leaf_codes):
        result += _unallocated(form, rows, told, known, province)
    return result


def _swapped(rows: Sequence[Row], known: Known) -> dict[int, str]:
    """CK10: row -> the code that belongs there, of two lines each of which has the plan that the register gives to the
    other's code. Where rows stand says nothing: they may be in any order."""
    plans = {row.row_no: tuple(amount(row, key) for key in PLAN_KEYS) for row in rows}
    registered = {code: tuple(parts.get(key, 0) for key in PLAN_KEYS) for code, parts in known.plan.items()}
    astray = [row for row in rows if row.code in registered and plans[row.row_no] != registered[row.code]]
    found = {}
    for row in astray:
        others = [
            other.code
            for other in astray
            if plans[row.row_no] == registered[other.code] and plans[other.row_no] == registered[row.code]
        ]
        if len(others) == 1:
            found[row.row_no] = others[0]
    return found


def _belongs(row: Row, project: str, kind: str, report: Report, province: Province, known: Known) -> Marks:
    """Case 51 and CK26. The register decides; without one, what the programme foresees."""
    marks: Marks = {}
    if known.plan and row.code not in known.plan and not _from_above(row.code, known):
        marks["not_registered"] = row.code
    elif not known.plan and kind not in province.nodes[project].capital_kinds:
        marks["kind_not_foreseen"] = row.code
    commune = province.communes.get(report.commune_code or "")
    if commune and row.code not in known.plan and not province.is_eligible(project, commune):
        marks |= {"not_eligible": row.code, "project_vi": province.nodes[project].name_vi}
    return marks


def _from_above(code: str, known: Known) -> list[str]:
    """The assigned nodes over a line that the commune has to split."""
    project, kind = split_line_code(code)
    return [above for above in known.plan_above if _is_under(project, kind, above)]


def _is_under(project: str, kind: str, above: str) -> bool:
    node, of_kind = split_line_code(above)
    return kind == of_kind and project.startswith(node + "-")


def _plan(row: Row, registered: Amounts, known: Known) -> Iterator[Marks]:
    """The figures of the plan of one line that are not the register's.

    More is no error where capital of that source was assigned above the line: how much more, ``_unallocated`` asks.
    """
    above = [known.plan_above[code] for code in _from_above(row.code, known)]
    before = known.before.lines.get(row.code) if known.before else None
    decided = row.code in known.decided
    for key in PLAN_KEYS:
        typed, expected = amount(row, key), registered.get(key, 0)
        if typed is None or typed == expected:
            continue
        if typed > expected and any(parts.get(key, 0) > 0 for parts in above):
            continue
        changed = before is not None and not decided and before.get(key) == expected
        kind = "gap" if not changed else "carry_changed" if key in _CARRY else "changed"
        yield start(row) | {
            "form": "B01",
            f"{kind}_key": key,
            "plan_typed": typed,
            "plan_expected": expected,
            "plan_difference": typed - expected,
            "before_period": known.before.period_vi if known.before else None,
        }


def _changed(row: Row, known: Known) -> Iterator[Marks]:
    """Without a register: the plan of the month before stands until a decision is known."""
    before = known.before.lines.get(row.code, {}) if known.before else {}
    for key in PLAN_KEYS:
        typed, was = amount(row, key), before.get(key)
        if typed is not None and was is not None and typed != was:
            yield start(row) | {
                "form": "B01",
                f"{'carry_' if key in _CARRY else ''}changed_key": key,
                "plan_typed": typed,
                "plan_expected": was,
                "plan_difference": typed - was,
                "before_period": known.before.period_vi if known.before else None,
            }


def _unallocated(
    form: Form, rows: Sequence[Row], told: Collection[str], known: Known, province: Province
) -> Iterator[Marks]:
    """CK25: capital that was assigned and stands on no line: a line that is missing, or a node not wholly split.

    Nothing is said where a code is wrong: what seems missing may stand under it. Nor of a node over a line whose plan
    was ``told`` to be another than the register's: what it leaves over, or takes too much, has that cause.

    CK24 where more was split than was assigned, in all or of one source.
    """
    present = {row.code for row in rows}
    for code, registered in known.plan.items():
        assigned = sum(registered.values())
        if code not in present and assigned > 0:
            yield _sheet_row(code, province) | {"unallocated": assigned, "assigned": assigned}
    for above, registered in known.plan_above.items():
        under = [row for row in rows if _is_under(*split_line_code(row.code), above)]
        split = _split(under, known)
        if split is None or any(row.code in told for row in under):
            continue
        heading = next((r for r in form.rows if r.role == "heading" and r.code == split_line_code(above)[0]), None)
        where = _sheet_row(above, province) | ({"row_no": heading.row_no} if heading else {})
        assigned, used = sum(registered.values()), sum(split.values())
        if used > assigned:
            yield where | _excess("plan_total", used, assigned)
            continue
        for key in PLAN_KEYS:
            if split[key] > registered.get(key, 0):
                yield where | _excess(key, split[key], registered.get(key, 0))
        if used < assigned:
            yield where | {"unallocated": assigned - used, "assigned": assigned}


def _split(rows: Sequence[Row], known: Known) -> dict[str, int] | None:
    """By source, what the lines have of the capital that was assigned above them; None when a figure is not known."""
    result = dict.fromkeys(PLAN_KEYS, 0)
    for row in rows:
        for key in PLAN_KEYS:
            typed = amount(row, key)
            if typed is None:
                return None
            result[key] += typed - known.plan.get(row.code, {}).get(key, 0)
    return result


def _excess(key: str, used: int, assigned: int) -> Marks:
    return {"split_key": key, "split_used": used, "split_excess": used - assigned, "assigned": assigned}


def _sheet_row(code: str, province: Province) -> Marks:
    node = province.nodes.get(split_line_code(code)[0])
    return {"row_no": None, "code": code, "form": "B01", "line_code": code, "project_vi": node.name_vi if node else ""}
