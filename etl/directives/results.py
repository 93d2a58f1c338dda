"""What only reports the result of a task and belongs to it, and what reports of something else: a task of its own."""

from __future__ import annotations

import re

from etl.directives import words as wording
from etl.directives.folding import key, pattern
from etl.directives.words import WORD_END

_W = wording.load()
_REPORTING = re.compile(
    rf"(?:(?:và|sau đó|đồng thời|kịp thời|tổng hợp|định kỳ|phải|có)\s+)*(?:{_W.any_of('reporting')}"
    r"|(?:hồ sơ|danh sách|báo cáo|văn bản|ý kiến|số liệu|sản phẩm|kết quả|kế hoạch)(?:\s\w+){0,3}? (?:gửi|trình|nộp))"
    rf"{WORD_END}"
)
_OTHER_REPORT = pattern(
    r"báo cáo tình hình (?!thực hiện|triển khai|kết quả|tiến độ|xử lý|khắc phục|giải|tổ chức)"
    r"|(?:gửi|nộp|bàn giao) (?:toàn bộ |đầy đủ )?(?:cơ sở )?dữ liệu"
    r"|gửi (?:giấy mời|thư mời|tài liệu|mẫu)"
)
_ESCALATING = re.compile(rf"(?:{_W.any_of('escalating')}){WORD_END}")
_NEW_PAPER = pattern(
    r"trình[^;.]{0,40}\b(?:cấp|bổ sung|phân bổ|bố trí|hỗ trợ)\s+(?:bổ sung\s+)?"
    r"(?P<money>kinh phí|vốn|nguồn vốn|ngân sách)"
    r"|tham mưu[^;.]{0,80}\b(?:ban hành|phê duyệt|sửa đổi|bổ sung|thông qua)\s+(?:các\s+)?"
    r"(?P<paper>nghị quyết|nghị định|quyết định|đề án|kế hoạch|chỉ thị|chương trình|thông tư|quy định|danh mục|dự án)"
)
_NEW_PROPOSAL = pattern(
    r"đề xuất (?:các |một số |những )?"
    r"(?:cơ chế|chính sách|danh mục|sửa đổi|bổ sung|ban hành|thành lập|nâng|giảm|nhân rộng|mô hình)"
)


def opens(plain: str) -> bool:
    """Whether a piece begins with a report, a submission, a paper that is sent."""
    return _REPORTING.match(plain) is not None


def reports(plain: str) -> bool:
    """Whether a piece reports a result: no difficulties that go beyond the one who reports, no state of affairs."""
    return opens(plain) and not _ESCALATING.search(plain[:120]) and not _OTHER_REPORT.match(plain)


def is_of(plain: str, content: str, *, is_apart: bool, is_dated: bool) -> bool:
    """Whether it reports the result of ``content``; ``is_apart``: a semicolon stands between them."""
    if not is_apart:
        return True
    if not is_dated and _NEW_PROPOSAL.match(plain):
        return False
    paper = _NEW_PAPER.match(plain)
    return paper is None or (paper["paper"] or paper["money"]) in key(content)
