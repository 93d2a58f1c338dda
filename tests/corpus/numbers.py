"""Cases 1 to 12: numbers, units and rates as offices type them."""

from __future__ import annotations

import random
from decimal import Decimal

from etl import money
from etl.collect.workbook import Value
from tests.corpus.base import (
    B01,
    B02,
    B04,
    B05,
    LAYOUT,
    LOCAL,
    LOW_RATE,
    MILLION,
    PLAN_KEYS,
    SHEETS,
    Base,
    base,
    sound,
    split,
    trieu,
)
from tests.corpus.draft import Draft, defect
from tests.corpus.package import Book, Cell

_SINGLE = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "accepted_volume", "forecast", "plan_nstw")
_ROW = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "accepted_volume", "forecast")
_KEYS: tuple[tuple[str, ...], ...] = (
    *((key,) for key in _SINGLE),
    ("disb_nstw", "disb_nsdp"),
    ("disb_completed", "accepted_volume"),
    _ROW,
)


def vietnamese(amount: int, decimals: int = 2) -> str:
    """Đồng as triệu: ``1.234,56``."""
    return money.group_vi(trieu(amount), decimals)


def english(amount: int, decimals: int = 2) -> str:
    return vietnamese(amount, decimals).translate(str.maketrans(".,", ",."))


def uneven(made: Base, code: str) -> Base:
    """The line with figures of two decimals that are neither whole nor of three: no such text has two readings."""
    values = made.line(code).values
    plan = {key: made.amount(code, key) for key in PLAN_KEYS}
    plan["plan_nstw"] += 370_000
    central = made.amount(code, "plan_nstw", "carry_nstw") * 62 // 100 // MILLION * MILLION + 430_000
    local = made.amount(code, *LOCAL) * 55 // 100 // MILLION * MILLION + 210_000
    advance = (central + local) // 6 // MILLION * MILLION + 150_000
    return split(
        made.with_line(code, **plan),
        code,
        central,
        local,
        disb_advance=advance,
        disb_completed=central + local - advance,
        accepted_volume=central + local - advance + 1_110_000,
        forecast=made.planned(code) - 12 * MILLION + 890_000 if made.planned(code) > 40 * MILLION else None,
        note=values.get("note"),
    )


def _target(n: int, which: int = 0) -> tuple[Base, str]:
    made = base(n)
    return made, made.targets[(n + which) % len(made.targets)]


@defect("m01-vietnamese-style", "1")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    made = uneven(made, code)
    draft = Draft(made)
    for key in _KEYS[n]:
        ref = made.at(code, key)
        draft.put(B01, ref, vietnamese(made.amount(code, key))).expect("M04", "info", B01, ref)
    return draft


@defect("m03-english-style", "3")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n, 1)
    made = uneven(made, code)
    draft = Draft(made)
    for key in _KEYS[n]:
        ref = made.at(code, key)
        draft.put(B01, ref, english(made.amount(code, key))).expect("M04", "info", B01, ref)
    return draft


@defect("m03-mixed-styles", "3")
def _(n: int, rng: random.Random) -> Draft:
    """Five cells in one style, one in the other."""
    made, code = _target(n)
    made = uneven(made, code)
    draft = Draft(made)
    odd = _ROW[n % len(_ROW)]
    usual, rare = (vietnamese, english) if n % 2 else (english, vietnamese)
    for key in _ROW:
        ref = made.at(code, key)
        draft.put(B01, ref, (rare if key == odd else usual)(made.amount(code, key))).expect("M04", "info", B01, ref)
    return draft.expect("M03", "warning", B01, made.at(code, odd))


@defect("m02-ambiguous", "2")
def _(n: int, rng: random.Random) -> Draft:
    """Both readings of the text fit the row, and no other text of the workbook tells the style."""
    made = base(n)
    code = made.targets[0]
    text = ("1.250", "1,150", "1.025", "1,375", "1.120", "1.400", "1,275", "1.080", "1,010", "1.333")[n]
    if n in (3, 8):
        row = made.plans["B01"].off_budget_row + 1 + n % 3
        return Draft(made).put(B01, f"K{row}", text).expect("M02", "error", B01, f"K{row}")
    key = "accepted_volume" if n % 2 else "forecast"
    made = made.with_line(
        code,
        disb_nstw=0,
        disb_nsdp=0,
        disb_completed=0,
        disb_advance=0,
        disb_carry=0,
        accepted_volume=0,
        forecast=made.planned(code),
        note=LOW_RATE,
    ).with_previous(code, disb_ytd=0)
    silent = tuple({**r, "note": "Số liệu của xã"} for r in made.content.indicators)
    made = made.with_rows("B02", silent)
    ref = made.at(code, key)
    return Draft(made).put(B01, ref, text).expect("M02", "error", B01, ref)


@defect("m02-settled-by-the-row", "2b")
def _(n: int, rng: random.Random) -> Draft:
    """The parts of the cumulative figure add up under one reading only."""
    made, code = _target(n)
    central = made.amount(code, "plan_nstw", "carry_nstw")
    whole = n % 2 == 0  # 1.125 is 1125 triệu, or 1,125 triệu
    figure = 125 + 10 * n
    value = (1000 + figure) * MILLION if whole else (1000 + figure) * 1000
    key = ("disb_completed", "disb_advance")[n // 2 % 2]
    local = made.amount(code, *LOCAL) // 3 // MILLION * MILLION
    paid = max(central * 7 // 10 // MILLION * MILLION, value + 20 * MILLION - local) + local
    if paid - local > central:
        value, whole = (1000 + figure) * 1000, False
        paid = central * 7 // 10 // MILLION * MILLION + local
    parts: dict[str, Value] = (
        {"disb_completed": value, "disb_advance": paid - value}
        if key == "disb_completed"
        else {"disb_advance": value, "disb_completed": paid - value}
    )
    made = split(made, code, paid - local, local, **parts, accepted_volume=paid)
    ref = made.at(code, key)
    text = vietnamese(value, 0) if whole else vietnamese(value, 3)
    if n % 3 == 2:
        text = text.translate(str.maketrans(".,", ",."))
    return Draft(made).put(B01, ref, text).expect("M02", "info", B01, ref)


@defect("m02-settled-by-the-workbook", "2b")
def _(n: int, rng: random.Random) -> Draft:
    """Another text of the workbook has a style that only one reading shares."""
    made = base(n)
    code, other = made.targets[0], made.targets[-1]
    style = vietnamese if n % 2 else english
    if other != code:
        made = uneven(made, other)
    value = (1000 + 105 * (n + 1)) * MILLION if n % 4 < 2 else (1000 + 105 * (n + 1)) * 1000
    made = made.with_line(
        code,
        **dict.fromkeys(("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry"), 0),
        accepted_volume=value,
        forecast=made.planned(code),
        note=LOW_RATE,
    ).with_previous(code, disb_ytd=0)
    made = made.with_rows("B02", tuple({**r, "note": "Số liệu của xã"} for r in made.content.indicators))
    draft = Draft(made)
    ref = made.at(code, "accepted_volume")
    draft.put(B01, ref, style(value, 0) if value >= 1000 * MILLION else style(value, 3)).expect("M02", "info", B01, ref)
    if other == code:
        row = made.plans["B01"].off_budget_row + 1
        amount = 412_560_000
        draft.put(B01, f"K{row}", style(amount)).expect("M04", "info", B01, f"K{row}")
        draft.fact("off_budget", LAYOUT.off_budget[0].line_code, "disb_ytd", amount)
    else:
        where = made.at(other, "accepted_volume")
        draft.put(B01, where, style(made.amount(other, "accepted_volume"))).expect("M04", "info", B01, where)
    return draft


_BLANKS = ("\u00a0", "\u2009", "\u202f", " ")


@defect("m04-number-as-text", "4")
def _(n: int, rng: random.Random) -> Draft:
    """Digits kept as text: green triangle, apostrophe, blanks of all kinds inside and around."""
    made, code = _target(n)
    key = _SINGLE[n % 6]
    if n == 9:
        row = next(r for r in made.content.indicators if isinstance(r["actual_ytd"], Decimal) and r["unit"] != "%")
        ref = made.at(str(row["indicator_code"]), "target_year", "B02")
        return Draft(made).put(B02, ref, f"{row['target_year']:f}").expect("M04", "info", B02, ref)
    made = uneven(made, code)
    if n in (0, 4, 5):  # whole numbers: make the row agree with one
        amount = made.amount(code, "accepted_volume") // MILLION * MILLION + 5 * MILLION
        key = "accepted_volume"
        made = made.with_line(code, accepted_volume=amount)
    ref = made.at(code, key)
    value = made.amount(code, key)
    gap = _BLANKS[n % 4]
    text = {
        0: f"{trieu(value):f}",
        1: vietnamese(value).replace(".", gap),
        2: vietnamese(value).replace(".", gap),
        3: f"  {vietnamese(value)} ",
        4: f"'{trieu(value):f}",
        5: f"{trieu(value):f}",
        6: f"{gap}{english(value)}",
        7: vietnamese(value).replace(".", gap),
        8: f"{vietnamese(value)}{_BLANKS[0]}",
    }[n]
    draft = Draft(made).put(B01, ref, text).expect("M04", "info", B01, ref)
    if n == 5:
        draft.edit(lambda book: book[B01].style(ref, book.new_style(quote_prefix=True, number_format="@")))
    return draft


@defect("m04-column-as-text", "4")
def _(n: int, rng: random.Random) -> Draft:
    """A whole column pasted as text: every cell is named, and sums and rates are not blamed for it."""
    made = base(n)
    for code in made.targets:
        made = uneven(made, code)
    key = ("disb_nstw", "disb_completed", "accepted_volume", "forecast", "disb_nsdp")[n % 5]
    draft = Draft(made)
    for line in made.content.lines:
        value, ref = line.values.get(key), made.at(line.line_code, key)
        if isinstance(value, int):
            text = vietnamese(value, 6) if n < 5 else english(value, 6)
            draft.put(B01, ref, text).expect("M04", "info", B01, ref)
    return draft


@defect("m05-unit-in-the-cell", "5")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    code = made.targets[0]
    text, value = (
        ("350 triệu", 350_000_000),
        ("1,2 tỷ", 1_200_000_000),
        ("350tr", 350_000_000),
        ("500 nghìn đồng", 500_000),
        ("350.000.000 đồng", 350_000_000),
        ("425 triệu đồng", 425_000_000),
        ("0,75 tỷ đồng", 750_000_000),
        ("412,5 tr", 412_500_000),
        ("1.100.000.000đ", 1_100_000_000),
        ("1,05 tỉ", 1_050_000_000),
    )[n]
    key = ("disb_nstw", "accepted_volume", "disb_completed", "disb_advance", "forecast")[n % 5]
    local = made.amount(code, *LOCAL) // 3 // MILLION * MILLION
    central = made.amount(code, "plan_nstw", "carry_nstw") * 7 // 10 // MILLION * MILLION
    if key == "disb_nstw":
        made = split(made, code, value, local)
    elif key == "accepted_volume":
        made = split(made, code, central, local, disb_completed=0, disb_advance=central + local, accepted_volume=value)
    elif key == "disb_completed":
        rest = central + local - value
        made = split(made, code, central, local, disb_completed=value, disb_advance=rest, accepted_volume=value)
        if rest < 0:
            made = split(made, code, value, 0, disb_completed=value, disb_advance=0, accepted_volume=value)
    elif key == "disb_advance":
        made = split(made, code, max(central, value), local, disb_advance=value)
    else:
        low = min(value // 2 // MILLION * MILLION, made.amount(code, "plan_nstw", "carry_nstw"))
        made = split(made, code, low, 0, forecast=value)
    ref = made.at(code, key)
    return Draft(made).put(B01, ref, text).expect("M05", "warning", B01, ref)


def _scaled(book: Book, made: Base, keys: tuple[str, ...], factor: int) -> None:
    sheet = book[B01]
    for line in made.content.lines:
        for key in keys:
            ref = made.at(line.line_code, key)
            cell = sheet[ref]
            if not cell.formula and isinstance(cell.value, Decimal):
                sheet.put(ref, cell.value * factor)


_TYPED = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume", "forecast")


@defect("m06-disbursement-in-another-unit", "6")
def _(n: int, rng: random.Random) -> Draft:
    """The plan stands in triệu đồng as handed out; all that the commune typed is in đồng or nghìn đồng."""
    factor = 1_000_000 if n % 2 else 1_000
    made = base(n)
    for number, line in enumerate(made.content.lines):
        made = sound(made, line.line_code, 60 + number)
    draft = Draft(made).edit(lambda book: _scaled(book, made, _TYPED, factor))
    row = made.leaf_rows()[0]
    top = made.plans["B01"].rows[0].number
    others = [(B01, f"{letter}{r}") for letter in "JKL" for r in range(top, row + 1)]
    return draft.expect("M06", "error", B01, f"J{row}", others)


@defect("m06-whole-form-in-another-unit", "6")
def _(n: int, rng: random.Random) -> Draft:
    """All amounts, the plan too: no commune can have such a plan."""
    made = base(n)
    # In nghìn đồng only a plan over 5 tỷ is beyond what a commune can have.
    factor = (
        1_000 if n % 2 and sum(made.planned(x.line_code) for x in made.content.lines) > 6_000 * MILLION else 1_000_000
    )
    for number, line in enumerate(made.content.lines):
        made = sound(made, line.line_code, 60 + number)
    keys = (*PLAN_KEYS, *_TYPED)
    draft = Draft(made).edit(lambda book: _scaled(book, made, keys, factor))
    row = made.leaf_rows()[0]
    top = made.plans["B01"].rows[0].number
    others = [(B01, f"{letter}{r}") for letter in "DE" for r in range(top, row + 1)]
    return draft.expect("M06", "error", B01, f"D{row}", others)


@defect("m06-roadmap-in-another-unit", "6")
def _(n: int, rng: random.Random) -> Draft:
    made = base((0, 2, 7, 9)[n % 4])
    factor = 1_000_000 if n // 4 % 2 else 1_000

    def scale(book: Book) -> None:
        sheet = book[B05]
        for row in made.leaf_rows("B05"):
            for column in range(4, 17):
                cell = sheet.cells.get((row, column), Cell())
                if isinstance(cell.value, Decimal):
                    sheet.put(f"{chr(64 + column)}{row}", cell.value * factor)

    first = next(
        f"{column.letter}{row.number}"
        for row in made.plans["B05"].rows
        for column in LAYOUT.sheet("B05").columns
        if row.role == "leaf" and column.kind == "money" and row.cells[column.key].value
    )
    return Draft(made).edit(scale).expect("M06", "error", B05, first)


_UNIT_CELL = {B01: "T7", B04: "L7", B05: "Q7"}


@defect("m07-other-unit-named", "7")
def _(n: int, rng: random.Random) -> Draft:
    sheet = (B01, B04, B05)[n % 3]
    said = ("đồng", "nghìn đồng", "tỷ đồng", "1.000 đồng", "ngàn đồng", "VNĐ")[n % 6]
    text = (f"Đơn vị tính: {said}", f"ĐVT: {said}", f"Đơn vị tính : {said.capitalize()}")[n // 3 % 3]
    ref = _UNIT_CELL[sheet]
    return Draft(base(n)).put(sheet, ref, text).expect("M07", "error", sheet, ref)


@defect("m07-unit-line-missing", "7")
def _(n: int, rng: random.Random) -> Draft:
    sheet = (B01, B05, B04)[n % 3]
    ref = _UNIT_CELL[sheet]
    return Draft(base(n)).put(sheet, ref, None).expect("M07", "warning", sheet, None)


@defect("m07-unit-said-otherwise", "7")
def _(n: int, rng: random.Random) -> Draft:
    """The right unit, said in other ways."""
    texts = (
        "ĐVT: triệu đồng",
        "Đơn vị tính: Triệu đồng",
        "ĐƠN VỊ TÍNH: TRIỆU ĐỒNG",
        "(Đơn vị tính: triệu đồng)",
        "Đơn vị tính : triệu đồng.",
        "Đơn vị: triệu đồng",
        "ĐVT: Tr.đồng",
        "Đơn vị tính:  triệu\nđồng",
        "Don vi tinh: trieu dong",
        "đvt: triệu đồng",
    )
    draft = Draft(base(n))
    for sheet, ref in _UNIT_CELL.items():
        draft.put(sheet, ref, texts[n])
    return draft


def _zero_advance(made: Base, code: str) -> Base:
    paid = made.paid(code)
    volume = max(paid, made.amount(code, "accepted_volume"))
    return made.with_line(code, disb_advance=0, disb_completed=paid, accepted_volume=volume)


@defect("m08-dash-is-zero", "8")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    made = _zero_advance(made, code)
    dash = ("-", "–", "—", " - ", "- ", "–", "-", "−", "--", "-")[n]
    keys = ("disb_advance",) if n % 2 else ("disb_advance", "disb_carry")
    if "disb_carry" in keys:
        made = made.with_line(code, disb_carry=0)
    draft = Draft(made)
    for key in keys:
        draft.put(B01, made.at(code, key), dash)
    return draft


@defect("m08-idle-line-of-dashes", "8")
def _(n: int, rng: random.Random) -> Draft:
    """A line on which nothing was paid, all dashes."""
    made = base(n)
    code = made.content.lines[-1].line_code
    nothing: dict[str, Value] = dict.fromkeys(
        ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry", "accepted_volume"), 0
    )
    made = made.with_line(code, **nothing, note="Chưa giải ngân do đang hoàn thiện hồ sơ thanh toán")
    made = made.with_previous(code, disb_ytd=0)
    made = made.with_rows("B02", tuple({**r, "note": "Số liệu của xã"} for r in made.content.indicators))
    draft = Draft(made)
    for key in nothing:
        draft.put(B01, made.at(code, key), "-–—"[n % 3])
    return draft


_WORDS = ("không", "k", "x", "ko", "chưa có", "Không", "đang cập nhật", "n/a", "hết", "?")


@defect("m08-word-in-number-cell", "8")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    made = _zero_advance(made, code)
    key = ("disb_advance", "disb_carry", "accepted_volume", "forecast", "disb_advance")[n % 5]
    ref = made.at(code, key)
    return Draft(made).put(B01, ref, _WORDS[n]).expect("M08", "error", B01, ref)


@defect("m08-word-where-sums-depend-on-it", "8")
def _(n: int, rng: random.Random) -> Draft:
    """The cumulative figure, this month's, the rate, headings and checks all hang on the cell: one finding."""
    made, code = _target(n)
    key = ("disb_nstw", "disb_nsdp", "disb_completed", "plan_nstw", "plan_nst")[n % 5]
    ref = made.at(code, key)
    return Draft(made).put(B01, ref, _WORDS[-1 - n]).expect("M08", "error", B01, ref)


@defect("m08-word-in-other-forms", "8")
def _(n: int, rng: random.Random) -> Draft:
    if n < 5:
        made = base(n)
        row = made.content.indicators[n % len(made.content.indicators)]
        ref = made.at(str(row["indicator_code"]), ("target_phase", "actual_ytd", "target_year")[n % 3], "B02")
        return Draft(made).put(B02, ref, _WORDS[n]).expect("M08", "error", B02, ref)
    if n < 7:
        made = base(n - 5)
        return Draft(made).put(B04, "K12", _WORDS[n]).expect("M08", "error", B04, "K12")
    made = base((0, 2, 9)[n - 7])
    ref = f"{'NOP'[n - 7]}{made.leaf_rows('B05')[1]}"
    return Draft(made).put(B05, ref, _WORDS[n]).expect("M08", "error", B05, ref)


@defect("m08-required-cell-blank", "8b")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    key = ("disb_nstw", "disb_nsdp", "disb_completed", "disb_advance", "disb_carry")[n % 5]
    ref = made.at(code, key)
    if n < 5:
        return Draft(made).put(B01, ref, None).expect("M08", "error", B01, ref)
    draft = Draft(made)  # both sources blank: the cumulative figure is blank, and is not asked for
    for letter in ("disb_nstw", "disb_nsdp"):
        draft.put(B01, made.at(code, letter), None).expect("M08", "error", B01, made.at(code, letter))
    return draft


@defect("m08-required-cell-blank-in-other-forms", "8b")
def _(n: int, rng: random.Random) -> Draft:
    if n < 3:
        made = base(n)
        row = made.content.indicators[-1]
        ref = made.at(str(row["indicator_code"]), ("target_phase", "target_year", "actual_ytd")[n], "B02")
        return Draft(made).put(B02, ref, None).expect("M08", "error", B02, ref)
    if n < 5:
        made = base(1 if n == 3 else 7)
        ref = f"{'IL'[n - 3]}12"
        return Draft(made).put(SHEETS["B03"], ref, None).expect("M08", "error", SHEETS["B03"], ref)
    made = base(n)
    if n == 9:
        made = base(0)
    ref = f"{'DFGHI'[n - 5]}11"
    return Draft(made).put(B04, ref, None).expect("M08", "error", B04, ref)


@defect("m08-optional-cell-blank", "8")
def _(n: int, rng: random.Random) -> Draft:
    """Cells that the form does not ask for may stay blank: blank, and never zero."""
    made, code = _target(n)
    keys = (("accepted_volume",), ("forecast",), ("accepted_volume", "forecast"))[n % 3]
    made = made.with_line(code, **dict.fromkeys(keys))
    draft = Draft(made)
    if n >= 5:
        row = next(r for r in made.content.indicators)
        code2 = str(row["indicator_code"])
        draft.put(B02, made.at(code2, "forecast", "B02"), None).fact("B02", code2, "forecast", None)
    if n >= 8:
        draft.put(B02, made.at(code2, "actual_phase", "B02"), None).fact("B02", code2, "actual_phase", None)
    return draft


def _with_negative_advance(made: Base, code: str, amount: int, note: str | None) -> Base:
    paid = made.paid(code)
    return made.with_line(
        code, disb_advance=-amount, disb_completed=paid + amount, accepted_volume=paid + amount, note=note
    )


_NEGATIVE = ("(12,5)", "(12,50)", "( 12,5 )", "(12.5)", "(12,5)")


@defect("m09-parentheses-with-note", "9")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    made = _with_negative_advance(made, code, 12_500_000, "Thu hồi tạm ứng, nộp trả ngân sách 12,5 triệu đồng")
    ref = made.at(code, "disb_advance")
    return Draft(made).put(B01, ref, _NEGATIVE[n % 5]).expect("M09", "info", B01, ref)


@defect("m09-parentheses-without-note", "9")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    made = _with_negative_advance(made, code, 12_500_000, None)
    ref = made.at(code, "disb_advance")
    return Draft(made).put(B01, ref, _NEGATIVE[n % 5]).expect("CK09", "error", B01, ref)


@defect("m09-red-number-in-parentheses-format", "9")
def _(n: int, rng: random.Random) -> Draft:
    """A real negative number that is only shown in parentheses or red, with its note."""
    made, code = _target(n)
    made = _with_negative_advance(made, code, 12_500_000, "Thu hồi tạm ứng, nộp trả ngân sách 12,5 triệu đồng")
    ref = made.at(code, "disb_advance")
    shown = ("#,##0.000;[Red]\\(#,##0.000\\)", "#,##0.0_);\\(#,##0.0\\)")[n % 2]
    return Draft(made).edit(lambda book: book[B01].style(ref, book.new_style(number_format=shown)))


@defect("m10-float-noise", "10")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    key = ("accepted_volume", "disb_nstw", "disb_completed", "forecast", "disb_carry")[n % 5]
    ref, value = made.at(code, key), made.amount(code, key)
    number = trieu(value)
    draft = Draft(made)
    if n in (2, 7):
        text = f"{float(number):.6E}" if n == 2 else f"{number.scaleb(-2):f}E+2"
        return draft.edit(lambda book: book[B01].put(ref, number, xml=f"<v>{text}</v>"))
    if n in (0, 5):
        exact = (value // 1000 * 1000 + 456) * 10 + 5  # ,0004565 triệu: half a đồng goes up
        draft.put(B01, ref, Decimal(exact).scaleb(-7)).fact("B01", code, key, exact // 10 + 1)
        return draft
    noise = Decimal("0.00000001") if n % 2 else Decimal("-0.00000001")
    return draft.put(B01, ref, number + noise)


def _rate(made: Base, code: str) -> Decimal:
    return Decimal(made.paid(code)) * 100 / Decimal(made.planned(code))


def _half(made: Base, code: str) -> Base:
    """Exactly half of every source paid."""
    central = made.amount(code, "plan_nstw", "carry_nstw") // 2
    return split(made, code, central, made.planned(code) // 2 - central)


@defect("m11-rate-typed-right", "11")
def _(n: int, rng: random.Random) -> Draft:
    """0.35, 35, "35%", "35,00", 35 % as a format: all the same rate."""
    made, code = _target(n)
    ref, rate = made.at(code, "disb_rate"), _rate(made, code)
    two = rate.quantize(Decimal("0.01"))
    shown = f"{two:f}"
    value: Decimal | str = (
        two,
        (rate / 100).quantize(Decimal("0.0001")),
        f"{shown}%",
        shown.replace(".", ","),
        f"{shown.replace('.', ',')}%",
        f"{shown.replace('.', ',')} %",
        shown,
        rate.quantize(Decimal("0.1")) if abs(rate.quantize(Decimal("0.1")) - rate) < Decimal("0.05") else two,
        Decimal("50.05"),
        (rate / 100).quantize(Decimal("0.0001")),
    )[n]
    if n == 8:
        made = _half(made, code)  # just inside: 50 against 50,05
        ref = made.at(code, "disb_rate")
    draft = Draft(made).put(B01, ref, value)
    if n == 9:
        draft.edit(lambda book: book[B01].style(ref, book.new_style(number_format="0.00%")))
    return draft


@defect("m11-rate-typed-wrong", "11")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    rate = _rate(made, code).quantize(Decimal("0.01"))
    value: Decimal | str = (
        Decimal("7.77"),
        rate + Decimal("0.07"),
        rate - Decimal("0.07"),
        f"{rate + 3}".replace(".", ",") + "%",
        Decimal("0.0777"),
        Decimal("50.06"),
        f"{rate - 5}",
        Decimal(100),
        Decimal(0),
        f"{rate + 1}".replace(".", ","),
    )[n]
    if n == 5:
        made = _half(made, code)  # just outside
    ref = made.at(code, "disb_rate")
    return Draft(made).put(B01, ref, value).expect("CK05", "warning", B01, ref)


def over_plan(made: Base, code: str, key: str, excess: int, note: str | None) -> Base:
    """The line paid beyond its plan in one source by ``excess``."""
    central = made.amount(code, "plan_nstw", "carry_nstw")
    local = made.amount(code, *LOCAL)
    paid = (central + excess, local // 2) if key == "disb_nstw" else (central // 10 * 6, local + excess)
    total = sum(paid)
    return made.with_line(
        code,
        disb_nstw=paid[0],
        disb_nsdp=paid[1],
        disb_completed=total,
        disb_advance=0,
        disb_carry=0,
        accepted_volume=total,
        forecast=max(total, made.planned(code)) if key == "total" else made.planned(code),
        note=note,
    ).with_previous(code, disb_ytd=total * 9 // 10 // 1000 * 1000)


_NO_DECISION = (None, "Do tạm ứng trước khi cắt giảm vốn", "Chờ điều chỉnh kế hoạch", "Theo số liệu của Kho bạc")
_DECISION = (
    "Giải ngân trước khi cắt giảm kế hoạch theo Quyết định số 1520/QĐ-UBND ngày 26/9/2025",
    "Kế hoạch đã điều chỉnh tại quyết định điều chỉnh số 88 của UBND tỉnh",
    "Điều chỉnh giảm vốn: số 1520/QĐ-UBND",
    "QUYẾT ĐỊNH SỐ 1520/QĐ-UBND NGÀY 26/9/2025",
)


@defect("m12-over-plan-without-decision", "12")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    key = ("disb_nstw", "disb_nsdp")[n % 2]
    made = over_plan(made, code, key, (1000, 3 * MILLION, 12_345_678)[n % 3], _NO_DECISION[n % 4])
    return Draft(made).expect("CK01", "error", B01, made.at(code, key))


@defect("m12-over-plan-with-decision", "12")
def _(n: int, rng: random.Random) -> Draft:
    made, code = _target(n)
    key = ("disb_nstw", "disb_nsdp")[n % 2]
    made = over_plan(made, code, key, (1000, 3 * MILLION, 12_345_678)[n % 3], _DECISION[n % 4])
    return Draft(made).expect("M12", "warning", B01, made.at(code, key))
