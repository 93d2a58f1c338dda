"""Cases 24 to 34 and 47: where things stand in the sheets, and what else stands there."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from tests.corpus.base import B01, B02, B03, B04, B05, LAYOUT, SHEETS, Base, base, trieu
from tests.corpus.dates import with_tasks
from tests.corpus.draft import Draft, defect
from tests.corpus.numbers import uneven
from tests.corpus.package import Book, Cell, Sheet, join, split
from tests.corpus.texts import ALL, retyped

_WIDTH = {s.name: len(s.columns) for s in LAYOUT.sheets}


@defect("m24-header-further-down", "24")
def _(n: int, rng: random.Random) -> Draft:
    names = ALL if n < 5 else (ALL[n % 5],)
    at, count = ((1, 1), (8, 2), (1, 4), (6, 3), (3, 1), (1, 10), (8, 1), (7, 5), (2, 2), (8, 6))[n]

    def insert(book: Book) -> None:
        for name in names:
            book[name].insert_rows(at, count)
            if n % 3 == 0:
                book[name].put(join(at, 1), "TỈNH LẠNG SƠN" if at == 1 else "(Kèm theo Công văn báo cáo)")

    return Draft(base(n)).edit(insert)


@defect("m24-columns-inserted", "24")
def _(n: int, rng: random.Random) -> Draft:
    """Empty columns at the left edge or between columns: everything is found by its header."""
    names = ALL if n % 2 else (ALL[n // 2],)
    at = (1, 1, 4, 3, 2, 1, 6, 4, 1, 5)[n]

    def insert(book: Book) -> None:
        for name in names:
            book[name].insert_columns(at, 1 + n % 2)

    return Draft(base(n)).edit(insert)


def three_rows(sheet: Sheet) -> None:
    """The header of Biểu 01 over three rows, as the ministries' appendices have it."""
    sheet.insert_rows(10, 1)
    groups = {"E": ("Vốn giao trong năm", "EG"), "H": ("Vốn kéo dài từ các năm trước", "HI"), "N": ("Trong đó", "NP")}
    style = sheet["E9"].style
    merged = [m for m in sheet.merged if split(m.split(":")[0])[0] not in (8, 9)]
    for column in LAYOUT.sheet("B01").columns:
        letter = column.letter
        if not column.header_2:
            merged.append(f"{letter}8:{letter}10")
        elif " - " in column.header_2 or ": " in column.header_2:
            mark = " - " if " - " in column.header_2 else ": "
            sheet.put(f"{letter}10", column.header_2.split(mark)[1])
            sheet.put(f"{letter}9", None)
            sheet.style(f"{letter}10", style)
        else:
            merged.append(f"{letter}9:{letter}10")
    for letter, (title, span) in groups.items():
        sheet.put(f"{letter}9", title)
        merged.append(f"{span[0]}9:{span[1]}9")
    sheet.merged = [*merged, "D8:I8", "K8:P8"]


@defect("m24-header-over-three-rows", "24")
def _(n: int, rng: random.Random) -> Draft:
    def edit(book: Book) -> None:
        three_rows(book[B01])
        if n % 3 == 1:
            book[B01].insert_rows(1, n)
        if n % 3 == 2:
            retyped(book, (B01,), str.upper, lambda r, c: 8 <= r <= 10)

    return Draft(base(n)).edit(edit)


def _breaks(text: str) -> str:
    words = text.split(" ")
    return (
        "\n".join([" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]) if len(words) > 2 else text
    )


@defect("m24-header-typography", "24")
def _(n: int, rng: random.Random) -> Draft:
    """Line breaks, capitals, blanks, NFD, no accents, a stop at the end: the same header."""
    change: Callable[[str], str] = (
        _breaks,
        str.upper,
        lambda t: t.replace(" ", "  "),
        lambda t: unicodedata.normalize("NFD", t),
        lambda t: f" {t} ",
        lambda t: t.replace(" ", "\u00a0"),
        lambda t: _breaks(t.upper()),
        lambda t: t.replace(" - ", " – "),
        lambda t: t.replace("\n", " ").replace("(", " (").replace(" %", "%"),
        str.lower,
    )[n]
    return Draft(base(n)).edit(lambda book: retyped(book, ALL, change, lambda r, c: r in (8, 9)))


@defect("m25-merged-cells-in-the-body", "25")
def _(n: int, rng: random.Random) -> Draft:
    """One cell merged over the rows that share its value."""
    if n < 5:
        made = next(b for b in (base(k) for k in range(n, n + 10)) if _repeated(b))
        spans = _repeated(made)
        ranges = [(B02, f"D{11 + a}:D{11 + b}") for a, b in spans]
    else:
        made = with_tasks(n)
        last = len(made.content.tasks)
        for position in range(last):
            made = made.with_row("B03", position, doc_no="123/TB-VP", doc_date=date(2025, 10, 15))
        ranges = [(B03, f"C11:C{10 + last}")]
        if n > 6:
            ranges.append((B03, f"D11:D{10 + last}"))
        if n == 9:
            ranges.append((B03, f"F11:F{10 + last}"))

    def merge(book: Book) -> None:
        for name, span in ranges:
            sheet = book[name]
            (top, column), (bottom, _) = (split(p) for p in span.split(":"))
            for row in range(top + 1, bottom + 1):
                sheet.put(join(row, column), None)
            sheet.merged = [*sheet.merged, span]

    return Draft(made).edit(merge)


def _repeated(made: Base) -> list[tuple[int, int]]:
    rows = made.content.indicators
    spans: list[tuple[int, int]] = []
    for position in range(1, len(rows)):
        if rows[position]["project_code"] == rows[position - 1]["project_code"]:
            if spans and spans[-1][1] == position - 1:
                spans[-1] = (spans[-1][0], position)
            else:
                spans.append((position - 1, position))
    return spans


@defect("m27-number-row", "27")
def _(n: int, rng: random.Random) -> Draft:
    """The row of column numbers: in other signs, twice, or not there."""

    def edit(book: Book) -> None:
        for name in ALL:
            sheet = book[name]
            if n == 0:
                sheet.delete_rows(10)
                continue
            for column in range(1, _WIDTH[name] + 1):
                old = str(sheet[join(10, column)].value or "")
                new = (
                    "",
                    str(column),
                    column,
                    f"[{column}]",
                    f"({column})" if "=" not in old else old.replace("=", " = "),
                    old.replace("x", "×").replace("+", " + "),
                    f"( {column} )",
                    ("A", "B", "C")[column - 1] if column < 4 else str(column - 3),
                    f"{column}." if "=" not in old else f"{column}={old.split('=')[1]}",
                    f"({column})",
                )[n]
                sheet.put(join(10, column), new)

    return Draft(base(n)).edit(edit)


@defect("m28-running-numbers", "28")
def _(n: int, rng: random.Random) -> Draft:
    """Roman numerals, letters, dashes, all numbers or none in the first column: the code tells the level."""
    made = base(n)
    rows = made.plans["B01"].rows

    def sign(position: int, role: str, depth: int) -> str | int | None:
        if n == 0:
            return None
        if n == 1:
            return position + 1
        if n == 2:
            return "ABCDEFGH"[depth] if role == "heading" else "-"
        if n == 3:
            return "-" if role == "leaf" else "+"
        if n == 4:
            return f"{position + 1}."
        if n == 5:
            return f"{'I' * (depth + 1)}.{position + 1}" if role == "heading" else "*"
        if n == 6:
            return "•" if role == "leaf" else ("I", "II", "III", "IV")[depth % 4]
        if n == 7:
            return f"({position + 1})" if role == "leaf" else f"{depth + 1})"
        if n == 8:
            return f"1.{position + 1}"
        return ("a)", "b)", "c)")[position % 3] if role == "leaf" else f"{depth + 1}.1"

    draft = Draft(made)
    for position, row in enumerate(rows):
        if row.role != "total":
            draft.put(B01, f"A{row.number}", sign(position, row.role, row.depth))
    return draft


def _total_row(made: Base) -> int:
    return made.row("")


@defect("m29-totals", "29")
def _(n: int, rng: random.Random) -> Draft:
    """The total under another name, at the top, or at both ends."""
    made = base(n)
    label = ("Tổng cộng", "Cộng", "TỔNG SỐ", "Cộng:", "Tổng số", "TỔNG CỘNG:", "CỘNG", "Tổng", "Tổng cộng", "Tổng số")[
        n
    ]
    total = _total_row(made)
    first = made.plans["B01"].rows[0].number

    def edit(book: Book) -> None:
        sheet = book[B01]
        sheet.put(f"{'AB'[n % 2]}{total}", label)
        if n % 2 == 0:
            sheet.put(f"B{total}", None)
        if n < 4:
            return
        sheet.insert_rows(first, 1)
        for column in range(1, 21):
            below = sheet[join(total + 1, column)]
            if below.formula:
                sheet.put(join(first, column), None, formula=below.formula)
            elif below.value is not None:
                sheet.put(join(first, column), below.value)
        if n >= 7:  # at the top only
            for column in range(1, 21):
                sheet.put(join(total + 1, column), None)

    return Draft(made).edit(edit)


def _double(made: Base, code: str, key: str) -> tuple[str, str]:
    """Cell of a heading and a formula that adds up every row under it, headings and all."""
    rows = made.plans["B01"].rows
    start = next(i for i, r in enumerate(rows) if r.code == code and r.role != "empty") if code else -1
    depth = rows[start].depth if code else -1
    end = start + 1
    while end < len(rows) and rows[end].role != "total" and rows[end].depth > depth:
        end += 1
    letter = LAYOUT.sheet("B01").column(key).letter
    return made.at(code, key), f"SUM({letter}{rows[start + 1].number}:{letter}{rows[end - 1].number})"


_SUMMED = ("disb_nstw", "accepted_volume", "plan_nstw", "forecast", "disb_completed")


@defect("m30-everything-added-up", "30")
def _(n: int, rng: random.Random) -> Draft:
    """A total or heading that adds its headings, too, and so counts every figure twice or more."""
    made = base(n)
    key = _SUMMED[n % 5]
    code = ""
    if n % 2:  # a programme with a project between it and its lines
        code = next(h for h in made.headings() if "-" not in h and made.plans["B01"].row(h).number)
    ref, formula = _double(made, code, key)
    return Draft(made).put(B01, ref, None, formula=formula).expect("CK04", "error", B01, ref)


@defect("ck04-heading-typed-over", "CK04")
def _(n: int, rng: random.Random) -> Draft:
    """A number typed over a heading's sum; the sums over it follow and are not blamed."""
    made = base(n)
    key = _SUMMED[n % 5]
    code = (*made.parents(made.targets[0]), *made.parents(made.targets[-1]))[n % 4]
    ref = made.at(code, key)
    value = made.plans["B01"].row(code).cells[key].value
    assert isinstance(value, int)
    wrong = value + (10_000_000, -25_000_000, 1_000_000)[n % 3]
    return Draft(made).put(B01, ref, trieu(wrong)).expect("CK04", "error", B01, ref)


@defect("ck04-rounded-sums", "CK04")
def _(n: int, rng: random.Random) -> Draft:
    """Just inside: sums of rounded figures, off by less than half of the last digit shown times the lines."""
    made = base(n)
    for code in made.targets:
        made = uneven(made, code)
    count = len(made.content.lines)
    ref = made.at("", "accepted_volume")
    value = made.plans["B01"].row("").cells["accepted_volume"].value
    assert isinstance(value, int)
    off = 500 * count if n % 2 else -500 * count
    return Draft(made).put(B01, ref, trieu(value + off))


@defect("ck04-sum-just-outside", "CK04")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    count = len(made.content.lines)
    ref = made.at("", ("accepted_volume", "forecast")[n % 2])
    value = made.plans["B01"].row("").cells[("accepted_volume", "forecast")[n % 2]].value
    assert isinstance(value, int)
    off = (500 * count + 1) * (1 if n % 3 else -1)
    return Draft(made).put(B01, ref, trieu(value + off)).expect("CK04", "error", B01, ref)


@defect("ck04-roadmap-total", "CK04")
def _(n: int, rng: random.Random) -> Draft:
    made = base((0, 2, 7, 9)[n % 4])
    key = ("planned_close", "planned_m12", "planned_m11", "planned_m10")[n // 4]
    ref = made.at("", key, "B05")
    value = made.plans["B05"].row("").cells[key].value
    assert isinstance(value, int)
    return Draft(made).put(B05, ref, trieu(value + 7_000_000)).expect("CK04", "error", B05, ref)


_RENAMED = (
    (B01, "L9", "Đã chi trong năm"),
    (B01, "Q8", "Chỉ số"),
    (B02, "I9", "Số cộng dồn"),
    (B04, "G8", "Nơi nhận kiến nghị"),
    (B05, "P9", "Hết niên độ"),
    (B03, "L8", "Đánh giá"),
    (B01, "C8", "Ký hiệu dòng"),
    (B02, "G9", "Chỉ tiêu giao"),
    (B01, "S8", "Dự kiến"),
    (B03, "I9", "Mức độ"),
)


@defect("m31-header-renamed", "31")
def _(n: int, rng: random.Random) -> Draft:
    sheet, ref, text = _RENAMED[n]
    made = with_tasks(n) if sheet == B03 else base(0 if sheet in (B04, B05) else n)
    return Draft(made).put(sheet, ref, text).expect("M31", "error", sheet, ref)


@defect("m31-column-added", "31")
def _(n: int, rng: random.Random) -> Draft:
    """A column of the commune's own: nobody knows what it is."""
    sheet, at = ((B01, 20), (B02, 6), (B04, 5), (B05, 17), (B01, 17))[n % 5]
    title = ("Chủ đầu tư", "Tổ thực hiện", "Ngày gửi", "Đề xuất của thôn", "Mã dự toán")[(n + n // 5) % 5]

    def add(book: Book) -> None:
        book[sheet].insert_columns(at, 1)
        book[sheet].put(join(8, at), title)
        book[sheet].merged = [*book[sheet].merged, f"{join(8, at)}:{join(9, at)}"]
        if n % 2:
            book[sheet].put(join(11, at), "Ban quản lý")

    ref = join(8, at)
    return Draft(base(n if sheet != B04 else 0)).edit(add).expect("M31", "error", sheet, ref)


@defect("m31-column-deleted", "31")
def _(n: int, rng: random.Random) -> Draft:
    """One finding for the column that is gone, none for the cells that went with it."""
    form, key = (
        ("B01", "disb_advance"),
        ("B01", "accepted_volume"),
        ("B01", "note"),
        ("B02", "target_year"),
        ("B04", "cause"),
        ("B01", "forecast"),
        ("B02", "forecast"),
        ("B04", "addressee"),
        ("B01", "disb_carry"),
        ("B02", "note"),
    )[n]
    column, sheet = LAYOUT.sheet(form).column(key), SHEETS[form]
    made = base(0 if form == "B04" else n)

    def cut(book: Book) -> None:
        book[sheet].values_only()
        book[sheet].delete_column(column.no)

    places: list[tuple[str | None, str | None]] = [(sheet, None)]
    places += [(sheet, join(row, c)) for row in (8, 9) for c in range(1, _WIDTH[sheet] + 1)]
    return Draft(made).edit(cut).expect("M31", "error", sheet, f"{column.letter}8", places)


@defect("m31-header-blank", "31")
def _(n: int, rng: random.Random) -> Draft:
    """A column whose header was emptied."""
    sheet, ref = ((B01, "L9"), (B02, "I9"), (B04, "E8"), (B05, "O9"), (B01, "R8"))[n % 5]
    made = base(0 if sheet in (B04, B05) else n)
    places: list[tuple[str | None, str | None]] = [(sheet, None), (sheet, "A8")]
    return Draft(made).put(sheet, ref, None).expect("M31", "error", sheet, ref, places)


@defect("m31-columns-in-another-order", "31")
def _(n: int, rng: random.Random) -> Draft:
    """Two whole columns changed places, headers and all."""
    sheet, left, right = (
        (B01, 18, 19),
        (B02, 6, 7),
        (B04, 5, 6),
        (B05, 16, 17),
        (B01, 1, 2),
        (B02, 13, 14),
        (B04, 8, 9),
        (B01, 15, 14),
        (B02, 3, 4),
        (B01, 19, 20),
    )[n]

    def swap(book: Book) -> None:
        target, columns = book[sheet], LAYOUT.sheet(sheet).columns
        target.values_only()
        last = made.plans[next(f for f, s in SHEETS.items() if s == sheet)].last_row
        for row in range(8, last + 1):
            a, b = target.cells.get((row, left), Cell()), target.cells.get((row, right), Cell())
            target.cells[row, left], target.cells[row, right] = b, a
        # A group that is torn apart says its title over each of its columns.
        target.merged = [m for m in target.merged if split(m.split(":")[0])[0] not in (8, 9)]
        places = {left: right, right: left}
        for column in columns:
            if column.header_2:
                target.put(join(8, places.get(column.no, column.no)), column.header_1)

    made = base(0 if sheet in (B04, B05) else n)
    return Draft(made).edit(swap)


@defect("m31-rows-in-another-order", "31")
def _(n: int, rng: random.Random) -> Draft:
    """Rows sorted anew: the code says what a row is."""
    if n < 4:
        made = base(n)
        rows = made.leaf_rows("B02")
        pairs = [(B02, rows[0], rows[-1]), (B02, rows[1], rows[2])]
    elif n < 8:
        made = base(n)
        rows = made.leaf_rows("B01")
        pairs = [(B01, rows[0], rows[-1])]
    else:
        made = with_tasks(n)
        rows = made.leaf_rows("B03")
        pairs = [(B03, rows[0], rows[2])]

    def swap(book: Book) -> None:
        for sheet, one, other in pairs:
            book[sheet].values_only()  # sorting tears the ranges of sums apart
            book[sheet].swap_rows(one, other)

    return Draft(made).edit(swap)


@defect("m31-blank-rows-inserted", "31")
def _(n: int, rng: random.Random) -> Draft:
    def insert(book: Book) -> None:
        for name in (B01, B02) if n % 2 else (B01, B05):
            book[name].insert_rows(12 + n % 3, 1 + n % 3)

    return Draft(base(n)).edit(insert)


@defect("ck10-unknown-code", "CK10")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    line = made.content.lines[n % len(made.content.lines)]
    code = (
        f"GNBV-DA99-{line.capital_kind}",
        f"{line.project_code}-TD",
        f"NTM-ND77-{line.capital_kind}",
        f"{line.project_code}X-{line.capital_kind}",
        "khác",
    )[n % 5]
    ref = made.at(line.line_code, "line_code")
    return Draft(made).put(B01, ref, code).expect("CK10", "error", B01, ref)


@defect("ck10-unknown-code-in-other-forms", "CK10")
def _(n: int, rng: random.Random) -> Draft:
    if n < 3:
        made = base(n)
        ref = f"B{made.leaf_rows('B02')[n]}"
        return Draft(made).put(B02, ref, f"CT-{91 + n}").expect("CK10", "error", B02, ref)
    if n < 5:
        made = base(n)
        ref = f"D{made.leaf_rows('B02')[n - 3]}"
        return Draft(made).put(B02, ref, f"DTTS-DA{88 + n}").expect("CK10", "error", B02, ref)
    if n < 7:
        made = with_tasks(n)
        return Draft(made).put(B03, "B12", "QS-2025-10-9.z").expect("CK10", "error", B03, "B12")
    made = base(n) if base(n).content.proposals else base(0)
    return (
        Draft(made)
        .put(B04, "C11", ("GNBV-DA99", "NTM-99", "Chương trình 135")[n - 7])
        .expect("CK10", "error", B04, "C11")
    )


@defect("ck10-code-twice", "CK10")
def _(n: int, rng: random.Random) -> Draft:
    if n < 7:
        made = base(n)
        lines = made.content.lines
        first, second = lines[0].line_code, lines[1 + n % (len(lines) - 1)].line_code
        ref = made.at(second, "line_code")
        return Draft(made).put(B01, ref, first).expect("CK10", "error", B01, ref)
    if n < 9:
        made = base(n)
        rows = made.leaf_rows("B02")
        ref = f"B{rows[-1]}"
        code = str(made.content.indicators[0]["indicator_code"])
        return Draft(made).put(B02, ref, code).expect("CK10", "error", B02, ref)
    made = with_tasks(n)
    code = str(made.content.tasks[0]["task_id"])
    return Draft(made).put(B03, "B14", code).expect("CK10", "error", B03, "B14")


@defect("ck10-row-without-code", "CK10")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    line = made.content.lines[n % len(made.content.lines)]
    ref = made.at(line.line_code, "line_code")
    blank: str | None = None if n % 3 else "  "
    return Draft(made).put(B01, ref, blank).expect("CK10", "error", B01, ref)


@defect("ck10-line-missing", "CK10")
def _(n: int, rng: random.Random) -> Draft:
    """A line that stands in Biểu 05 was deleted from Biểu 01."""
    made = base(n)
    code = next(x.line_code for x in made.content.lines if x.line_code not in made.targets[:1])
    gone = tuple(x for x in made.content.lines if x.line_code != code)
    rest = made.change(lines=gone)
    if n % 2:
        return Draft(rest).expect("CK10", "error", B01, None)
    row = made.row(code)  # cleared, the row stays

    def clear(book: Book) -> None:
        for column in range(1, 21):
            book[B01].put(join(row, column), None)

    return Draft(made).edit(clear).expect("CK10", "error", B01, None)


def _anywhere(sheet: str, row: int) -> list[tuple[str | None, str | None]]:
    return [(sheet, join(row, c)) for c in range(1, 21)]


@defect("m32-hidden-rows", "32")
def _(n: int, rng: random.Random) -> Draft:
    """Hidden, filtered or folded away: read all the same."""
    sheet, form = ((B01, "B01"), (B02, "B02"), (B05, "B05"))[n % 3]
    made = base(n) if form != "B05" else base((0, 2, 7, 9)[n % 4])
    rows = made.leaf_rows(form)
    hidden = rows[n % 2 : n % 2 + 1 + n % 3]

    def hide(book: Book) -> None:
        for row in hidden:
            folded = 'outlineLevel="1" hidden="1"' if n >= 7 else 'hidden="1"'
            book[sheet].row_attributes(row, folded)
        if 4 <= n < 7:
            last = join(rows[-1], _WIDTH[sheet])
            after = book[sheet].after
            protection = after.index("/>") + 2
            book[sheet].after = after[:protection] + f'<autoFilter ref="A10:{last}"/>' + after[protection:]

    return Draft(made).edit(hide).expect("M32", "warning", sheet, f"A{hidden[0]}", _anywhere(sheet, hidden[0]))


@defect("m32-hidden-columns", "32")
def _(n: int, rng: random.Random) -> Draft:
    sheet, column = ((B01, 8), (B01, 18), (B02, 7), (B01, 5), (B02, 10))[n % 5]
    made = base(n)

    def hide(book: Book) -> None:
        before = book[sheet].before
        start, end = before.index("<cols>"), before.index("</cols>")
        cols = "".join(
            f'<col min="{c}" max="{c}" width="12"'
            + (' hidden="1"' if c == column or (n > 6 and c == column + 1) else "")
            + ' customWidth="1"/>'
            for c in range(1, _WIDTH[sheet] + 1)
        )
        book[sheet].before = before[:start] + "<cols>" + cols + before[end:]
        book[sheet].touched = True

    places: list[tuple[str | None, str | None]] = [(sheet, join(r, column)) for r in range(1, 60)]
    return Draft(made).edit(hide).expect("M32", "warning", sheet, join(8, column), places)


@defect("m32-hidden-sheet", "32")
def _(n: int, rng: random.Random) -> Draft:
    """Another hidden sheet is left alone, and said to be."""
    title = ("Tháng trước", "Nháp", "DM", "B01 cũ", "Sheet2")[n % 5]

    def add(book: Book) -> None:
        like = book[B01] if n % 2 else None
        sheet = book.add(title, like, state="hidden" if n % 3 else "veryHidden")
        if like is None:
            sheet.put("A1", "số liệu tính thử")
            sheet.put("B2", 125)

    return Draft(base(n)).edit(add).expect("M32", "info", title, None)


@defect("m32-folded-out-or-empty", "32")
def _(n: int, rng: random.Random) -> Draft:
    """Groups that are open, and hidden rows and columns in which nothing stands."""

    def edit(book: Book) -> None:
        sheet = book[(B01, B02)[n % 2]]
        if n % 3 == 0:
            for row in (12, 13):
                sheet.row_attributes(row, 'outlineLevel="1"')
        elif n % 3 == 1:
            row = sheet.last_row + 5
            sheet.put(f"A{row}", None)
            sheet.row_attributes(row, 'hidden="1"')
        else:
            sheet.before = sheet.before.replace("</cols>", '<col min="30" max="16384" width="9" hidden="1"/></cols>')
            sheet.touched = True

    return Draft(base(n)).edit(edit)


@defect("m33-extra-sheets", "33")
def _(n: int, rng: random.Random) -> Draft:
    """Scratch sheets, an empty Sheet1, a cover letter, a chart's data: ignored."""
    title = ("Sheet1", "Nháp", "Tính toán", "Bìa", "Phụ lục khác", "Sheet2", "TH", "Ghi chép", "Danh mục", "Biểu đồ")[n]

    def add(book: Book) -> None:
        sheet = book.add(title, first=n % 3 == 0)
        if n % 4 == 0:
            return
        sheet.put("A1", "STT")
        sheet.put("B1", "Nội dung")
        sheet.put("C1", "Số tiền")
        for row in range(2, 5 + n):
            sheet.put(f"A{row}", row - 1)
            sheet.put(f"B{row}", f"Khoản chi {row}")
            sheet.put(f"C{row}", Decimal(row) * 3)
        sheet.put(f"C{6 + n}", None, formula=f"SUM(C2:C{4 + n})")

    return Draft(base(n)).edit(add)


@defect("m33-two-candidates", "33")
def _(n: int, rng: random.Random) -> Draft:
    """A copy of a form beside it: which one counts?"""
    name = ALL[n % 5]
    title = (f"{name} (2)", "Bản sửa", "Lần 2")[n % 3]

    def copy(book: Book) -> None:
        book.add(title, book[name])

    return Draft(base(n)).edit(copy).expect("M33", "error", title, None, [(title, "A8")])


@defect("m33-sheets-reordered-and-renamed", "33")
def _(n: int, rng: random.Random) -> Draft:
    """A form is known by its headers, whatever its tab is called and wherever it stands."""
    titles = {B01: "Biểu 01", B02: "BIEU 2", B03: "Sheet3", B04: "Kiến nghị", B05: "lộ trình"}

    def edit(book: Book) -> None:
        if n % 2:
            for name in ALL[: 1 + n // 2]:
                book.rename(name, titles[name])
        order = [s.name for s in book.sheets]
        if n % 3 != 1:
            random.Random(n).shuffle(order)
            book.reorder(order)

    return Draft(base(n)).edit(edit)


@defect("ck34-sheet-missing", "CK34")
def _(n: int, rng: random.Random) -> Draft:
    gone = (B02,), (B03,), (B04,), (B05,), (B01,), (B02, B04), (B03, B05), (B04,), (B02, B03, B04), (B05,)

    def remove(book: Book) -> None:
        for name in gone[n]:
            book.remove(name)

    draft = Draft(base(n)).edit(remove)
    for name in gone[n]:
        draft.expect("CK34", "error", name, None)
    return draft


@defect("m34-under-the-table", "34")
def _(n: int, rng: random.Random) -> Draft:
    """Notes, recipients, other signatures, a second table: none of it is data."""
    made = base(n)

    def edit(book: Book) -> None:
        sheet = book[B01]
        end = sheet.last_row + 2
        if n in (0, 5):
            for line, text in enumerate(("Nơi nhận:", "- UBND tỉnh;", "- Sở Tài chính;", "- Lưu: VT."), end):
                sheet.put(f"A{line}", text)
        elif n in (1, 6):
            sheet.put(f"B{end}", "Ghi chú: số liệu cột (11) gồm cả vốn kéo dài.")
            sheet.put(f"D{end + 1}", Decimal("12.5"))
        elif n in (2, 7):
            sheet.put(f"A{end}", "STT")
            sheet.put(f"B{end}", "Tên công trình")
            sheet.put(f"D{end}", "Tổng mức đầu tư")
            for row in range(end + 1, end + 4):
                sheet.put(f"A{row}", row - end)
                sheet.put(f"B{row}", f"Đường thôn {row - end}")
                sheet.put(f"D{row}", Decimal(900 + row))
        elif n in (3, 8):
            sheet.put(f"B{end}", "KẾ TOÁN TRƯỞNG")
            sheet.put(f"F{end}", "KT. CHỦ TỊCH")
            sheet.put(f"F{end + 1}", "PHÓ CHỦ TỊCH")
        else:
            for name in ALL:  # no signatures at all
                own = book[name]
                last = made.plans[next(f for f, s in SHEETS.items() if s == name)].last_row + (6 if name == B01 else 1)
                for position in [p for p in own.cells if p[0] > last]:
                    own.cells[position] = replace(own.cells[position], value=None)
                own.touched = True

    return Draft(made).edit(edit)


@defect("m34-right-under-the-last-row", "34")
def _(n: int, rng: random.Random) -> Draft:
    """A note in the very next row of a form without a total."""
    made = base(n)
    texts = (
        "Ghi chú: chỉ tiêu tính theo quý.",
        "(*) Số liệu sơ bộ.",
        "Nơi nhận: Sở Nông nghiệp và Môi trường.",
        "Người lập biểu: Nông Thị Hoa",
        "Chi tiết xem phụ lục kèm theo.",
    )
    last = made.leaf_rows("B02")[-1]
    return Draft(made).put(B02, f"A{last + 1}", texts[n % 5])


@defect("m47-form-without-rows", "47")
def _(n: int, rng: random.Random) -> Draft:
    """Nothing in the form and no tick: forgotten, or nothing to report?"""
    made = base(n)
    form = ("B01", "B02", "B03", "B04")[n % 4]
    severity = "error" if form in ("B01", "B02") else "warning"
    made = made.change(lines=()) if form == "B01" else made.with_rows(form, ())
    made = made.change(nothing_to_report=made.content.nothing_to_report - {form})
    return Draft(made).expect("M47", severity, SHEETS[form], None)


@defect("m47-nothing-to-report-ticked", "47")
def _(n: int, rng: random.Random) -> Draft:
    """Ticked in any of the usual ways; blank figures of a ticked form are declared zeros."""
    made = base(n)
    mark = ("x", "X", "x ", "v", "✓", "có", "☑", "Có", "V", "x")[n]
    if n % 2:
        made = made.with_rows("B04", ()).change(nothing_to_report=made.content.nothing_to_report | {"B04"})
        return Draft(made).put(B04, "C7", mark)
    draft = Draft(made).put(B02, "C7", mark)
    for position, row in enumerate(made.content.indicators):
        code = str(row["indicator_code"])
        draft.put(B02, f"I{11 + position}", None).fact("B02", code, "actual_ytd", Decimal(0))
        draft.put(B02, f"H{11 + position}", None).fact("B02", code, "actual_period", Decimal(0))
        draft.put(B02, f"N{11 + position}", "Không phát sinh").fact("B02", code, "note", "Không phát sinh")
    return draft
