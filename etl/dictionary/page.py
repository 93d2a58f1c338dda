"""The data dictionary as one self-contained page, and as JSON: from the ``.yml`` files alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from etl.dictionary import lineage
from etl.dictionary.entries import AT, SCHEMAS, Column, Dictionary, Entry
from etl.dictionary.rules import Rule

_PLACE = re.compile(r"\b((?:mart|ref|raw|core|release|audit)\.\w+)(\.\w+)?")
_TEMPLATES = Path(__file__).parent / "templates"
SECTIONS = {
    "mart": ("Bảng để tra cứu và lập báo cáo", "What analysts read; start here"),
    "ref": ("Danh mục, lịch báo cáo, quyết định giao vốn", "Reference data: lists, calendar, decisions on capital"),
    "raw": ("Tệp đã nhận và kết luận về từng tệp", "What was received and how it was judged"),
    "core": ("Số liệu đúng như báo cáo, sổ nhiệm vụ, sao kê Kho bạc", "Facts as reported, tasks, Treasury statements"),
    "release": ("Bản tổng hợp đã chốt, phê duyệt, công bố", "Releases: frozen, approved, published"),
    "audit": ("Nhật ký không sửa được", "The audit chain"),
}
KINDS = {"table": "bảng", "view": "khung nhìn", "function": "hàm"}


def render(dictionary: Dictionary, home: str = "") -> bytes:
    """UTF-8 HTML: where to start, then every entry by schema. The same files always give the same bytes.

    ``home``: page of a site to which it leads back.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = lineage.made_from(dictionary)
    known = {entry.full_name for entry in dictionary.entries}
    environment.globals.update(
        linked=lambda text: _linked(text, dictionary),
        rules=_rules,
        of_table=_of_table,
        also=lineage.also(dictionary),
        made_from=made,
        marts=lineage.marts_of(made),
        known=known,
        base=lambda name: name if name in known else name.removesuffix(AT),
        kinds=KINDS,
        units=dictionary.units,
    )
    sections = [
        (schema, *SECTIONS[schema], [entry for entry in dictionary.entries if entry.schema == schema])
        for schema in SCHEMAS
    ]
    page = environment.get_template("dictionary.html.j2").render(
        sections=sections,
        questions=dictionary.questions,
        columns=sum(len(e.columns) for e in dictionary.entries),
        home=home,
    )
    return page.encode("utf-8")


def as_json(dictionary: Dictionary) -> list[dict[str, Any]]:
    """Every entry with its columns as a reader sees them: what the glossary says is filled in."""
    made = lineage.made_from(dictionary)
    marts = lineage.marts_of(made)

    def column(one: Column) -> dict[str, Any]:
        return {
            "name": one.name,
            "vi": one.vi,
            "en": one.en,
            "unit": one.unit,
            "source": {"vi": one.source_vi, "en": one.source_en},
            "constraints": [rule.as_text() for rule in one.constraints],
            "tests": [rule.as_text() for rule in one.tests],
        }

    return [
        {
            "name": entry.full_name,
            "kind": entry.kind,
            "vi": entry.vi,
            "en": entry.en,
            "grain": {"vi": entry.grain_vi, "en": entry.grain_en},
            "key": list(entry.key),
            "arguments": [column(one) for one in entry.arguments.values()],
            "columns": [column(one) for one in entry.columns.values()],
            "constraints": [rule.as_text() for rule in entry.constraints],
            "tests": [rule.as_text() for rule in entry.tests],
            "made_from": list(made[entry.full_name]),
            "marts": list(marts[entry.full_name]),
            "example": entry.example,
        }
        for entry in dictionary.entries
    ]


def _linked(text: str, dictionary: Dictionary) -> Markup:
    """A source in which each table or column leads to its place on the page."""

    def link(match: re.Match[str]) -> str:
        name, column = match.group(1), match.group(2) or ""
        entry = dictionary.described(name)
        if entry is None:
            return match.group(0)
        anchor = entry.full_name + (column if column[1:] in entry.columns else "")
        return f'<a href="#{anchor}">{match.group(0)}</a>'

    # Only names made of letters, digits and underscores are put into the escaped text.
    return Markup(_PLACE.sub(link, str(escape(text))))  # noqa: S704


def _rules(entry: Entry, column: Column) -> Iterator[tuple[bool, str]]:
    """What is true of a column: whether the database holds it, and in words."""
    held = [rule for rule in entry.held if rule.columns == (column.name,)] if entry.kind == "table" else []
    for rule in dict.fromkeys((*held, *(r for r in entry.tested if r.columns == (column.name,)))):
        if rule.kind != "rows_unique_by" or len(entry.key) == 1:
            yield rule in held, _in_words(rule)


def _of_table(entry: Entry) -> Iterator[tuple[bool, str]]:
    """What is true of a row or of all rows together; the key is told apart."""
    for rule in entry.tested:
        if len(rule.columns) != 1 and rule != Rule("rows_unique_by", entry.key):
            yield entry.kind == "table" and rule in entry.held, _in_words(rule)


def _in_words(rule: Rule) -> str:
    columns = ", ".join(rule.columns)
    if rule.kind == "not_null":
        return "luôn có giá trị"
    if rule.kind in ("unique", "rows_unique_by"):
        return "không trùng" if len(rule.columns) == 1 else f"không trùng: {columns}"
    if rule.kind == "accepted_values":
        return f"một trong: {', '.join(map(str, rule.args))}"
    if rule.kind == "matches":
        return f"theo mẫu {rule.args[0]}"
    if rule.kind == "range":
        low, high = rule.args
        return f"từ {low} đến {high}" if None not in rule.args else f"≥ {low}" if high is None else f"≤ {high}"
    if rule.kind == "references":
        there = f"{rule.target}.{', '.join(rule.args[1])}"
        return f"có trong {there}" if len(rule.columns) == 1 else f"{columns} có trong {there}"
    return str(rule.args[0])
