"""The files of the sentences: YAML read with every fault told, not only the first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from etl.publish.words.faults import Fault
from etl.publish.words.template import KINDS, Entry

FOLDER = Path(__file__).parent
RESERVED = ("about", "places", "must")
"""Keys of an entry that are no variants. In the office's files they may stand as copied; only the program's count."""
_DASH = " – "
_LARGEST = 1 << 20
Read = dict[str, dict[str, Any]]
"""File -> key -> what stands there."""


class _Loader(yaml.BaseLoader):
    """All scalars are texts (``no`` is a word and not false). Of a key that stands twice YAML keeps the last one and
    says nothing; this one tells."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.twice: list[tuple[str, int]] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for name, _ in node.value:
            if name.value in seen:
                self.twice.append((str(name.value), name.start_mark.line + 1))
            seen.add(str(name.value))
        return super().construct_mapping(node, deep=deep)


def read(folder: Path) -> tuple[Read, list[Fault]]:
    """The files of the folder as mappings, in the order of their names; a file that is none is a fault."""
    known = sorted(path.name for path in FOLDER.glob("*.yml"))
    content: Read = {}
    found: list[Fault] = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in (".yml", ".yaml")):
        if path.name not in known:
            told = f"tệp lạ, không câu nào trong đó được dùng; các tệp được dùng: {', '.join(known)}"
            found.append(Fault(path.name, "", "", told, "đổi tên tệp hoặc chuyển các câu sang một trong các tệp trên"))
            continue
        loaded, faults = _file(path)
        found += faults
        if loaded is not None:
            content[path.name] = loaded
    return content, found


def _file(path: Path) -> tuple[dict[str, Any] | None, list[Fault]]:
    data = path.read_bytes()
    if len(data) > _LARGEST:
        return None, [Fault(path.name, "", "", "tệp lớn hơn 1 MiB", "chỉ giữ các câu mẫu trong tệp này")]
    try:
        loader = _Loader(data.decode("utf-8-sig"))
        try:
            loaded = loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        told = f"không phải văn bản UTF-8 (byte thứ {error.start + 1})"
        return None, [Fault(path.name, "", "", told, "lưu lại tệp bằng bảng mã UTF-8")]
    except yaml.YAMLError as error:
        return None, [_no_yaml(path.name, error)]
    twice = [
        Fault(path.name, key, "", f"ghi hai lần (lần sau ở dòng {line}), lần trước bị bỏ", "bỏ bớt một lần")
        for key, line in loader.twice
    ]
    if loaded is None:
        return {}, twice
    if not isinstance(loaded, dict):
        told = "tệp phải gồm các mục “mã câu:” rồi thụt vào các trường hợp của câu"
        return None, [*twice, Fault(path.name, "", "", told, _AS_OTHERS)]
    return {str(key): value for key, value in loaded.items()}, twice


_AS_OTHERS = "viết theo mẫu của chương trình (lệnh tiendo words copy chép ra các tệp mẫu)"


def _no_yaml(file: str, error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    where = f" ở dòng {mark.line + 1}, cột {mark.column + 1}" if mark else ""
    told = f"sai cú pháp YAML{where}"
    fix = 'xem dòng đó và dòng trước: mỗi câu đặt trong một cặp dấu ngoặc kép "…", sau tên là dấu hai chấm và một dấu '
    return Fault(file, "", "", told, fix + "cách, thụt đầu dòng bằng dấu cách (không dùng phím Tab)")


def entries(content: Read) -> tuple[dict[str, Entry], list[Fault]]:
    """The sentences of the program, by key."""
    result: dict[str, Entry] = {}
    found: list[Fault] = []
    for file, keys in content.items():
        for key, value in keys.items():
            if key in result or not isinstance(value, dict) or not isinstance(value.get("about"), str):
                found.append(Fault(file, key, "", "mục trùng mã hoặc thiếu about", "sửa mục này"))
                continue
            kinds, meanings = {}, {}
            for name, told in (value.get("places") or {}).items():
                kinds[name], _, meanings[name] = str(told).partition(_DASH)
            entry = Entry(
                key, file, value["about"], kinds, meanings, tuple(value.get("must") or ()),
                {str(v): text for v, text in value.items() if v not in RESERVED},
            )  # fmt: skip
            result[key] = entry
            if not set(kinds.values()) <= KINDS.keys() or not set(entry.must) <= kinds.keys() or not entry.texts:
                found.append(Fault(file, key, "", "places, must hoặc các trường hợp không hợp lệ", "sửa mục này"))
    return result, found


def overrides(content: Read, known: Mapping[str, Entry]) -> tuple[dict[tuple[str, str], str], list[Fault]]:
    """(key, variant) -> the office's text, for those that the program knows; the others are faults."""
    result: dict[tuple[str, str], str] = {}
    found: list[Fault] = []
    for file, keys in content.items():
        for key, value in keys.items():
            entry = known.get(key)
            if entry is None:
                near = ", ".join(k for k, e in known.items() if e.file == file)
                found.append(Fault(file, key, "", "không có câu nào mang mã này", f"các mã của tệp: {near}"))
            elif entry.file != file:
                found.append(Fault(file, key, "", f"câu này thuộc tệp {entry.file}", f"chuyển sang tệp {entry.file}"))
            elif isinstance(value, str) and len(entry.texts) == 1:
                result[key, next(iter(entry.texts))] = value
            elif not isinstance(value, dict):
                variants = ", ".join(entry.texts)
                found.append(Fault(file, key, "", "phải gồm các trường hợp của câu", f"các trường hợp: {variants}"))
            else:
                for variant, text in value.items():
                    if variant in RESERVED:
                        continue
                    if str(variant) not in entry.texts:
                        told = "câu này không có trường hợp mang tên đó"
                        fix = f"các trường hợp: {', '.join(entry.texts)}"
                        found.append(Fault(file, key, str(variant), told, fix))
                    elif not isinstance(text, str):
                        told = "không phải là một câu chữ"
                        found.append(Fault(file, key, str(variant), told, 'đặt câu trong dấu ngoặc kép "…"'))
                    else:
                        result[key, str(variant)] = text
    return result, found
