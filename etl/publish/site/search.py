"""The index of the site-wide search: a script that the search page loads, so that it works without a server.

A figure is a metric and a place by number each, so that ten thousand take little room. Of each figure the index has the
newest release that holds it: a commune without a report this month is still found, with its last figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etl.dictionary.entries import Dictionary
from etl.publish.site import figure_pages, reference_pages, words
from etl.publish.site.figure_pages import Page
from etl.publish.site.headline import Headline
from etl.publish.site.records import Published

Entry = list[str]
"""[address, title, what is told of it]"""


def script(
    releases: Sequence[Published], heads: Mapping[str, Headline], dictionary: Dictionary, figures: Figures
) -> bytes:
    """``window.TIENDO``: groups of entries, and the figures."""
    index = {
        "groups": [
            ["Bản tổng hợp", list(_releases(releases, heads))],
            ["Cách đọc và lịch công bố", list(reference_pages.GUIDE_ENTRIES)],
            ["Quy tắc kiểm tra", list(_rules())],
            ["Từ điển dữ liệu", list(_dictionary(dictionary))],
        ],
        "figures": figures.as_json(),
    }
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    # What ends a script or a line of it must not stand in the data.
    for mark in ("<", "\u2028", "\u2029"):
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f"window.TIENDO = {text};\n".encode()


def _releases(releases: Sequence[Published], heads: Mapping[str, Headline]) -> Iterator[Entry]:
    for release in reversed(releases):
        head = heads[release.release_id]
        state = f"đã được thay bằng {release.replaced_by}" if release.replaced_by else "bản mới nhất của kỳ"
        told = "; ".join(f"{name}: {value}" for name, value in head.as_lines().items())
        yield [f"{release.folder}/index.html", f"{release.title}, bản {release.release_id} ({state})", told]


def _rules() -> Iterator[Entry]:
    for suite in reference_pages.suites():
        for rule in suite.rules:
            yield [f"quy-tac.html#{rule.anchor}", f"{rule.id} · {suite.title}", rule.reason]


def _dictionary(dictionary: Dictionary) -> Iterator[Entry]:
    """Every table, and the columns of the marts: those of other tables are found by their table."""
    for entry in dictionary.entries:
        yield [f"tu-dien.html#{entry.full_name}", entry.full_name, entry.vi]
        if entry.schema == "mart" and not entry.is_function:
            for column in entry.columns.values():
                name = f"{entry.full_name}.{column.name}"
                yield [f"tu-dien.html#{name}", name, column.vi]


class Figures:
    """Metrics and places that the figures of several releases share; the newest release is to be added first."""

    def __init__(self) -> None:
        self._metrics: dict[str, int] = {}
        self._places: dict[str, tuple[int, str]] = {}
        self._known: set[str] = set()
        self._files: list[tuple[str, str, str, list[int]]] = []

    def add(self, release: Published, pages: Sequence[Page]) -> None:
        """Figures that no newer release holds."""
        for page in pages:
            rows: list[int] = []
            for section in page.sections:
                for row in section.rows:
                    if row.key not in self._known:
                        self._known.add(row.key)
                        place = self._places.setdefault(row.key.partition("/")[2], (len(self._places), row.place))[0]
                        rows += [self._metrics.setdefault(section.metric, len(self._metrics)), place]
            if rows:
                month = f"tháng {release.period.month}/{release.period.year}"
                self._files.append((release.release_id, month, page.file, rows))

    def as_json(self) -> dict[str, Any]:
        """``rows`` of each page: numbers of metric and place one after another."""
        return {
            "metrics": [[name, words.metric(name)] for name in self._metrics],
            "places": [[figure_pages.anchor(key), said if key else ""] for key, (_, said) in self._places.items()],
            "files": self._files,
        }
