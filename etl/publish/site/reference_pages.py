"""What stands beside the releases: the rules, the words, the calendar, how to read and how to cite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from etl.publish.site.records import Published
from etl.validate import catalogue, declared

LEVELS = {"error": "Lỗi", "warning": "Cảnh báo", "info": "Lưu ý"}
STATES = {"on": "áp dụng", "beta": "thử", "retired": "thôi dùng"}
GUIDE_ENTRIES: tuple[list[str], ...] = (
    ["cach-doc.html#ty-le", "Tỷ lệ giải ngân là gì", "tử số, mẫu số, tổng chia tổng, làm tròn"],
    ["cach-doc.html#mau-so", "Mẫu số: so với nguồn vốn nào", "vốn giao trong năm, vốn kéo dài, tổng được sử dụng"],
    ["cach-doc.html#do-phu", "Độ phủ: bao nhiêu xã, phường", "xã, phường chưa báo cáo, tỷ trọng kế hoạch vốn"],
    [
        "cach-doc.html#tam-tinh",
        "Số liệu tạm tính và chính thức",
        "chưa đủ báo cáo, bản mâu thuẫn, đóng năm ngân sách",
    ],
    ["cach-doc.html#dinh-chinh", "Bản đính chính, bản bị thay", "số bản, bảng thay đổi"],
    ["cach-doc.html#trong", "Ô trống, dấu gạch ngang và số 0", "chưa báo cáo, không phát sinh"],
    ["cach-doc.html#truy-vet", "Lần từ một số liệu về ô của tệp gốc", "mã số liệu, trang nguồn gốc, tiendo trace"],
    ["cach-doc.html#ma-bam", "Kiểm tra tệp bằng mã băm SHA-256", "sha256sum, certutil, mã niêm phong"],
    ["cach-doc.html#trich-dan", "Cách trích dẫn một số liệu", "mã bản, mã số liệu, ngày công bố"],
    ["lich-cong-bo.html", "Lịch công bố", "ngày chốt số liệu, hạn gửi báo cáo, ngày công bố của các kỳ tới"],
    ["thuat-ngu.html", "Thuật ngữ và đơn vị", "tên cột, đơn vị tính, tiếng Anh"],
)
"""[address, title, what is told there] for the search."""


@dataclass(frozen=True)
class RuleRow:
    id: str
    anchor: str
    level: str
    severity: str
    state: str
    reason: str
    english: str
    message: str
    fix: str
    may_be_overridden: bool


@dataclass(frozen=True)
class Suite:
    name: str
    title: str
    english: str
    rules: tuple[RuleRow, ...]


@cache
def suites() -> tuple[Suite, ...]:
    """The rule catalogue as people read it; an id stands once in a suite, and its anchor once on the page."""
    found = [_suite(name, _of_suite(name)) for name in (*declared.SUITES, *declared.OTHER_SUITES, "intake")]
    told = {f"sao-ke-{id}": rule for id, rule in catalogue.statement().items()}
    treasury = tuple(_met(anchor.removeprefix("sao-ke-"), anchor, rule) for anchor, rule in told.items())
    found.append(
        Suite("statement", "Chính sao kê của Kho bạc Nhà nước, xét khi nạp", "The Treasury statement itself", treasury)
    )
    return tuple(found)


def _suite(name: str, rules: Iterator[RuleRow]) -> Suite:
    meta = catalogue.meta(name)
    return Suite(name, meta["vi"], meta["en"], tuple(rules))


def _of_suite(name: str) -> Iterator[RuleRow]:
    if name == "intake":
        yield from (_met(id, id, rule) for id, rule in catalogue.intake().items())
        return
    for rule in catalogue.of_suite(name):
        yield RuleRow(
            rule.id, rule.id, LEVELS[rule.severity], rule.severity, STATES[rule.state], rule.reason, rule.en,
            rule.message, rule.fix, rule.may_be_overridden,
        )  # fmt: skip


def _met(id: str, anchor: str, rule: catalogue.IntakeRule) -> RuleRow:
    return RuleRow(
        id, anchor, LEVELS[rule.severity], rule.severity, STATES[rule.state], rule.reason, "", rule.message, rule.fix,
        False,
    )  # fmt: skip


def past(releases: Sequence[Published]) -> tuple[Published, ...]:
    """The first release of each period, the newest first: what came out when, against the day that was announced."""
    found = [r for r in releases if not r.is_correction]
    return tuple(sorted(found, key=lambda r: (r.period, r.budget_year), reverse=True))
