"""Cases 13 to 20: text, names and codes, and places that must agree on the commune."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

from etl.reference import province
from tests.corpus import encodings
from tests.corpus.base import B01, B02, B03, B04, B05, LAYOUT, LOW_RATE, WITH_TASKS, Base, base
from tests.corpus.draft import Draft, defect
from tests.corpus.package import Book, Sheet, join

ALL = (B01, B02, B03, B04, B05)


def texts(sheet: Sheet, chosen: Callable[[int, int], bool] = lambda r, c: True) -> list[tuple[tuple[int, int], str]]:
    """Positions and texts of a sheet, row by row; results of formulas are not among them."""
    return [
        (p, c.value)
        for p, c in sorted(sheet.cells.items())
        if isinstance(c.value, str) and c.value and not c.formula and chosen(*p)
    ]


def retyped(
    book: Book,
    names: tuple[str, ...],
    change: Callable[[str], str],
    chosen: Callable[[int, int], bool] = lambda r, c: True,
) -> None:
    for name in names:
        for position, text in texts(book[name], chosen):
            book[name].put(join(*position), change(text))


def _nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@defect("m13-decomposed-text", "13")
def _(n: int, rng: random.Random) -> Draft:
    """NFD, as a Mac writes it: everywhere, or in the headers or the body alone."""
    where = (lambda r, c: True, lambda r, c: r <= 10, lambda r, c: r > 10)[n % 3]
    names = ALL if n < 6 else (ALL[n % 5],)
    return Draft(base(n)).edit(lambda book: retyped(book, names, _nfd, where))


@defect("m14-tone-placement", "14")
def _(n: int, rng: random.Random) -> Draft:
    """hoà and hòa, luỹ and lũy: the same key; the text is kept as it was typed."""
    names = ALL if n % 2 else (ALL[n // 2],)
    draft = Draft(base(n)).edit(lambda book: retyped(book, names, encodings.other_tone_placement))
    forms = {s.form for s in LAYOUT.sheets if s.name in names}
    draft.fact_map = lambda key, value: (
        encodings.other_tone_placement(value) if isinstance(value, str) and key[0] in forms else value
    )
    return draft


def _latin_d(text: str) -> str:
    return text.replace("Đ", "Ð")


def _dashes(text: str) -> str:
    return text.replace("-", "–")


def _code_column(sheet: str) -> int:
    return {B01: 3, B02: 2, B03: 2, B04: 3, B05: 3}[sheet]


@defect("m16-look-alikes-in-headers", "16")
def _(n: int, rng: random.Random) -> Draft:
    """Ð for Đ, Cyrillic capitals, curly quotes, en dashes, no-break hyphens above the data."""
    change = (
        _latin_d,
        encodings.cyrillic,
        _dashes,
        lambda t: t.replace("-", "\u2011"),
        lambda t: _latin_d(encodings.cyrillic(t)),
    )[n % 5]
    names = ALL if n < 5 else (ALL[n % 5],)
    return Draft(base(n)).edit(lambda book: retyped(book, names, change, lambda r, c: r <= 10))


@defect("m16-look-alikes-in-codes", "16")
def _(n: int, rng: random.Random) -> Draft:
    change = (
        encodings.cyrillic,
        _dashes,
        lambda t: t.replace("-", "—"),
        lambda t: t.replace("-", "\u2011"),
        str.lower,
        lambda t: f" {t} ",
        lambda t: t.replace("-", " - "),
        lambda t: t.replace("-", "−"),
        lambda t: _dashes(encodings.cyrillic(t)),
        lambda t: f"\u00a0{t}\u200b",
    )[n]
    made = base(WITH_TASKS[0] if n % 4 == 1 else n)

    def edit(book: Book) -> None:
        for name in (B01, B02, B03, B05):
            retyped(book, (name,), change, lambda r, c, at=_code_column(name): r > 10 and c == at)  # type: ignore[misc]

    return Draft(made).edit(edit)


def legacy(book: Book, name: str, encode: Callable[[str], str], *, whole: bool, font: bool) -> str:
    """Text of a sheet into an old encoding; the first cell that was changed."""
    tcvn = encode is encodings.tcvn3
    small = book.new_style(font=".VnTime" if tcvn else "VNI-Times") if font else ""
    capitals = book.new_style(font=".VnTimeH" if tcvn else "VNI-Times") if font else ""
    first = ""
    for position, text in texts(book[name], lambda r, c: whole or r > 10):
        # A sentence with a toned capital in it cannot be written in TCVN3: it is left alone.
        needs = tcvn and encodings.needs_capital_font(text)
        if needs and position[0] > 10 and not text.isupper():
            continue
        coded = encode(text)
        if coded == text:
            continue
        ref = join(*position)
        first = first or ref
        book[name].put(ref, coded)
        if font:
            book[name].style(ref, capitals if needs else small)
    return first


def _legacy(n: int, encode: Callable[[str], str], *, whole: bool, font: bool) -> Draft:
    name = (B01, B04, B02, B05, B01)[n % 5]
    made = base(n)
    if name == B04 and not made.content.proposals:
        made = base(n + 1)
    if name == B01:
        code = made.content.lines[0].line_code
        made = made.with_line(code, note=LOW_RATE + ", chờ nghiệm thu khối lượng hoàn thành của nhà thầu")
    first = legacy(made.book(), name, encode, whole=whole, font=font)

    def edit(book: Book) -> None:
        legacy(book, name, encode, whole=whole, font=font)

    return Draft(made).edit(edit).expect("M15", "warning", name, first)


@defect("m15-tcvn3-in-the-body", "15")
def _(n: int, rng: random.Random) -> Draft:
    return _legacy(n, encodings.tcvn3, whole=False, font=True)


@defect("m15-tcvn3-without-its-font", "15")
def _(n: int, rng: random.Random) -> Draft:
    """Pasted as values: only the bytes tell."""
    return _legacy(n, encodings.tcvn3, whole=False, font=False)


@defect("m15-tcvn3-whole-sheet", "15")
def _(n: int, rng: random.Random) -> Draft:
    """The headers, too, must be found."""
    return _legacy(n, encodings.tcvn3, whole=True, font=n % 2 == 0)


@defect("m15-vni-in-the-body", "15")
def _(n: int, rng: random.Random) -> Draft:
    return _legacy(n, encodings.vni, whole=False, font=n % 2 == 0)


@defect("m15-vni-whole-sheet", "15")
def _(n: int, rng: random.Random) -> Draft:
    return _legacy(n, encodings.vni, whole=True, font=n % 2 == 0)


@defect("m15-unreadable-text", "15")
def _(n: int, rng: random.Random) -> Draft:
    """Letters that were lost on the way: no table brings them back."""
    lost = (
        "Gi\ufffdi ng\ufffdn th\ufffdp do v\ufffd\ufffdng m\ufffdc m\ufffdt b\ufffdng",
        "Ch\ufffda b\ufffdn giao \ufffd\ufffd\ufffdc m\ufffdt b\ufffdng thi c\ufffdng",
        "\ufffd\ufffd ngh\ufffd b\ufffd sung v\ufffdn \ufffd\ufffdi \ufffdng",
    )[n % 3]
    made = base(n)
    if n % 2 == 0 or not made.content.proposals:
        code = made.targets[0]
        ref = made.at(code, "note")
        return Draft(made).put(B01, ref, lost).expect("M15", "error", B01, ref)
    ref = ("D11", "F11", "E12")[n % 3]
    return Draft(made).put(B04, ref, lost).expect("M15", "error", B04, ref)


def _title(made: Base) -> tuple[str, str, str]:
    commune = made.content.commune
    return commune.name_vi, commune.short_name_vi, commune.kind


@defect("m17-ways-of-naming-the-commune", "17")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    name, short, kind = _title(made)
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)).replace("đ", "d")
    text = (
        f"UBND {name.lower()}",
        f"ỦY BAN NHÂN DÂN {name.upper()}",
        f"UBND {kind[0].upper()}. {short}",
        f"UBND {bare.replace('Đ', 'D')}",
        name,
        f"Uỷ ban nhân dân {kind} {short}",
        f"UBND {name.upper()}\nTỈNH LẠNG SƠN",
        f"Đơn vị báo cáo: UBND {kind} {short}",
        f"UBND  {kind}   {short} ",
        f"UBND {name.upper()} - TỈNH LẠNG SƠN",
    )[n]
    draft = Draft(made)
    for sheet in ALL:
        draft.put(sheet, "A1", text)
        if n % 2:
            draft.put(sheet, "A2", None)
    return draft


# Number of the base, former unit of its commune that only it has.
_FORMER = (
    (0, "Thị trấn Đồng Mỏ"),
    (1, "Xã Hữu Kiên"),
    (2, "Xã Khánh Xuân"),
    (3, "Xã Tú Xuyên"),
    (4, "Xã Mông Ân"),
    (5, "Xã Hoàng Đồng"),
    (6, "Xã Mai Sao"),
    (2, "Xã Hữu Khánh"),
    (8, "Xã Hưng Đạo"),
    (9, "Xã Bắc Xa"),
)


@defect("m18-former-unit", "18")
def _(n: int, rng: random.Random) -> Draft:
    number, former = _FORMER[n]
    sheet = ALL[n % 5]
    text = (f"UBND {former.upper()}", f"UBND {former.lower()}", f"Ủy ban nhân dân {former}")[n % 3]
    return Draft(base(number)).put(sheet, "A1", text).expect("M18", "warning", sheet, "A1")


_FORMER_WITH_DISTRICT = (
    (3, "xã Hòa Bình", "huyện Văn Quan"),
    (4, "xã Hoàng Văn Thụ", "huyện Bình Gia"),
    (0, "thị trấn Chi Lăng", "huyện Chi Lăng"),
    (1, "xã Hữu Kiên", "huyện Chi Lăng"),
    (9, "xã Bắc Xa", "huyện Đình Lập"),
)


@defect("m18-former-unit-with-its-district", "18")
def _(n: int, rng: random.Random) -> Draft:
    number, unit, district = _FORMER_WITH_DISTRICT[n % 5]
    sheet = ALL[(n + n // 5) % 5]
    text = f"UBND {unit.upper()}, {district.upper()}" if n < 5 else f"UBND {unit} - {district}"
    return Draft(base(number)).put(sheet, "A1", text).expect("M18", "warning", sheet, "A1")


_NOT_FOUND = (
    (3, "xã Hòa Bình"),  # four former communes, none of that name today
    (0, "xã Tân Hưng Long"),
    (9, "xã Bính Xá"),  # split between two present communes
    (1, "xã Bình Yên Hạ"),
    (4, "phường Minh Khai Đông"),
    (0, "huyện Chi Lăng"),  # a district, and districts are gone
    (2, "xã Hồng Thái"),
    (6, "thị trấn Nhân Lý Mới"),
    (5, "huyện Cao Lộc"),
    (8, "xã Đông Hưng Phú"),
)


@defect("m18-unit-not-found", "18")
def _(n: int, rng: random.Random) -> Draft:
    number, unit = _NOT_FOUND[n]
    sheet = ALL[n % 5]
    return Draft(base(number)).put(sheet, "A1", f"UBND {unit.upper()}").expect("M18", "error", sheet, "A1")


_COMMUNES = ("05977", "06517", "06463", "06253")


def _neighbour(made: Base, n: int) -> province.Commune:
    communes = province.load().communes
    code = next(c for c in (*_COMMUNES[n % 4 :], *_COMMUNES) if c != made.content.commune.code)
    return communes[code]


@defect("m19-file-named-after-another-commune", "19")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    other = _neighbour(made, n)
    name = made.file_name.replace(made.content.commune.code, other.code)
    return Draft(made, name).expect("M19", "error")


@defect("m19-one-sheet-of-another-commune", "19")
def _(n: int, rng: random.Random) -> Draft:
    """A sheet copied over from a neighbour's workbook: its code, its name, or both."""
    made = base(n)
    other = _neighbour(made, n)
    sheet = ALL[n % 5]
    draft = Draft(made)
    if n % 3 != 1:
        draft.put(sheet, "A1", f"UBND {other.name_vi.upper()}")
    if n % 3 != 0:
        draft.put(sheet, "A2", f"Mã đơn vị: {other.code}")
    cells = {0: ("A1",), 1: ("A2",), 2: ("A1", "A2")}[n % 3]
    return draft.expect("M19", "error", sheet, cells[0], [(sheet, c) for c in cells])


@defect("m19-whole-workbook-of-another-commune", "19")
def _(n: int, rng: random.Random) -> Draft:
    """The neighbour's workbook filled in; all sheets agree, the name of the file is one's own."""
    made = base(n)
    own = made.file_name
    return Draft(made.change(commune=_neighbour(made, n)), own).expect("M19", "error")


@defect("m19-copied-template", "19")
def _(n: int, rng: random.Random) -> Draft:
    """Handed out to a neighbour: the hidden sheet still says so, though all heads were typed over."""
    made = base(n)
    other = _neighbour(made, n)
    return (
        Draft(made)
        .put("_meta", "B3", other.code)
        .expect("M19", "error", None, None, [("_meta", "B3"), ("_meta", None)])
    )


@defect("m20-lost-leading-zero", "20")
def _(n: int, rng: random.Random) -> Draft:
    made = base(n)
    short = made.content.commune.code.lstrip("0")
    draft = Draft(made, made.file_name.replace(made.content.commune.code, short) if n % 2 else None)
    for sheet in ALL if n < 7 else ALL[: n - 5]:
        if n % 4 < 2:
            draft.put(sheet, "A2", f"Mã đơn vị: {short}")
        else:  # the code in a cell of its own, a number
            draft.put(sheet, "A2", "Mã đơn vị:").put(sheet, "B2", int(short))
    if n in (4, 6):
        draft.put("_meta", "B3", int(short))
    return draft
