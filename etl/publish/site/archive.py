"""Building the archive site from the warehouse: which pages there are, and in which order they are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from etl import clock, settings
from etl.dictionary import entries
from etl.dictionary import page as dictionary_page
from etl.load.warehouse import Connection
from etl.publish import approval, deliver, frozen, provenance
from etl.publish import calendar as dates
from etl.publish.changes import Cause, causes
from etl.publish.figure import FigureSet
from etl.publish.site import (
    changes,
    feed,
    figure_pages,
    headline,
    home,
    records,
    reference_pages,
    search,
    tree,
    words,
)
from etl.publish.site.changes import Changes
from etl.publish.site.files import Kept, kept
from etl.publish.site.headline import Headline
from etl.publish.site.records import Published
from etl.publish.site.rendering import Pages

SCRIPTS = ("trang.js", "tim-kiem.js")
_LOCK = "tiendo.site"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SEARCHED = 6
"""Releases in force whose figures the search knows; older ones are found by their period."""
_NEIGHBOURS = 3
"""Releases whose figures are held at a time: the one at hand, the one before it, the one that it replaces."""


@dataclass
class Built:
    """What a run did. ``missing``: frozen files that are not in the folder of releases, or no longer as frozen."""

    target: Path
    releases: int
    written: int = 0
    hashes: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def put(self, name: str, content: bytes) -> None:
        self.written += tree.put(self.target, name, content)
        self.hashes[name] = tree.sha256(content)

    def keep(self, file: Kept) -> None:
        self.written += file.written
        if file.is_there:
            self.hashes[file.name] = file.sha256
        else:
            self.missing.append(file.name)

    def as_dict(self) -> dict[str, Any]:
        return {
            "site": str(self.target / "index.html"), "releases": self.releases, "files": len(self.hashes) + 1,
            "written": self.written, "missing": self.missing,
        }  # fmt: skip


def build(connection: Connection, out_dir: Path, target: Path, site_url: str = "") -> dict[str, Any]:
    """The site of all published releases under ``target``; frozen files are taken from ``out_dir``.

    Idempotent: it depends on the warehouse alone, not on the day, and a file that is right already is left alone. A
    frozen file that is lost or altered does not stop the others: its page says so, and it is among ``missing``.
    Raises UsageError where ``target`` holds something else. All pages come from one snapshot of the warehouse, and
    only one run writes at a time; commits, and writes nothing into the warehouse.
    """
    with _alone(connection):
        earlier = tree.before(target)
        return _Builder(connection, out_dir, target, site_url).run(set(earlier))


def renew(connection: Connection, out_dir: Path, target: Path, release_id: str, site_url: str = "") -> None:
    """The pages of one release of a site that is there already: what became of its sending is known by now."""
    with _alone(connection):
        earlier = tree.before(target)
        _Builder(connection, out_dir, target, site_url).renew(release_id, earlier)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    connection.commit()
    connection.execute("select pg_advisory_lock(hashtext(%s))", (_LOCK,))
    connection.commit()
    try:
        connection.execute("set transaction isolation level repeatable read")
        yield
    finally:
        connection.rollback()
        connection.execute("select pg_advisory_unlock(hashtext(%s))", (_LOCK,))
        connection.commit()


class _Builder:
    def __init__(self, connection: Connection, out_dir: Path, target: Path, site_url: str) -> None:
        self._connection = connection
        self._out_dir = out_dir
        self._site_url = site_url
        self._releases = records.published(connection)
        self._heads: dict[str, Headline] = {}
        self._built = Built(target, len(self._releases))
        self._figures = lru_cache(_NEIGHBOURS)(self._read_figures)

    def run(self, earlier: set[str]) -> dict[str, Any]:
        built = self._built
        for name in ("trang.css", *SCRIPTS):
            built.put(f"assets/{name}", self._pages.text(name).encode())
        newest = max(self._releases, key=_recency, default=None)
        recent = sorted((r for r in self._releases if r.is_latest), key=_recency, reverse=True)[:_SEARCHED]
        pages = {}
        for release in self._releases:
            made = self._release(release)
            if release in recent:
                pages[release.release_id] = made
        found = search.Figures()
        for release in recent:
            found.add(release, pages[release.release_id])
        self._beside(newest, found)
        latest = self._heads[newest.release_id] if newest else None
        built.put("feed.xml", feed.render(self._releases, self._heads, self._pages.province, self._site_url))
        self._page(
            "index.html", "home.html.j2", newest=newest, head=latest, years=home.years(self._releases, self._heads)
        )
        tree.remove(built.target, earlier - set(built.hashes))
        built.written += tree.put(built.target, tree.SUMS, tree.sums(built.hashes))
        return built.as_dict()

    def renew(self, release_id: str, earlier: dict[str, str]) -> None:
        for release in self._releases:
            if release.release_id == release_id:
                self._release(release)
        tree.put(self._built.target, tree.SUMS, tree.sums(earlier | self._built.hashes))

    @cached_property
    def _pages(self) -> Pages:
        newest = max(self._releases, key=_recency, default=None)
        head = headline.of(self._figures(newest)) if newest else None
        return Pages(head.province if head else "", head.issuer if head else "")

    def _page(self, name: str, template: str, **context: Any) -> None:
        self._built.put(name, self._pages.render(name, template, **context))

    def _read_figures(self, release: Published) -> FigureSet:
        return frozen.figures_of(self._connection, frozen.get(self._connection, release.release_id))

    def _release(self, release: Published) -> tuple[figure_pages.Page, ...]:
        """Files first, then the pages of figures, then the page that leads to them."""
        figures = self._figures(release)
        head = self._heads[release.release_id] = headline.of(figures)
        files = kept(release, self._out_dir, self._built.target)
        for file in files:
            self._built.keep(file)
        hashes = {a.name: a.sha256 for a in release.artifacts}
        self._built.put(f"{release.folder}/tep/{tree.SUMS}", tree.sums(hashes))
        pages = figure_pages.pages(release, figures)
        for page in pages:
            self._page(
                f"{release.folder}/{page.file}", "figures.html.j2", release=release, head=head, page=page, pages=pages
            )
        self._page(
            f"{release.folder}/index.html",
            "release.html.j2",
            release=release,
            head=head,
            files=files,
            pages=pages,
            places=figure_pages.places(pages),
            changes=self._changes(release, figures),
            revisions=records.revisions(self._connection, release),
            problems=records.open_problems(self._connection, release),
            deliveries=records.deliveries(self._connection, release.release_id),
            names=words.Names(figures),
            causes_of=self._causes(release),
            rounds=approval.rounds(self._connection, release.release_id),
            provenance=provenance.of(self._connection, release.release_id),
            site_url=self._site_url.rstrip("/"),
        )
        return pages

    def _changes(self, release: Published, figures: FigureSet) -> Changes | None:
        """Against what was out when the release came: the one that it replaces, else that of the month before."""
        out = self._releases[: self._releases.index(release)]
        if release.replaces:
            replaced = next(r for r in self._releases if r.release_id == release.replaces)
            return changes.of_correction(figures, self._figures(replaced))
        months = [r for r in out if r.budget_year == release.budget_year and r.period < release.period]
        if not months:
            return None
        return changes.of_month(figures, self._figures(max(months, key=lambda r: (r.period, r.release_no))))

    def _causes(self, release: Published) -> list[Cause]:
        """What happened between the release that this one replaces and this one."""
        if not release.replaces:
            return []
        before, this = (frozen.get(self._connection, id) for id in (release.replaces, release.release_id))
        return causes(self._connection, before, this)

    def _beside(self, release: Published | None, found: search.Figures) -> None:
        """The pages that are of no single release."""
        dictionary, dictionary_html = _dictionary()
        last = max((r.published_at for r in self._releases), default=None)
        since = clock.local_date(last) if last else date.min
        coming = dates.entries(self._connection, deliver.active_recipients(settings.get().reference_dir), since)
        head = self._heads[release.release_id] if release else None
        self._built.put("tu-dien.html", dictionary_html)
        self._page("quy-tac.html", "rules.html.j2", suites=reference_pages.suites())
        self._page("thuat-ngu.html", "glossary.html.j2", dictionary=dictionary)
        self._page(
            "lich-cong-bo.html",
            "calendar.html.j2",
            coming=coming,
            since=since,
            past=reference_pages.past(self._releases),
        )
        self._built.put(dates.ICS_NAME, dates.as_ics(coming, last or _NEVER))
        self._built.put(dates.JSON_NAME, dates.as_json(coming))
        self._page("cach-doc.html", "reading.html.j2", release=release, head=head)
        self._built.put("assets/muc-luc.js", search.script(self._releases, self._heads, dictionary, found))
        self._page("tim-kiem.html", "search.html.j2")


@cache
def _dictionary() -> tuple[entries.Dictionary, bytes]:
    """It depends on the files of the program alone, and takes as long as a release."""
    dictionary = entries.load()
    return dictionary, dictionary_page.render(dictionary, home="index.html")


def _recency(release: Published) -> tuple[Any, ...]:
    """The newest period; in January the period's own budget year before the closing one."""
    return (release.period, release.budget_year, release.release_no)
