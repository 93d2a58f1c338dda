"""Cases 35 to 37: formulas without a value, with an error, with a value that is not theirs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from tests.corpus.base import B01, B02, MILLION, PLAN_KEYS, base, split, trieu
from tests.corpus.draft import Draft, defect
from tests.corpus.package import Book, Error, join
from tests.corpus.texts import ALL


def uncached(book: Book, names: tuple[str, ...], chosen: Callable[[int, int], bool] = lambda r, c: True) -> None:
    """Formulas stored without their values, as libraries and some phones store them."""
    for name in names:
        sheet = book[name]
        sheet.touched = True
        sheet.cells = {p: replace(c, cached=False) if c.formula and chosen(*p) else c for p, c in sheet.cells.items()}


@defect("m35-plain-formulas-without-values", "35")
def _(n: int, rng: random.Random) -> Draft:
    """Sums, quotients, ROUND, IF, COUNT: computed, and never blank or zero."""
    made = base(n)
    names = ALL if n % 2 else (ALL[(0, 1, 4)[n // 2 % 3]],)
    chosen = (lambda r, c: True, lambda r, c: r % 2 == 0, lambda r, c: c > 8)[n % 3]
    return Draft(made).edit(lambda book: uncached(book, names, chosen))


@defect("m35-own-sums-without-values", "35")
def _(n: int, rng: random.Random) -> Draft:
    """The clerk's own arithmetic typed into an input cell."""
    made = base(n)
    code = made.targets[n % len(made.targets)]
    row = made.row(code)
    key = "accepted_volume"
    paid = made.amount(code, "disb_completed")
    value, formula = (
        (paid + 1_500_000, f"N{row}+1.5"),
        (paid + 2_250_000, f"SUM(N{row},2.25)"),
        (paid, f"N{row}"),
        (paid + 12_000_000, f"N{row}+3*4"),
        (paid + 8_000_000, f"SUM(N{row}:N{row})+16/2"),
        (paid + 1_235_000, f"ROUND(N{row}+1.2346,3)"),
        (paid + 4_000_000, f"IF(N{row}>0,N{row}+4,0)"),
        (paid + 6_000_000, f"(N{row}+7)-1"),
        (paid + 5_000_000, f"+N{row}+5"),
        (paid + 9_000_000, f"N{row}--9"),
    )[n]
    if n == 5:
        value = (paid + 1_234_600 + 500) // 1000 * 1000
    made = made.with_line(code, accepted_volume=value)
    ref = made.at(code, key)
    draft = Draft(made).put(B01, ref, trieu(value), formula=formula, cached=n % 2 == 1)
    draft.recalculated = False
    return draft


_LOOKUPS = (
    "VLOOKUP(C14,$W$1:$Z$99,3,0)",
    'INDIRECT("X"&ROW())',
    "OFFSET(A1,5,5)",
    "INDEX(W1:W99,MATCH(C14,X1:X99,0))",
    "SUMIFS(X1:X99,W1:W99,C14)",
    "HLOOKUP(C14,W1:Z9,2,0)",
    "SUMPRODUCT((W1:W9=C14)*X1:X9)",
    'GETPIVOTDATA("Tiền",$A$3)',
    "TinhTien(L14)",
    "XLOOKUP(C14,W1:W99,X1:X99)",
)


@defect("m35-lookup-without-value", "35")
def _(n: int, rng: random.Random) -> Draft:
    """A formula that cannot be computed from the form alone; sums over it are left alone."""
    made = base(n)
    code = made.targets[n % len(made.targets)]
    ref = made.at(code, ("disb_advance", "disb_nstw", "accepted_volume", "forecast", "disb_completed")[n % 5])
    draft = Draft(made).put(B01, ref, None, formula=_LOOKUPS[n], cached=False)
    draft.recalculated = False
    if n >= 5:
        draft.edit(lambda book: uncached(book, (B01,)))
    return draft.expect("M35", "error", B01, ref)


@defect("m35-lookup-with-value", "35")
def _(n: int, rng: random.Random) -> Draft:
    """The same kind of formula with its stored value: the value counts."""
    made = base(n)
    code = made.targets[n % len(made.targets)]
    key = ("disb_advance", "disb_nstw", "accepted_volume", "forecast", "disb_completed")[n % 5]
    draft = Draft(made).put(B01, made.at(code, key), trieu(made.amount(code, key)), formula=_LOOKUPS[n])
    draft.recalculated = False
    return draft


_ERRORS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#REF!", "#DIV/0!", "#N/A", "#VALUE!")


@defect("m36-error-value", "36")
def _(n: int, rng: random.Random) -> Draft:
    """An error in one cell runs through every sum over it: the cell where it began is named, no other."""
    made = base(n)
    code = made.targets[n % len(made.targets)]
    ref = made.at(code, ("disb_nstw", "disb_advance", "disb_completed", "accepted_volume", "plan_nstw")[n % 5])
    return Draft(made).put(B01, ref, Error(_ERRORS[n])).expect("M36", "error", B01, ref)


@defect("m36-broken-formula", "36")
def _(n: int, rng: random.Random) -> Draft:
    """A formula with an error in it, in an input cell or in place of the form's own."""
    made = base(n)
    if n % 3 == 2:
        row = made.leaf_rows("B02")[n % 3]
        ref, sheet = f"{'GFI'[n // 3 % 3]}{row}", B02
    else:
        code = made.targets[n % len(made.targets)]
        ref, sheet = made.at(code, ("disb_advance", "forecast", "disb_carry", "accepted_volume")[n % 4]), B01
    text = ("SUM(#REF!)", "#REF!+1", "Z99/0", "1/0")[n % 4]
    error = Error("#DIV/0!" if n % 4 > 1 else "#REF!")
    draft = Draft(made).put(sheet, ref, error, formula=text).expect("M36", "error", sheet, ref)

    def spread(book: Book) -> None:
        target = book[sheet]
        kept = target[ref]
        target.put(ref, error)
        target.recalculate()
        target.put(ref, error, formula=kept.formula)

    draft.recalculated = False
    return draft.edit(spread)


@defect("m36-rate-over-no-plan", "36")
def _(n: int, rng: random.Random) -> Draft:
    """#DIV/0! where the plan is 0: an honest rate."""
    made = base(n)
    code = made.content.lines[n % len(made.content.lines)].line_code
    nothing = dict.fromkeys((*PLAN_KEYS, "disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry"), 0)
    made = made.with_line(code, **nothing, accepted_volume=0, forecast=0, note=None).with_previous(code, disb_ytd=0)
    row = made.row(code)
    rows = [row] if n < 5 else [r.number for r in made.plans["B01"].rows if r.role != "empty"]
    draft = Draft(made)
    for r in rows:
        draft.put(B01, f"Q{r}", None, formula=f"K{r}/D{r}*100")
    return draft


@defect("m36-rate-broken-over-a-plan", "36")
def _(n: int, rng: random.Random) -> Draft:
    """#DIV/0! in the rate of a line that has a plan: the formula is wrong."""
    made = base(n)
    code = made.targets[n % len(made.targets)]
    row, ref = made.row(code), made.at(code, "disb_rate")
    divisor = ("Z99", "0", "X1", "AA5", "V7")[n % 5]
    return Draft(made).put(B01, ref, None, formula=f"K{row}/{divisor}*100").expect("M36", "error", B01, ref)


def with_external_link(book: Book) -> None:
    """The part that a link to another file leaves in a workbook."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    book.parts["xl/externalLinks/externalLink1.xml"] = (
        f'{head}<externalLink xmlns="{main}"><externalBook xmlns:r="{office}" r:id="rId1"><sheetNames>'
        '<sheetName val="Sổ theo dõi"/></sheetNames></externalBook></externalLink>'
    ).encode()
    book.parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
        f'{head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
        f'Id="rId1" Type="{office}/externalLinkPath" Target="So%20theo%20doi.xlsx" '
        'TargetMode="External"/></Relationships>'
    ).encode()
    rels = book.parts["xl/_rels/workbook.xml.rels"].decode()
    relation = f'<Relationship Id="rIdX1" Type="{office}/externalLink" Target="externalLinks/externalLink1.xml"/>'
    book.parts["xl/_rels/workbook.xml.rels"] = rels.replace("</Relationships>", relation + "</Relationships>").encode()
    book.override(
        "xl/externalLinks/externalLink1.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml",
    )
    tag = '<externalReferences><externalReference r:id="rIdX1"/></externalReferences>'
    book.workbook_xml = book.workbook_xml.replace("</sheets>", "</sheets>" + tag)


@defect("m36-formula-into-another-file", "36")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    code = made.targets[n % len(made.targets)]
    key = ("accepted_volume", "disb_advance", "forecast", "disb_nstw", "disb_completed")[n % 5]
    ref = made.at(code, key)
    formula = (
        "'[1]Sổ theo dõi'!$F$12",
        "[1]Sheet1!A1",
        "SUM('[1]Sổ theo dõi'!F12:F20)",
        "'[1]Sổ theo dõi'!F12+0",
        "VLOOKUP(C14,'[1]Sổ theo dõi'!$A$1:$F$99,6,0)",
    )[n % 5]
    draft = Draft(made).edit(with_external_link)
    draft.put(B01, ref, trieu(made.amount(code, key)), formula=formula, cached=n < 5)
    draft.recalculated = False
    return draft.expect("M36", "error", B01, ref)


def _differences(before: Book, after: Book, names: tuple[str, ...]) -> dict[tuple[str, int], str]:
    """(sheet, row) -> the first cell whose formula gives another number than the one stored."""
    found: dict[tuple[str, int], str] = {}
    for name in names:
        for position, cell in sorted(after[name].cells.items()):
            stored = before[name].cells[position].value
            if cell.formula and isinstance(cell.value, Decimal) and cell.value != stored:
                found.setdefault((name, position[0]), join(*position))
    return found


@defect("m37-not-calculated-since", "37")
def _(n: int, rng: random.Random) -> Draft:
    """Manual calculation: figures were typed after the last one, and sums and rates are still the old ones."""
    old = base(n)
    code = old.targets[n % len(old.targets)]
    central = old.amount(code, "disb_nstw") + (5 + n) * MILLION
    new = split(
        old,
        code,
        central,
        old.amount(code, "disb_nsdp"),
        forecast=old.amount(code, "forecast"),
        disb_carry=old.amount(code, "disb_carry"),
    )
    new = new.with_previous(code, disb_ytd=int(old.content.previous[code]["disb_ytd"]))
    stale, fresh = old.book(), new.book()
    draft = Draft(new)
    for (sheet, _row), ref in _differences(stale, fresh, (B01,)).items():
        draft.expect("M37", "warning", sheet, ref)

    def keep(book: Book) -> None:
        """The old results under the new figures."""
        target = book[B01]
        target.touched = True
        for position, cell in target.cells.items():
            if cell.formula:
                target.cells[position] = replace(cell, value=stale[B01].cells[position].value)

    draft.recalculated = False
    return draft.edit(keep)


@defect("m37-one-stale-cell", "37")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    code = made.targets[n % len(made.targets)]
    key = ("disb_ytd", "plan_total", "disb_period")[n % 3]
    ref = made.at(code, key)
    draft = Draft(made)

    def spoil(book: Book) -> None:
        cell = book[B01][ref]
        assert isinstance(cell.value, Decimal)
        book[B01].put(ref, cell.value + Decimal(7 + n), formula=cell.formula)

    draft.recalculated = False
    return draft.edit(spoil).expect("M37", "warning", B01, ref)


@defect("m37-dummy-zeros", "37")
def _(n: int, rng: random.Random) -> Draft:
    """A library stored 0 as the result of every formula: it looks like a declared zero, and is none."""
    made = base(n)
    names = (B01,) if n % 2 else (B01, B02)

    def zero(book: Book) -> None:
        for name in names:
            sheet = book[name]
            sheet.touched = True
            for position, cell in sheet.cells.items():
                if cell.formula:
                    sheet.cells[position] = replace(cell, value=Decimal(0))

    draft = Draft(made).edit(zero)
    draft.recalculated = False
    fresh, dummy = made.book(), made.book()
    zero(dummy)
    for (sheet, _row), ref in _differences(dummy, fresh, names).items():
        draft.expect("M37", "warning", sheet, ref)
    return draft
