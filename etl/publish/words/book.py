"""All sentences together: read from the files, held against each other, said with figures, kept with a release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from etl.errors import ReleaseError, UsageError
from etl.publish.model import Spans, joined
from etl.publish.words import files
from etl.publish.words.faults import Fault, of_text
from etl.publish.words.template import Entry, Part, fill, parse

ONLY = "text"
"""The variant of a sentence that has but one."""


@dataclass(frozen=True)
class Line:
    """One sentence in one variant."""

    file: str
    key: str
    variant: str
    text: str

    @property
    def item(self) -> str:
        return f"{self.file}/{self.key}/{self.variant}"


@dataclass(frozen=True)
class Words:
    """The sentences in force, in the order of the files; sound, and never changed. The same sentences are equal."""

    lines: tuple[Line, ...]

    @cached_property
    def _texts(self) -> dict[tuple[str, str], str]:
        return {(line.key, line.variant): line.text for line in self.lines}

    def say(self, key: str, variant: str = ONLY, **parts: Part) -> Spans:
        """The sentence with its places filled; each number stays a span of its figure.

        ``parts`` holds every place that the program's own wording of the variant has: which of them are said is the
        office's choice. Raises KeyError where the code knows no such sentence or leaves out a part.
        """
        entry = _entries()[key]
        missing = entry.allowed(variant) - parts.keys()
        if missing:
            raise KeyError(f"{key}/{variant}: {', '.join(sorted(missing))}")
        return fill(parse(self._texts[key, variant]), entry.kinds, parts)

    def line(self, key: str, variant: str = ONLY, **parts: Part) -> str:
        """The same as plain text, for headings and captions."""
        return joined(self.say(key, variant, **parts))

    def canonical(self) -> dict[str, dict[str, dict[str, str]]]:
        """File -> key -> variant -> text."""
        result: dict[str, dict[str, dict[str, str]]] = {}
        for line in self.lines:
            result.setdefault(line.file, {}).setdefault(line.key, {})[line.variant] = line.text
        return result

    @cached_property
    def sha256(self) -> str:
        """Over the canonical form."""
        text = json.dumps(self.canonical(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def unlike(self, other: Words) -> tuple[Line, ...]:
        """Lines that read differently in ``other``."""
        return tuple(line for line in self.lines if other._texts.get((line.key, line.variant)) != line.text)


@cache
def _entries() -> dict[str, Entry]:
    """The sentences of the program, by key. Raises ReleaseError that tells every fault of the files."""
    read, found = files.read(files.FOLDER)
    entries, more = files.entries(read)
    found += more
    found += [fault for e in entries.values() for v, text in e.texts.items() for fault in of_text(e, v, text)]
    _require(found, files.FOLDER)
    return entries


def entries() -> Mapping[str, Entry]:
    """What there is to say, with the program's own wording."""
    return _entries()


@cache
def package() -> Words:
    """The program's own sentences."""
    return _with({})


def _with(own: Mapping[tuple[str, str], str]) -> Words:
    return Words(
        tuple(
            Line(entry.file, key, variant, own.get((key, variant), text))
            for key, entry in _entries().items()
            for variant, text in entry.texts.items()
        )
    )


def check(folder: Path | None) -> tuple[Words | None, list[Fault]]:
    """The sentences in force with the office's folder, and every fault of its files; no words where there is a fault.

    Raises UsageError when the folder is not there.
    """
    if folder is None:
        return package(), []
    if not folder.is_dir():
        raise UsageError(f"Không có thư mục câu mẫu {folder} (TIENDO_WORDS_DIR).")
    read, found = files.read(folder)
    own, more = files.overrides(read, _entries())
    found += more
    for (key, variant), text in own.items():
        found += of_text(_entries()[key], variant, text)
    if found:
        return None, found
    return _with(own), []


def load(folder: Path | None = None) -> Words:
    """The sentences in force, sound. Raises ReleaseError that tells every fault, UsageError without the folder."""
    words, found = check(folder)
    if words is None:
        _require(found, folder)
        raise ReleaseError("Không đọc được câu mẫu.")
    return words


def _require(found: Iterable[Fault], folder: Path | None) -> None:
    """Raises ReleaseError where there is a fault."""
    told = [f"  {number}. {fault.as_text()}" for number, fault in enumerate(found, 1)]
    if told:
        raise ReleaseError(
            f"Câu mẫu của văn bản có {len(told)} chỗ sai nên chưa soạn được gì; sửa các tệp trong {folder} rồi chạy "
            "lại (cách viết: README.md của thư mục câu mẫu; thử trước bằng lệnh tiendo words check):\n"
            + "\n".join(told)
        )


# Kept with a release --------------------------------------------------------------------------------------------------


def of(canonical: Mapping[str, Mapping[str, Mapping[str, str]]] | None) -> Words:
    """The sentences of ``Words.canonical``, so that a release says the same again after the office has changed its
    words; the program's own for a release that was frozen before they were kept.

    A sentence that the program has since gained is the program's; one that it no longer says is left out.
    """
    known = _entries()
    return _with(
        {
            (key, variant): text
            for keys in (canonical or {}).values()
            for key, variants in keys.items()
            for variant, text in variants.items()
            if key in known and variant in known[key].texts
        }
    )
