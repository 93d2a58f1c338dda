"""The frozen files of a release in the site: copied as they are, or told to be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.publish import letter
from etl.publish.site import tree
from etl.publish.site.records import Artifact, Published

_USES = (
    ("bao-cao", ".pdf", "Báo cáo và các phụ lục: để đọc và in"),
    ("bao-cao", ".docx", "Báo cáo và các phụ lục: để chỉnh sửa và ký"),
    ("tom-tat", ".pdf", "Tóm tắt trong một trang: để đọc và in"),
    ("tom-tat", ".docx", "Tóm tắt trong một trang: để chỉnh sửa và ký"),
    ("bang-bieu", ".xlsx", "Các bảng số liệu: để lọc và tính tiếp"),
    ("tong-hop", ".html", "Trang tổng hợp có biểu đồ: mở bằng trình duyệt"),
    ("truy-vet", ".html", "Nguồn gốc của từng số liệu, đến từng ô của tệp gốc; để cùng thư mục với trang tổng hợp"),
    ("tin-nhan", ".txt", "Tin nhắn tóm tắt, để gửi qua điện thoại"),
    (f"{letter.FOLDER}/", ".pdf", "Thư riêng của xã, phường"),
)
_KINDS = {
    ".pdf": "Tệp PDF", ".docx": "Tệp Word", ".xlsx": "Tệp Excel", ".html": "Trang mở bằng trình duyệt",
    ".txt": "Tệp văn bản", ".zip": "Tệp nén",
}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """``name`` within the site. ``is_there``: with the hash under which it was approved."""

    artifact: Artifact
    name: str
    use: str
    is_there: bool
    written: bool

    @property
    def is_letter(self) -> bool:
        """One of as many files as there are communes."""
        return self.artifact.name.startswith(f"{letter.FOLDER}/")

    @property
    def sha256(self) -> str:
        return self.artifact.sha256


def kept(release: Published, out_dir: Path, target: Path) -> tuple[Kept, ...]:
    """Every frozen file in its place under ``target``; one that is right already is not written again."""
    frozen = out_dir / str(release.period) / release.release_id
    return tuple(_kept(release, artifact, frozen, target) for artifact in release.artifacts)


def _kept(release: Published, artifact: Artifact, frozen: Path, target: Path) -> Kept:
    name = f"{release.folder}/tep/{artifact.name}"
    there = tree.sha256_of(target / name) == artifact.sha256
    written = False
    if not there and (frozen / artifact.name).is_file():
        content = (frozen / artifact.name).read_bytes()
        there = tree.sha256(content) == artifact.sha256
        written = there and tree.put(target, name, content)
    return Kept(artifact, name, use(artifact.name), there, written)


def use(name: str) -> str:
    """What a file is for, in words."""
    ending = Path(name).suffix
    found: Sequence[str] = [told for start, suffix, told in _USES if name.startswith(start) and ending == suffix]
    return found[0] if found else _KINDS.get(ending, "Tệp")
