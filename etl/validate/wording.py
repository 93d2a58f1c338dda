"""The words in which a sender is told the outcome: on the result sheet, in notes, in receipts and mails."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from etl import money
from etl.validate.finding import SEVERITIES, Finding

VERDICTS = {
    "accepted": "ĐÃ TIẾP NHẬN",
    "returned": "TRẢ LẠI ĐỂ SỬA",
    "refused": "KHÔNG TIẾP NHẬN",
}
LEVELS = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}
SECTIONS = {"error": "LỖI PHẢI SỬA", "warning": "CẢNH BÁO CẦN KIỂM TRA, GIẢI TRÌNH", "info": "LƯU Ý"}

_DANGEROUS = re.compile(r"^[\s\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_AMOUNT = re.compile(r"-?\d{1,30}")
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?")
_LONGEST = 200


def harmless(text: str) -> str:
    """``text`` such that no spreadsheet program takes it for a formula, wherever it is pasted to."""
    return f"“{text.strip()}”" if _DANGEROUS.match(text) else text


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Number of findings by severity."""
    severities = [f.severity for f in findings]
    return {s: severities.count(s) for s in SEVERITIES}


def counted(findings: Iterable[Finding]) -> str:
    """``2 lỗi, 1 cảnh báo, 3 lưu ý``; *không có lỗi* when there is none at all."""
    number = counts(findings)
    named = [f"{number[s]} {LEVELS[s].lower()}" for s in SEVERITIES if number[s] or s != "info"]
    return ", ".join(named) if any(number.values()) else "không có lỗi, cảnh báo"


def found(finding: Finding) -> str:
    """What stands in the cell, as the sender wrote it or as an amount in triệu đồng; empty when nothing is known."""
    return _shown(finding, finding.value)


def expected(finding: Finding) -> str:
    return _shown(finding, finding.expected)


def difference(finding: Finding) -> str:
    """``cao hơn 5 triệu đồng``, ``thấp hơn 5 triệu đồng``; empty without a difference."""
    text = finding.difference
    if not text:
        return ""
    if not _NUMBER.fullmatch(text):
        return _quoted(text)
    return ("thấp hơn " if text.startswith("-") else "cao hơn ") + _shown(finding, text.lstrip("-"))


def answered(finding: Finding) -> str:
    """What the sender's note already says to it; empty without a note."""
    return f"Giải trình đã ghi: {_quoted(finding.explanation)}" if finding.explanation else ""


def _shown(finding: Finding, text: str | None) -> str:
    if text is None or text == "":
        return ""
    if finding.unit == "vnd" and _AMOUNT.fullmatch(text):
        return _signed(f"{money.show_trieu(int(text))} triệu đồng")
    if finding.unit and _NUMBER.fullmatch(text):
        number = Decimal(text).normalize()
        return _signed(money.group_vi(number.quantize(1) if number == number.to_integral_value() else number))
    return _quoted(text)


def _signed(number: str) -> str:
    """With a real minus sign, which no spreadsheet program takes for the beginning of a formula."""
    return "−" + number[1:] if number.startswith("-") else number


def _quoted(text: str) -> str:
    return f"“{shortened(text).strip()}”"


def shortened(text: str) -> str:
    """What a cell holds, as far as a message has room for it."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def note(findings: Iterable[Finding]) -> str:
    """The note on a cell: per finding what is wrong, what was found, what was expected, the difference, what to do."""
    blocks = []
    for finding in findings:
        lines = [f"{LEVELS[finding.severity].upper()} ({finding.rule})", finding.message]
        for label, text in (
            ("Đã ghi", found(finding)),
            ("Đúng ra", expected(finding)),
            ("Chênh lệch", difference(finding)),
        ):
            if text:
                lines.append(f"{label}: {text}")
        if finding.explanation:
            lines.append(answered(finding))
        lines.append(f"Cách sửa: {finding.fix}")
        blocks.append("\n".join(line.replace("\n\n", "\n") for line in lines))
    return "\n\n".join(blocks)
