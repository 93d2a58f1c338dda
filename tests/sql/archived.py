"""An archive site on the disk, and pages taken apart: September and October as they were published, October's
correction with stand-ins for its files, and November, in which communes are missing."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from etl import settings, steps
from etl.load import warehouse
from etl.publish import pack, publication, release
from etl.publish.figure import FigureSet
from etl.publish.site import records
from tests.databases import copy_of
from tests.sql.conftest import point
from tests.sql.published import NEXT_MONTH, REVISED, Published

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SEPTEMBER, OCTOBER, CORRECTION, NOVEMBER = "2025-09-r1", "2025-10-r1", "2025-10-r2", "2025-11-r1"
HOSTILE = "Hoàng Thị <b onclick=alert(1)>Lan</b> & \"cộng sự\" </script><script>alert('x')</script>"
VOID = {"meta", "link", "input", "br", "img", "circle", "line"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Html(HTMLParser):
    """What a page holds, by tag; ``open`` must be empty at the end."""

    nodes: list[Node] = field(default_factory=list)
    open: list[Node] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.nodes.append(node)
        if tag == "br":
            self.handle_data(" ")
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.nodes.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "dt", "dd"):
            self.handle_data(" ")
        if not self.open or self.open[-1].tag != tag:
            self.wrong.append(tag)
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text += data

    def of(self, *tags: str) -> list[Node]:
        return [node for node in self.nodes if node.tag in tags]

    def ids(self) -> list[str]:
        return [node.attributes["id"] for node in self.nodes if "id" in node.attributes]


def parsed(text: str) -> Html:
    html = Html()
    html.feed(text)
    html.close()
    return html


@dataclass
class Site:
    """The site as the last publication made it (``published_at``: when each file was written), and made once more."""

    root: Path
    published_at: dict[Path, int]
    result: dict[str, Any]
    pages: dict[str, Html]

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def own(self) -> dict[str, Html]:
        """Pages of the site itself, without the frozen files and the dictionary, which has tests of its own."""
        return {n: p for n, p in self.pages.items() if "/tep/" not in n and n != "tu-dien.html"}


def files_of(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def publish(period: str, now: datetime, by: str) -> str:
    frozen = steps.freeze(period, now, by=by)
    steps.approve(frozen["release_id"], frozen["manifest_sha256"], "thu_ky", "approved", now)
    steps.publish(frozen["release_id"], now)
    return str(frozen["release_id"])


@contextmanager
def archived(given: Published, home: Path) -> Iterator[Site]:
    """The settings are at its warehouse meanwhile."""
    (home / "archive").symlink_to(given.home / "archive")
    shutil.copytree(given.home / "out", home / "out")
    with copy_of(given.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        with pytest.MonkeyPatch.context() as light:
            light.setattr(
                pack, "render", lambda *_, **__: {"tom-tat-2025-10.pdf": b"%PDF-", "bao-cao-2025-10.pdf": b"%"}
            )
            for made in ("build", "renew"):
                light.setattr(publication.archive, made, lambda *_: None)
            assert publish("2025-10", REVISED + timedelta(hours=1), HOSTILE) == CORRECTION
        with warehouse.transaction() as connection:
            connection.execute(
                "insert into release.delivery (release_id, recipient, channel, state, claimed_at) values "
                "(%(id)s, 'ai-do@example.invalid', 'smtp', 'claimed', %(at)s), "
                "(%(id)s, 'B', 'smtp', 'failed', %(at)s), (%(id)s, 'C', 'smtp', 'bounced', %(at)s)",
                {"id": CORRECTION, "at": REVISED},
            )
        assert publish("2025-11", NEXT_MONTH, "Nguyễn Văn An") == NOVEMBER
        root = settings.get().site_dir
        published_at = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
        result = steps.archive_site()
        pages = {str(p.relative_to(root)): parsed(p.read_text(encoding="utf-8")) for p in root.rglob("*.html")}
        yield Site(root, published_at, result, pages)
    settings.reload()


def figures_of(release_id: str) -> FigureSet:
    with warehouse.connect() as connection:
        return release.figures_of(connection, release.get(connection, release_id))


def published() -> dict[str, records.Published]:
    with warehouse.connect() as connection:
        return {r.release_id: r for r in records.published(connection)}


def rows(page: Html) -> list[str]:
    return [re.sub(r"\s+", " ", node.text).strip() for node in page.of("tr")]


def browser(address: str, folder: Path) -> tuple[str, str]:
    """The document once its scripts have run, and what the browser complains of."""
    command = [
        CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
        "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", address,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    complaints = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    return done.stdout.decode(), "\n".join(complaints)
