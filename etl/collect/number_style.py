"""The number style of a workbook, 1.234,5 or 1,234.5: proven by its unambiguous texts, never guessed (cases 2, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from etl.collect import cells
from etl.collect.report import Form, Issue, Row
from etl.reference import forms

_SPLIT = ("disb_ytd", "disb_completed", "disb_advance")
"""The first is the sum of the others (CK03); nobody computes it in the form."""
_WITHIN_PLAN = frozenset({"disb_ytd", "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "forecast"})
"""Figures of Biểu 01 that cannot be larger than the line's plan."""


@dataclass
class Undecided:
    """Texts of one workbook that tell, or wait for, its number style."""

    proofs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Number style -> (sheet, cell) of the texts that prove it."""
    waiting: list[tuple[Form, Row, forms.Column, str, cells.Pending]] = field(default_factory=list)
    textual: set[str] = field(default_factory=set)
    """Forms from a kind of file that has nothing but texts."""


def settle(found: Undecided) -> list[Issue]:
    """Decides the number style of the workbook and reads what waited for it (cases 2 and 3).

    One style proven: it holds for the whole workbook. None or both: a number is read only when just one of its two
    readings fits its row; otherwise it is an issue, never a guess.
    """
    styles, issues = found.proofs, []
    if len(styles) == 2:
        rarer = min(styles, key=lambda s: len(styles[s]))
        for name in dict.fromkeys(sheet_name for sheet_name, _ in styles[rarer]):
            first = next(cell for sheet_name, cell in styles[rarer] if sheet_name == name)
            issues.append(Issue("M03", name, first))
    proven = next(iter(styles)) if len(styles) == 1 else None
    for form, row, column, where, pending in found.waiting:
        fitting = [style for style in (cells.VIETNAMESE, cells.ENGLISH) if _fits(form, row, column, pending, style)]
        style = proven if proven in fitting else fitting[0] if len(fitting) == 1 and proven is None else None
        if style is None:
            issues.append(Issue("M02", form.sheet, where, {"value": pending.text, "column": column.title}))
            continue
        chosen = pending.reading(style)
        row.values[column.key] = chosen.value
        row.states.pop(column.key, None)
        row.bad = row.bad - {column.key}
        if proven and form.form in found.textual:
            continue  # such a file has nothing but texts, and one way of writing them
        row.texts = {**row.texts, column.key: f"M02-read {pending.text}"}
    return issues


def _fits(form: Form, row: Row, column: forms.Column, pending: cells.Pending, style: str) -> bool:
    """Whether a reading agrees with the other figures of its row: with a sum that is there, and with the plan."""
    value = pending.reading(style).value
    known = {**row.values, column.key: value}
    layout = forms.load().sheet(form.form)
    for total in layout.columns:
        operation, _, names = total.computed.partition(":")
        if operation != "sum" or column.key not in (total.key, *names.split(",")):
            continue
        numbers = [known.get(name) for name in (total.key, *names.split(","))]
        if all(isinstance(n, int) for n in numbers) and numbers[0] != sum(numbers[1:]):  # type: ignore[arg-type]
            # A sum made by the spreadsheet passes over numbers kept as text: it proves nothing then.
            return total.key in row.texts or _without_texts(row, names.split(","), column.key) == numbers[0]
    if column.key in _SPLIT and all(isinstance(known.get(key), int) for key in _SPLIT):
        ytd, completed, advance = (known[key] for key in _SPLIT)
        return bool(ytd == completed + advance)  # type: ignore[operator]
    plan = known.get("plan_total")
    if form.form != "B01" or column.key not in _WITHIN_PLAN:
        return True
    return not (isinstance(plan, int) and isinstance(value, int) and value > plan > 0)


def _without_texts(row: Row, names: Sequence[str], pending_key: str) -> int:
    return sum(
        value
        for name in names
        if name != pending_key and name not in row.texts and isinstance(value := row.values.get(name), int)
    )
