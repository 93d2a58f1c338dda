"""Forms that an office typed anew from their printed look: other words in the head, other rows in the table.

Cases 5, 16 to 18, 21, 24, 29, 31, 34 and 45. Most say the same as the official form: not one finding is right.
"""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

from tests.corpus.base import B01, B02, B03, B04, B05, base
from tests.corpus.dates import with_tasks
from tests.corpus.draft import Draft, defect
from tests.corpus.package import Book, Sheet, join
from tests.corpus.texts import ALL

_TITLE, _PERIOD, _AS_OF = "A3", "A4", "A5"


@defect("m45-ways-of-saying-the-month", "45")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    month, year = made.content.period.month, made.content.period.year
    text = (
        f"Kỳ báo cáo: tháng {month}, năm {year}",
        f"Kỳ báo cáo: tháng {month} - {year}",
        f"Kỳ báo cáo: T{month}/{year}",
        f"Tháng báo cáo: {month:02}/{year}",
        f"(Kỳ BC: tháng {month:02}.{year})",
        f"KỲ BÁO CÁO: {month:02}-{year}",
        f"Báo cáo tháng {month} năm {year} (kèm theo Công văn ngày 05 tháng {month % 12 + 1} năm {year})",
        f"Quan Sơn, ngày 02 tháng {month % 12 + 1} năm {year}",  # the month stands in the title
        f"Kỳ báo cáo tháng {month:02} năm {year}",
        "Kỳ báo cáo",  # the month stands beside it
    )[n]
    draft = Draft(made)
    for sheet in ALL:
        draft.put(sheet, _PERIOD, text)
        if n == 7:
            draft.put(sheet, _TITLE, f"BÁO CÁO THÁNG {month} NĂM {year}")
        if n == 9:
            draft.put(sheet, "C4", f"Tháng {month}/{year}")
    return draft


@defect("m45-ways-of-saying-the-day", "45")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    day = made.content.as_of
    text = (
        f"(Số liệu tính đến ngày {day:%d/%m/%Y})",
        f"Số liệu đến ngày {day:%d/%m/%Y}",
        f"Tính đến hết ngày {day:%d/%m/%Y}",
        f"Thời điểm chốt số liệu: {day:%d/%m/%Y}",
        f"Số liệu lũy kế đến ngày {day:%d/%m/%Y} (theo số liệu của KBNN)",
        f"Lũy kế từ đầu năm đến ngày {day.day} tháng {day.month} năm {day.year}",
        f"Số liệu luỹ kế đến hết {day:%d.%m.%Y}.",
        f"Tháng {day.month} năm {day.year}, số liệu lũy kế đến ngày {day:%d/%m/%Y}",
        "Số liệu lũy kế đến ngày",  # the day stands beside it
        f"Ngày chốt số liệu: {day:%d-%m-%Y}",
    )[n]
    draft = Draft(made)
    for sheet in ALL:
        draft.put(sheet, _AS_OF, text)
        if n == 8:
            draft.put(sheet, "D5", Decimal((day - date(1899, 12, 30)).days), formula="")
    return draft


@defect("m45-month-in-the-file-name", "45")
def _(n: int, rng: random.Random) -> Draft:
    """A file called after the month before, without its year."""
    made = base(n)
    wrong = (made.content.period.month + 10) % 12 + 1
    name = (f"BC tháng {wrong}.xlsx", f"Bao cao thang {wrong:02} lan 2.xlsx", f"Biểu MTQG tháng {wrong} (sửa).xlsx")[
        n % 3
    ]
    return Draft(made, name).expect("M45", "error", None, None, [(B01, _PERIOD)])


@defect("m17-other-offices-of-the-commune", "17")
def _(n: int, rng: random.Random) -> Draft:
    """The name in two lines of one cell, or that of another office of the commune, without the code."""
    made = base(n)
    name = made.content.commune.name_vi
    text = (
        f"ỦY BAN NHÂN DÂN\n{name.upper()}",
        f"HĐND - UBND {name.upper()}",
        f"ĐẢNG ỦY {name.upper()}",
        f"PHÒNG KINH TẾ {name.upper()}",
        f"Ban Chỉ đạo các CTMTQG {name}",
        f"UBND\n{name}",
        f"U.B.N.D {name.upper()}",
        f"BCĐ các chương trình MTQG {name}",
        f"UBND {name.upper()}\nPHÒNG KINH TẾ",
        f"{name.split()[0].capitalize()}: {name.split(' ', 1)[1]}",
    )[n]
    draft = Draft(made)
    for sheet in ALL:
        draft.put(sheet, "A1", text).put(sheet, "A2", None)
    return draft


_FORMER = (
    (3, "xã Hòa Bình", "huyện Văn Quan cũ"),
    (4, "xã Hoàng Văn Thụ", "huyện Bình Gia cũ"),
    (0, "thị trấn Chi Lăng", "huyện Chi Lăng trước đây"),
    (1, "xã Hữu Kiên", "huyện Chi Lăng cũ"),
    (9, "xã Bắc Xa", "huyện Đình Lập cũ"),
)


@defect("m18-former-district-called-so", "18")
def _(n: int, rng: random.Random) -> Draft:
    number, unit, district = _FORMER[n % 5]
    sheet = ALL[(n + n // 5) % 5]
    text = f"UBND {unit} ({district})" if n < 5 else f"UBND {unit.upper()}, {district.upper()}"
    return Draft(base(number)).put(sheet, "A1", text).expect("M18", "warning", sheet, "A1")


@defect("m05-short-units", "5")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    code = made.targets[0]
    made = made.with_line(code, accepted_volume=made.planned(code) // 1_000_000 * 1_000_000)
    whole = made.planned(code) // 1_000_000
    grouped = f"{whole:,}".replace(",", ".")
    text = (f"{whole} trđ", f"{whole} tr.đ", f"{whole}trđ", f"{grouped}.000 nghìn đồng", f"{grouped}.000.000đ")[n % 5]
    ref = made.at(code, "accepted_volume")
    return Draft(made).put(B01, ref, text).expect("M05", "warning", B01, ref)


@defect("m16-codes-with-vietnamese-letters", "16")
def _(n: int, rng: random.Random) -> Draft:
    """ĐT for DT, as *đầu tư* is abbreviated; an underscore for the hyphen."""
    made = base(n)
    change = (("D", "Đ"), ("-DT", "-ĐT"), ("-", "_"), ("D", "Ð"), ("-DA", "-ĐA"))[n % 5]
    draft = Draft(made)
    for form, sheet in (("B01", B01), ("B05", B05)):
        for row in made.plans[form].rows:
            if row.role in ("leaf", "heading"):
                draft.put(sheet, made.at(row.code, "line_code", form), row.code.replace(*change))
    return draft


@defect("m21-dates-as-programs-write-them", "21")
def _(n: int, rng: random.Random) -> Draft:
    made = with_tasks(n)
    code = made.plans["B03"].rows[0].code
    ref = made.at(code, "doc_date", "B03")
    text = ("2025-06-20", "2025-06-20 00:00:00", "20/06/2025 00:00:00", "20/6/2025.", "2025/06/20")[n % 5]
    draft = Draft(made).put(B03, ref, text).expect("M21", "info", B03, ref)
    return draft.fact("B03", code, "doc_date", date(2025, 6, 20))


def _copied(sheet: Sheet, source: int, target: int) -> None:
    for column in range(1, 21):
        cell = sheet[join(source, column)]
        if cell.value is not None and not cell.formula:
            sheet.put(join(target, column), cell.value)


@defect("m24-header-repeated-on-a-new-page", "24")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    form, name = (("B01", B01), ("B02", B02), ("B04", B04), ("B05", B05))[n % 4]
    rows = made.leaf_rows(form)
    at = rows[len(rows) // 2] if rows else made.plans[form].rows[0].number

    def edit(book: Book) -> None:
        sheet = book[name]
        sheet.insert_rows(at, 3)
        for line in range(3):
            _copied(sheet, 8 + line, at + line)

    return Draft(made).edit(edit)


@defect("m29-ways-of-naming-the-total", "29")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    label = (
        "Tổng số vốn",
        "Tổng cộng 3 chương trình",
        "TỔNG CỘNG CÁC CHƯƠNG TRÌNH",
        "TỔNG KẾ HOẠCH VỐN",
        "Toàn xã",
        "Tổng cộng (I+II+III)",
        "CỘNG TOÀN XÃ",
        "Tổng nguồn vốn",
        "Tổng cộng cả 3 chương trình",
        "Tổng = I + II + III",
    )[n]
    return Draft(made).put(B01, made.at("", "content_vi"), label)


@defect("m29-sums-over-a-part", "29")
def _(n: int, rng: random.Random) -> Draft:
    """A sum under the first programme, without a code: it repeats what its heading says."""
    made = base(n)
    label = ("Cộng I", "Cộng", "Cộng chương trình", "Tổng mục I", "Tổng cộng chương trình giảm nghèo")[n % 5]
    rows = made.plans["B01"].rows
    heads = [r for r in rows if r.role == "heading" and "-" not in r.code]
    first = heads[0]
    at = heads[1].number if len(heads) > 1 else rows[-1].number

    def edit(book: Book) -> None:
        sheet = book[B01]
        sheet.insert_rows(at, 1)
        sheet.put(f"B{at}", label)
        for column in range(4, 20):
            above = sheet[join(first.number, column)]
            if above.value not in (None, ""):
                sheet.put(join(at, column), above.value)

    return Draft(made).edit(edit)


@defect("m34-sentence-where-a-code-stands", "34")
def _(n: int, rng: random.Random) -> Draft:
    """A note under the table that begins in the second column, where Biểu 02 to 04 have their codes."""
    made = with_tasks(n)
    form, name = (("B02", B02), ("B03", B03), ("B04", B04))[n % 3]
    text = (
        "(1) Bao gồm cả vốn năm trước chuyển sang",
        "Người lập: Nông Thị Hoa, điện thoại 0912 345 678",
        "Số liệu do Phòng Kinh tế tổng hợp từ báo cáo của các thôn.",
    )[n // 3 % 3]
    last = max(made.leaf_rows(form), default=10)
    return Draft(made).put(name, f"B{last + 1}", text)


@defect("m31-row-without-its-code", "31")
def _(n: int, rng: random.Random) -> Draft:
    """One finding for the row, none for each of its blank cells."""
    made = with_tasks(n)
    form, name = (("B02", B02), ("B03", B03))[n % 2]
    last = made.leaf_rows(form)[-1] + 1
    draft = Draft(made).put(name, f"C{last}", "Nội dung phát sinh thêm").expect("CK10", "error", name, f"B{last}")
    return draft.put(name, f"A{last}", last - 10) if n > 4 else draft
