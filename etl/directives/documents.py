"""Documents that a task names: Công văn số 6431/VP-KTCN ngày 26/8/2025."""

from __future__ import annotations

import re

_SYMBOL = r"\d{1,5}(?:/\d{4})?[-/][A-ZĐ][\w.&]*(?:[-/]\s?[\w.&]+)*"
_KINDS = (
    "Nghị quyết|Nghị định|Thông tư liên tịch|Thông tư|Quyết định|Chỉ thị|Công điện|Công văn|Văn bản"
    "|Thông báo|Kế hoạch|Báo cáo|Tờ trình|"
    "Kết luận|Hướng dẫn|Giấy mời|Đề án|Chương trình|Luật|Quy định|Quy chế|Phương án|Biên bản"
)
_DATE = r"(?:\s*,?\s*ngày\s+(?:\d{1,2}\s*[/.-]\s*\d{1,2}\s*[/.-]\s*\d{4}|\d{1,2}\s+tháng\s+\d{1,2}\s+năm\s+\d{4}))?"
_CITATION = re.compile(
    rf"(?:(?:{_KINDS})\s+)?(?:số\s*:?\s*)?{_SYMBOL}{_DATE}(?:\s+năm\s+\d{{4}})?"
    rf"(?:\s+của\s+[A-ZĐ][^,;.()]*?(?=[,;.()]|\s+(?:về|tại|và|để|nêu|kết|trong|đối|cùng|cho|quy)\b|$))?",
    re.IGNORECASE,
)


def cited(text: str) -> list[str]:
    """Each document once, in order, as written (up to the issuing body)."""
    found = (re.sub(r"(?<=\w)([-/]) (?=\w)", r"\1", match[0]).strip() for match in _CITATION.finditer(text))
    return list(dict.fromkeys(document for document in found if re.search(r"[A-ZĐ]", document)))
