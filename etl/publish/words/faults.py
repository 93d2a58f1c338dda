"""What can be wrong with a sentence: told in Vietnamese with its place and how to mend it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from etl.publish.text import direction
from etl.publish.words.template import KINDS, Entry, Piece, Place, Template, parse


@dataclass(frozen=True)
class Fault:
    """``told``: what is wrong; ``fix``: what to do about it."""

    file: str
    key: str
    variant: str
    told: str
    fix: str

    def as_text(self) -> str:
        where = ", ".join(
            part
            for part in (
                self.file,
                f"câu {self.key}" if self.key else "",
                f"trường hợp {self.variant}" if self.variant else "",
            )
            if part
        )
        return f"{where}: {self.told}. Cách sửa: {self.fix}."

    def as_json(self) -> dict[str, str]:
        return {
            "file": self.file,
            "key": self.key,
            "variant": self.variant,
            "message": self.told,
            "fix": self.fix,
        }


_UP, _DOWN = ("up", "more"), ("down", "less")
_DIGITS = re.compile(r"\d[\d.,/]*")
# A unit that is typed behind a place: the place has its own, or is no amount at all.
_TYPED_UNIT = re.compile(r"\s*(?:(?:nghìn|ngàn|triệu|tỷ|tỉ|đồng|phần trăm)(?!\w)|điểm (?:%|phần)|[%‰])", re.IGNORECASE)
_TYPED_DAYS = re.compile(r"\s*ngày(?!\w)", re.IGNORECASE)
_NUMBERS = ("tiền", "tỷ lệ", "chênh lệch", "số ngày", "số đếm")


def of_text(entry: Entry, variant: str, text: object) -> list[Fault]:
    """Every fault of a wording of ``entry``, held against the program's own."""
    return [Fault(entry.file, entry.key, variant, told, fix) for told, fix in _told(entry, variant, text)]


def _told(entry: Entry, variant: str, text: object) -> Iterator[tuple[str, str]]:
    own = entry.texts[variant]
    if not isinstance(text, str):
        yield "không phải là một câu chữ", 'đặt câu trong dấu ngoặc kép "…"'
        return
    if not text.strip():
        yield "câu để trống", "viết câu, hoặc bỏ dòng này để dùng câu của chương trình"
        return
    yield from _characters(own, text)
    template = parse(text)
    for told in template.broken:
        yield told, "mỗi chỗ trống viết trong một cặp ngoặc nhọn, ví dụ {n} hoặc {rate:%}"
    for place in template.places:
        yield from _place(entry, variant, place)
    said = {place.name for place in template.places}
    for name in entry.must:
        if name in entry.allowed(variant) and name not in said:
            yield (
                f"thiếu chỗ trống {{{name}}}, là số liệu bắt buộc phải nêu trong câu này",
                f"thêm {_written(own, name)} vào câu",
            )
    yield from _digits(own, template)
    yield from _around(entry, template)
    if variant in (*_UP, *_DOWN):
        yield from _way(entry, variant, template)


def _characters(own: str, text: str) -> Iterator[tuple[str, str]]:
    if not unicodedata.is_normalized("NFC", text):
        yield "chữ Việt viết bằng dấu rời (Unicode tổ hợp)", "gõ lại câu bằng bộ gõ đặt ở bảng mã Unicode dựng sẵn"
    strange = sorted(
        {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp") and c not in own}
    )
    if strange:
        told = ", ".join(f"U+{ord(c):04X}" for c in strange)
        yield f"có ký tự không in được ({told})", "xóa ký tự đó; viết cả câu trên một dòng, trong dấu ngoặc kép"
    if text != text.strip():
        yield "thừa dấu cách ở đầu hoặc cuối câu", "xóa dấu cách thừa"


def _place(entry: Entry, variant: str, place: Place) -> Iterator[tuple[str, str]]:
    allowed = entry.allowed(variant)
    shown = f"{{{place.name}:{place.unit}}}" if place.unit else f"{{{place.name}}}"
    if place.name not in allowed or place.name not in entry.kinds:
        usable = ", ".join(_written(entry.texts[variant], name) for name in sorted(allowed)) or "không có"
        yield f"{shown} không dùng được trong trường hợp này", f"các chỗ trống dùng được: {usable}"
        return
    kind = entry.kinds[place.name]
    units = KINDS[kind].units
    if place.unit in units:
        return
    choices = ", ".join(f"{{{place.name}:{unit}}}" if unit else f"{{{place.name}}}" for unit in units)
    if not place.unit:
        yield f"{shown} là {kind} nên phải ghi đơn vị", f"viết {choices}"
    elif any(place.unit in other.units for other in KINDS.values()):
        yield f"{shown}: “{place.unit}” không hợp với số liệu này, vốn là {kind}", f"viết {choices}"
    else:
        yield f"{shown}: không có đơn vị, cách viết nào tên là “{place.unit}”", f"viết {choices}"


def _written(own: str, name: str) -> str:
    """The place as the program's own wording has it."""
    units = [place.unit for place in parse(own).places if place.name == name]
    return f"{{{name}:{units[0]}}}" if units and units[0] else f"{{{name}}}"


def _digits(own: str, template: Template) -> Iterator[tuple[str, str]]:
    """No number may be typed into a sentence (law 8) but those of its fixed wording: 100 %, Bảng 5."""
    fixed = [found for words in parse(own).words for found in _numbers(words)]
    for words in template.words:
        for found in _numbers(words):
            if found in fixed:
                fixed.remove(found)
            else:
                told = f"có số “{found}” viết sẵn trong câu; mọi con số phải lấy từ bảng số liệu"
                yield told, "bỏ con số này hoặc thay bằng chỗ trống của câu"


def _numbers(words: str) -> list[str]:
    others = [c for c in words if c.isnumeric() and not c.isdecimal()]
    return [found.rstrip(".,/") for found in _DIGITS.findall(words)] + others


def _around(entry: Entry, template: Template) -> Iterator[tuple[str, str]]:
    """Words beside a place that would say its unit twice, or give it one that it does not have."""
    pieces: tuple[Piece, ...] = template.pieces
    for number, place in enumerate(pieces):
        if not isinstance(place, Place) or place.name not in entry.kinds:
            continue
        kind = entry.kinds[place.name]
        before = pieces[number - 1] if number else ""
        after = pieces[number + 1] if number + 1 < len(pieces) else ""
        typed = _TYPED_UNIT.match(after) if isinstance(after, str) and kind in _NUMBERS else None
        if typed is None and isinstance(after, str) and kind in _NUMBERS:
            typed = _TYPED_DAYS.match(after)
        if typed:
            told = f"sau {{{place.name}}} có chữ “{typed[0].strip()}”; đơn vị do chương trình ghi, không viết thêm"
            yield told, "bỏ chữ đó; muốn đổi đơn vị thì sửa phần sau dấu hai chấm của chỗ trống"
        if isinstance(before, str):
            last = before.rstrip().rsplit(" ", 1)[-1].strip("(“").lower()
            if (last == "ngày" and kind == "ngày" and place.unit == "đầy đủ") or (last == "tháng" and kind == "kỳ"):
                yield f"chữ “{last}” đứng trước {{{place.name}}} sẽ bị lặp", "bỏ chữ đó; chỗ trống đã in cả chữ này"


def _way(entry: Entry, variant: str, template: Template) -> Iterator[tuple[str, str]]:
    """A number without its sign follows a word that says which way."""
    for number, place in enumerate(template.pieces):
        if not isinstance(place, Place) or entry.kinds.get(place.name) not in ("chênh lệch", "tiền"):
            continue
        before = template.pieces[number - 1] if number else ""
        wanted, names = (1, "tăng, cao hơn") if variant in _UP else (-1, "giảm, thấp hơn")
        if not isinstance(before, str) or direction(before) != wanted:
            told = f"trước {{{place.name}:{place.unit}}} phải có chữ cho biết chiều của chênh lệch ({names})"
            yield told, f"viết một trong các chữ đó ngay trước {{{place.name}:{place.unit}}}"
