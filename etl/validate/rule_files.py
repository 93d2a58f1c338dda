"""The rule files as they lie in ``expectations/``: read, and held against what the code can judge by.

What could not be read and what ``catalogue_check`` finds in the rest are told together, so that one look mends all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from etl.errors import CatalogueError
from etl.validate.catalogue_check import Fault, Files, faults, listed, shown
from etl.validate.declared import OTHER_SUITES, SUITES


@cache
def load(folder: Path) -> Files:
    """The files of the folder, sound. Raises CatalogueError that tells every fault of all of them."""
    content, found = _read(folder)
    found += faults(content)
    if found:
        lines = "\n".join(f"  {number}. {fault.as_text()}" for number, fault in enumerate(found, 1))
        raise CatalogueError(
            f"Danh mục quy tắc có {len(found)} chỗ sai nên chưa kiểm tra được gì; sửa các tệp trong {folder} "
            f"rồi chạy lại (nghĩa của các khóa: README.md cùng thư mục):\n{lines}"
        )
    return content


def _read(folder: Path) -> tuple[Files, list[Fault]]:
    """What could be read, in the order of the suites; a file that is missing, strange or no JSON is a fault."""
    wanted = (*SUITES, *OTHER_SUITES, "intake")
    content: Files = {}
    found: list[Fault] = []
    for path in sorted(folder.glob("*.json")):
        if path.stem not in wanted:
            told = f"tệp lạ, không quy tắc nào trong đó được dùng; các tệp được dùng: {listed(wanted)}"
            found.append(
                Fault(path.name, "", "", told, "chuyển các quy tắc sang một trong các tệp trên rồi bỏ tệp này")
            )
    for name in wanted:
        path = folder / f"{name}.json"
        if not path.is_file():
            found.append(Fault(path.name, "", "", "thiếu tệp", "lấy lại tệp này từ kho mã nguồn"))
            continue
        repeated: list[str] = []
        try:
            loaded = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once(repeated))
        except UnicodeDecodeError as error:
            told = f"không phải văn bản UTF-8 (byte thứ {error.start + 1})"
            found.append(Fault(path.name, "", "", told, "lưu lại tệp bằng bảng mã UTF-8"))
            continue
        except json.JSONDecodeError as error:
            found.append(_no_json(path.name, error))
            continue
        for key in repeated:
            told = "ghi hai lần trong cùng một đối tượng, lần trước bị bỏ"
            found.append(Fault(path.name, "", key, told, "bỏ bớt một lần hoặc đổi tên khóa"))
        if isinstance(loaded, dict):
            content[name] = loaded
        else:
            found.append(
                Fault(path.name, "", "", f"nội dung là {shown(loaded)}, phải là một đối tượng {{…}}", _AS_OTHERS)
            )
    return content, found


_AS_OTHERS = "viết theo mẫu của các tệp khác cùng thư mục"
_SYNTAX = {
    "Expecting value": "thiếu một giá trị, hoặc thừa dấu phẩy",
    "Expecting ',' delimiter": "thiếu dấu phẩy hoặc dấu đóng ngoặc",
    "Expecting ':' delimiter": "thiếu dấu hai chấm sau tên khóa",
    "Expecting property name enclosed in double quotes": "tên khóa phải nằm trong ngoặc kép, hoặc thừa dấu phẩy",
    "Unterminated string starting at": "chuỗi chưa đóng ngoặc kép",
    "Invalid control character at": "chuỗi bị ngắt dòng",
    "Invalid \\escape": "dấu \\ trong chuỗi phải viết là \\\\",
    "Extra data": "còn nội dung sau dấu } cuối cùng",
    "Illegal trailing comma before end of object": "thừa dấu phẩy trước dấu }",
    "Illegal trailing comma before end of array": "thừa dấu phẩy trước dấu ]",
}
"""What the JSON reader says, for people."""


def _no_json(file: str, error: json.JSONDecodeError) -> Fault:
    line = error.doc.splitlines()[error.lineno - 1 :][:1]
    near = f" (“{line[0].strip()[:60]}”)" if line and line[0].strip() else ""
    why = _SYNTAX.get(error.msg, error.msg)
    told = f"sai cú pháp JSON: {why}{near}"
    return Fault(file, f"dòng {error.lineno}, cột {error.colno}", "", told, "sửa tại chỗ này hoặc ngay trước đó")


def _once(repeated: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Of a key that stands twice JSON keeps the last one and says nothing."""

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(dict.fromkeys(name for name in names if names.count(name) > 1))
        return result

    return made
