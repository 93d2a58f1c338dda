"""Cases 21 to 23, 26 and 45: dates, deadlines, the period, and cells that repeat the one above."""

from __future__ import annotations

import random
from datetime import date

from etl.period import Period
from tests.corpus.base import B01, B02, B03, WITH_TASKS, Base, base, day
from tests.corpus.draft import Draft, defect
from tests.corpus.package import Book
from tests.corpus.texts import ALL

_DOCUMENT = date(2025, 10, 15)


def with_tasks(n: int) -> Base:
    return base(WITH_TASKS[n % 2])


def done(made: Base, position: int, on: date) -> Base:
    """A task that was finished on that day."""
    return made.with_row(
        "B03",
        position,
        status="Đã hoàn thành",
        done_date=on,
        result_doc="Báo cáo số 45/BC-UBND",
        progress="Đã hoàn thành, đã gửi báo cáo kết quả.",
    )


def _row(position: int) -> int:
    return 11 + position


@defect("m21-date-as-text", "21")
def _(n: int, rng: random.Random) -> Draft:
    """Day first, however it is written."""
    on = date(2025, 11, 5)
    text = (
        "05/11/2025",
        "5/11/2025",
        "ngày 05 tháng 11 năm 2025",
        "5.11.2025",
        "05-11-2025",
        "05/11/25",
        "5.11.25",
        "Ngày 5 tháng 11 năm 2025",
        " 05 / 11 / 2025 ",
        "05 tháng 11 năm 2025",
    )[n]
    position = n % 4
    if n % 3 == 2:  # the extension asked for
        made = with_tasks(0).with_row("B03", position + 1, extension_date=on.replace(year=2026))
        text = text.replace("2025", "2026").replace("/25", "/26").replace(".25", ".26")
        ref = f"N{_row(position + 1)}"
    else:
        made = done(with_tasks(0), position, on)
        ref = f"J{_row(position)}"
    return Draft(made).put(B03, ref, text).expect("M21", "info", B03, ref)


@defect("m21-day-and-month-changed-places", "21b")
def _(n: int, rng: random.Random) -> Draft:
    """A real date that cannot be (before the document, or after the report was due) while the swapped one can."""
    position = n % 4
    if n == 9:
        made = done(with_tasks(1), position, date(2025, 12, 10))  # October's report: 12/10 was meant
    else:
        made = done(with_tasks(0).with_row("B03", position, doc_date=_DOCUMENT), position, date(2025, n + 1, 11))
    ref = f"J{_row(position)}"
    return Draft(made).expect("M21", "warning", B03, ref)


@defect("m21-real-date-in-order", "21")
def _(n: int, rng: random.Random) -> Draft:
    """Dates whose swapped reading may be possible, too: the one in the file is sensible and stands."""
    position = n % 4
    on = (
        date(2025, 11, 10),
        date(2025, 11, 12),
        date(2025, 11, 3),
        date(2025, 11, 24),
        date(2025, 10, 31),
        date(2025, 11, 11),
        date(2025, 11, 28),
        date(2025, 10, 20),
        date(2025, 11, 6),
        date(2025, 11, 30),
    )[n]
    return Draft(done(with_tasks(0).with_row("B03", position, doc_date=_DOCUMENT), position, on))


@defect("m21-unreadable-date", "21c")
def _(n: int, rng: random.Random) -> Draft:
    text = (
        "cuối tháng",
        "31/02/2025",
        "13/13/2025",
        "2025",
        "tháng 10",
        "32/10/2025",
        "đã xong",
        "05/2025",
        "30/11",
        "ngày … tháng … năm 2025",
    )[n]
    position = n % 4
    ref = f"J{_row(position)}"
    return Draft(done(with_tasks(0), position, date(2025, 11, 5))).put(B03, ref, text).expect("M21", "error", B03, ref)


@defect("m22-deadline-phrases", "22")
def _(n: int, rng: random.Random) -> Draft:
    phrases = (
        "trong tháng 10/2025",
        "quý IV/2025",
        "trước 15/11",
        "cuối năm",
        "sớm",
        "thường xuyên",
        "trước ngày 15/11/2025",
        "hằng tháng",
        "ngay sau khi có hướng dẫn",
        "15/12/2025",
    )
    made = with_tasks(n)
    for position in range(len(made.content.tasks)):
        made = made.with_row("B03", position, deadline_text=phrases[(n + position) % 10])
    return Draft(made)


@defect("m23-epoch-of-1904", "23")
def _(n: int, rng: random.Random) -> Draft:
    """A workbook made on an old Mac: its day 0 is another, and all its dates are right."""
    made = with_tasks(n).with_row("B03", 1, doc_date=_DOCUMENT, extension_date=date(2026, 1, 5 + n))
    if n % 2 == 0:
        made = done(made, 2, date(2025, 11, 3 + n))

    def shift(book: Book) -> None:
        book.workbook_xml = book.workbook_xml.replace("<workbookPr ", '<workbookPr date1904="1" ')
        for row in made.plans["B03"].rows:
            for column in made.plans["B03"].sheet.columns:
                value = row.cells[column.key].value
                if isinstance(value, date):
                    book[B03].put(f"{column.letter}{row.number}", day(value) - 1462)

    return Draft(made).edit(shift)


@defect("m23-serial-number-as-text", "23")
def _(n: int, rng: random.Random) -> Draft:
    position = n % 4
    on = date(2025, 11, 1 + n * 2)
    if n % 3 == 2:
        made = with_tasks(0).with_row("B03", position + 1, extension_date=on.replace(year=2026))
        ref, on = f"N{_row(position + 1)}", on.replace(year=2026)
    else:
        made = done(with_tasks(0), position, on)
        ref = f"J{_row(position)}"
    text = f"{day(on):f}" if n % 2 else f" {day(on):f}"
    return Draft(made).put(B03, ref, text).expect("M23", "info", B03, ref)


def _with_repeated_project(n: int) -> tuple[Base, list[int]]:
    """A base in which several indicators of one project follow each other; positions of the later ones."""
    found = []
    for number in range(10):
        rows = base(number).content.indicators
        later = [i for i in range(1, len(rows)) if rows[i]["project_code"] == rows[i - 1]["project_code"]]
        if later:
            found.append((base(number), later))
    return found[n % len(found)]


@defect("m26-blank-repeats-the-cell-above", "26")
def _(n: int, rng: random.Random) -> Draft:
    if n < 6:
        made, later = _with_repeated_project(n)
        draft = Draft(made)
        for position in later:
            draft.put(B02, f"D{11 + position}", None)
        return draft.expect("M26", "warning", B02, f"D{11 + later[0]}")
    made = with_tasks(n)
    last = len(made.content.tasks)
    for position in range(last):
        made = made.with_row("B03", position, doc_no="123/TB-VP", doc_date=_DOCUMENT)
    draft = Draft(made)
    first = 1 + n % 3
    for position in range(first, last):
        draft.put(B03, f"C{_row(position)}", None)
        if n > 7:
            draft.put(B03, f"D{_row(position)}", None)
    return draft.expect("M26", "warning", B03, f"C{_row(first)}")


@defect("m45-file-named-after-another-month", "45")
def _(n: int, rng: random.Random) -> Draft:
    """Last month's workbook under this month's name, or the other way round."""
    made = base(n)
    period = made.content.period
    other = (period.previous, period.next, Period(period.year - 1, period.month))[n % 3]
    return Draft(made, made.file_name.replace(str(period), str(other))).expect(
        "M45", "error", None, None, [(B01, "A4")]
    )


@defect("m45-one-sheet-of-another-month", "45")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    sheet, before = ALL[n % 5], made.content.period.previous
    text = f"Kỳ báo cáo: {before.vi} (năm ngân sách {before.year})"
    if n > 6:
        text = f"Kỳ báo cáo: tháng {before.month:02d}/{before.year}"
    return Draft(made).put(sheet, "A4", text).expect("M45", "error", sheet, "A4")


@defect("m45-copied-template-of-last-month", "45")
def _(n: int, rng: random.Random) -> Draft:
    """The heads were typed over, the hidden sheet still says last month."""
    made = base(n)
    return (
        Draft(made)
        .put("_meta", "B4", str(made.content.period.previous))
        .expect("M45", "error", None, None, [("_meta", "B4"), ("_meta", None), (B01, "A4")])
    )


@defect("ck34-header-part-missing", "CK34")
def _(n: int, rng: random.Random) -> Draft:
    """The period, the cut-off date or the commune is not said on one sheet."""
    sheet = ALL[(n + n // 5) % 5]
    draft = Draft(base(n))
    for ref in (("A4",), ("A5",), ("A1", "A2"))[n % 3]:
        draft.put(sheet, ref, None)
    return draft.expect("CK34", "error", sheet, None)


@defect("ck35-other-cut-off-date", "CK35")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    sheet, as_of = ALL[n % 5], made.content.as_of
    wrong = (as_of.replace(day=25), as_of.replace(day=15), made.content.period.previous.last_day)[n % 3]
    text = f"Số liệu lũy kế đến ngày: {wrong:%d/%m/%Y}"
    return Draft(made).put(sheet, "A5", text).expect("CK35", "error", sheet, "A5")


@defect("m24-head-said-otherwise", "24")
def _(n: int, rng: random.Random) -> Draft:
    """Period and cut-off date in the other ways in which offices write them."""
    made = base(n)
    period, as_of = made.content.period, made.content.as_of
    spelled = f"ngày {as_of.day:02d} tháng {as_of.month:02d} năm {as_of.year}"
    period_texts = (
        f"Kỳ báo cáo: tháng {period.month}/{period.year}",
        f"KỲ BÁO CÁO: THÁNG {period.month} NĂM {period.year}",
        f"(Kỳ báo cáo: tháng {period.month:02d} năm {period.year})",
        f"Kỳ báo cáo tháng {period.month:02d}/{period.year}",
        f"Kỳ báo cáo:  tháng  {period.month}  năm  {period.year}",
    )
    as_of_texts = (
        f"Số liệu lũy kế đến ngày {as_of:%d/%m/%Y}",
        f"Số liệu luỹ kế đến hết ngày {as_of:%d/%m/%Y}",
        f"(Số liệu lũy kế đến {spelled})",
        f"SỐ LIỆU LŨY KẾ ĐẾN NGÀY: {as_of.day}/{as_of.month}/{as_of.year}",
        f"Lũy kế đến {spelled}",
    )
    draft = Draft(made)
    for sheet in ALL:
        if n != 9:
            draft.put(sheet, "A4", period_texts[n % 5])
        if n % 2 or n == 4:
            draft.put(sheet, "A5", as_of_texts[n % 5 if n < 9 else 0])
    return draft
