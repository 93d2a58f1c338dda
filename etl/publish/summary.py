"""What the person who approves a release sees: headline, coverage, changes since the release before, files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl import clock
from etl.publish import sentences
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import joined
from etl.publish.text import NOTHING, show

_SHOWN_CHANGES = 15
# In this order: the province first, then communes; other metrics follow from these.
_COMPARED = ("rate_total", "disb_ytd", "plan_total", "communes_reported", "tasks", "report_state")


@dataclass(frozen=True)
class Asked:
    """The question itself: who prepared the release, who may decide, what was said of the drafts before it.

    ``said``: decisions as ``approval.history`` gives them; ``folder``: where the files lie.
    """

    prepared_by: str | None
    round: int
    approvers: Sequence[str]
    said: Sequence[Mapping[str, Any]]
    folder: str


def markdown(
    figures: FigureSet,
    before: FigureSet | None,
    artifacts: Sequence[Mapping[str, Any]],
    manifest_sha256: str,
    asked: Asked | None = None,
) -> str:
    """Vietnamese Markdown, complete in itself."""
    lines = [
        f"## Bản tổng hợp {figures.release_id}",
        "",
        f"Kỳ báo cáo {figures.get('period').text}, năm ngân sách {figures.budget_year}; số liệu chốt lúc "
        f"{clock.show(figures.known_at)} (giờ Việt Nam).",
        "",
        *(_question(asked) if asked else []),
        f"- {joined(sentences.disbursed(figures))}",
        f"- {joined(sentences.coverage(figures))}",
        f"- {joined(sentences.communes(figures, 20))}",
        f"- {joined(sentences.carry_over(figures))}",
        f"- {joined(sentences.tasks_of_month(figures))}",
    ]
    longest = sentences.longest_overdue(figures, 160)
    if longest:
        lines.append(f"- {joined(longest)}")
    lines.append(f"- {joined(sentences.quality(figures))}")
    lines += ["", "### Thay đổi so với bản trước của cùng kỳ", "", *_changes(figures, before)]
    lines += [
        "",
        "### Tệp được phê duyệt",
        "",
        *([f"Mở xem trong thư mục `{asked.folder}`.", ""] if asked else []),
        "| Tệp | Kích thước (byte) | SHA-256 |",
        "| --- | ---: | --- |",
        *(f"| {a['name']} | {a['size_bytes']} | `{a['sha256']}` |" for a in artifacts),
        "",
        f"Mã kiểm tra chung (manifest): `{manifest_sha256}`",
    ]
    return "\n".join(lines) + "\n"


def _question(asked: Asked) -> list[str]:
    lines = [
        f"Người soạn: {asked.prepared_by or 'không ghi'}. Vòng phê duyệt thứ {asked.round}.",
        "",
        f"Người được quyết định: {', '.join(asked.approvers) or 'chưa có ai, bổ sung approvers.csv'}. Câu trả lời của "
        "người khác, của người soạn, hoặc *Reject* không ghi lý do thì không được ghi nhận và yêu cầu này mở lại.",
        "",
    ]
    refused = [one for one in asked.said if one["decision"] == "rejected"]
    if refused:
        lines += ["### Các lần không được phê duyệt của kỳ này", ""]
        lines += [
            f"- {one['release_id']}, vòng {one['round']}, {clock.show(one['decided_at'])}, {one['decided_by']}: "
            f"{_plain(one['reason'])}"
            for one in refused
        ]
        lines.append("")
    return lines


def _plain(text: str) -> str:
    """What a person typed, in one line and without effect as Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _changes(figures: FigureSet, before: FigureSet | None) -> list[str]:
    if before is None:
        return ["Đây là bản đầu tiên của kỳ báo cáo này."]
    reworded = figures.words.unlike(before.words)
    told = f"Câu chữ của {len(reworded)} câu mẫu thay đổi: {', '.join(line.item for line in reworded)}."
    return [*_changed_figures(figures, before), *(["", told] if reworded else [])]


def _changed_figures(figures: FigureSet, before: FigureSet) -> list[str]:
    old = {f.key: f for f in before}
    new = {f.key: f for f in figures}
    differing = [k for k in old.keys() | new.keys() if _content(old.get(k)) != _content(new.get(k))]
    if not differing:
        return [f"Không có số liệu nào thay đổi so với bản {before.release_id}."]
    shown = sorted((k for k in differing if _rank(k) is not None), key=lambda k: (_rank(k), k.count("/"), k))
    rows = [f"{len(differing)} số liệu thay đổi so với bản {before.release_id}."]
    if shown:
        rows += ["", "| Số liệu | Bản trước | Bản này |", "| --- | ---: | ---: |"]
        rows += [
            f"| {_name(figures, k)} | {_shown(old.get(k))} | {_shown(new.get(k))} |" for k in shown[:_SHOWN_CHANGES]
        ]
    if len(shown) > _SHOWN_CHANGES:
        rows += ["", f"… và {len(shown) - _SHOWN_CHANGES} dòng khác."]
    return rows


def _rank(key: str) -> int | None:
    metric, _, rest = key.partition("/")
    plain = not rest or (rest.count("=") == 1 and rest.startswith("commune="))
    return _COMPARED.index(metric) if metric in _COMPARED and plain else None


_NAMES = {
    "rate_total": "Tỷ lệ giải ngân (%)",
    "disb_ytd": "Lũy kế giải ngân (triệu đồng)",
    "plan_total": "Kế hoạch vốn được sử dụng (triệu đồng)",
    "communes_reported": "Số xã, phường đã báo cáo",
    "tasks": "Số nhiệm vụ theo dõi",
    "report_state": "Tình trạng báo cáo",
}


def _name(figures: FigureSet, key: str) -> str:
    metric, _, rest = key.partition("/")
    if not rest:
        return _NAMES[metric]
    return f"{_NAMES[metric]}, {show(figures.find('name', commune=rest.removeprefix('commune=')), 'place').text}"


def _content(figure: Figure | None) -> tuple[object, object] | None:
    return (figure.value, figure.text) if figure else None


def _shown(figure: Figure | None) -> str:
    return show(figure).text if figure else NOTHING
