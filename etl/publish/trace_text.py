"""The chain of a figure (``trace.trace``) as text for people: figure, sums, files and cells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from etl import clock, money
from etl.publish import trace_quality
from etl.publish.standing import WORDS

_ROLES = {
    "value": "Giá trị",
    "numerator": "Tử số",
    "denominator": "Mẫu số",
    "previous_numerator": "Tử số kỳ so sánh",
    "previous_denominator": "Mẫu số kỳ so sánh",
}


def _shown(amount: str) -> str:
    value = Decimal(amount)
    return money.group_vi(value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize())


def as_text(result: Mapping[str, Any]) -> str:
    """The chain for people: figure, sums, files and cells."""
    lines = [
        f"{result['figure_id']} = {result['value']} [{result['unit']}], nguồn {result['source']}",
        result["name"],
        f"Cách tính: {result['formula']}",
        *([f"Tính chất: {WORDS[result['standing']]}"] if result["standing"] else []),
        f"Câu truy vấn: {result['query']}",
        f"Kỳ {result['period']}, năm ngân sách {result['budget_year']}, số liệu biết đến {result['known_at']}",
    ]
    unit = "" if "indicator" in result["dims"] else " đồng"
    for part in result.get("parts", ()):
        lines.append(f"{_ROLES[part['role']]} (kỳ {part['period']}): {_shown(part['amount'])}{unit}")
        for term in part["terms"]:
            sign = "+" if term["sign"] > 0 else "-"
            lines.append(f"  {sign} {term['key']}: {_shown(term['amount'])}{unit}, {len(term['cells'])} ô")
            lines += [
                f"      {c['commune']}: {c['file']} {c['sheet']}!{c['cell']} {c['line_code']} "
                f"{_shown(c['amount'])}" + ("" if c["agrees"] else f"  LỆCH: ô ghi {c['held']}")
                for c in term["cells"]
            ]
    for task in result.get("tasks", ()):
        due = f", hạn {clock.show_date(date.fromisoformat(task['due_date']))}" if task["due_date"] else ""
        lines.append(f"  {task['task_id']} ({task['lead_vi']}){due}: {task['state']}")
    for row in result.get("rows", ()):
        lines.append(f"  {row['commune']}: {row['file']} {row['sheet']} {row['code']}")
        lines += [
            f"      {c['cell']} {c['key']}: {c['reported']}" + ("" if c["agrees"] else f"  LỆCH: ô ghi {c['held']}")
            for c in row["cells"]
            if c["reported"] is not None or not c["agrees"]
        ]
    lines += [f"  {s['commune']}: {s['file']} (sha256 {s['sha256']})" for s in result.get("submissions", ())]
    lines += trace_quality.text_lines(result)
    if "agrees" in result:
        lines.append("Các ô khớp với số liệu." if result["agrees"] else "CÁC Ô KHÔNG KHỚP VỚI SỐ LIỆU.")
    return "\n".join(lines)
