"""The page of sources: what it shows of a figure is what ``tiendo trace`` shows, worked out by its own script.

The script is run as it stands in the released file: its arithmetic in an engine that comes as a package, the page
itself in a browser where the machine has one.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import quickjs

from etl import settings, steps
from etl.load import warehouse
from etl.publish import catalogue, pack, release, sources_writer, trace, trace_cell
from etl.publish.model import spans_of
from etl.publish.originals import Originals
from tests.databases import copy_of
from tests.sql.conftest import point
from tests.sql.published import NEXT_MONTH, OCTOBER, Published

LIMIT_BYTES = 2_000_000
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ROUNDS_AWAY = [
    ("1", "3", "33.33"),
    ("1", "800", "0.13"),
    ("-1", "800", "-0.13"),
    ("2.5", "4", "62.50"),
    ("1", "0", None),
]


class Page:
    """The released file, its script running in an engine without a document."""

    def __init__(self, path: Path, html: str | None = None) -> None:
        self.path = path
        self.html = html or path.read_text(encoding="utf-8")
        (evidence,) = re.findall(r'id="evidence">(.*?)</script>', self.html, re.DOTALL)
        (script,) = re.findall(r"<script>(.*?)</script>", self.html, re.DOTALL)
        self.engine, _, self.document = script.partition("// The page around the book")
        self.evidence = json.loads(evidence)
        self._context = quickjs.Context()
        self._context.eval(self.engine.rpartition('"use strict";')[0])
        self._context.set("held", evidence)
        self._context.eval("const book = openBook(JSON.parse(held));")

    def keys(self) -> list[str]:
        return list(self._value("[...book.figures.keys()]"))

    def chain(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._value(f"book.chain(book.figures.get({json.dumps(key)}))")
        return found

    def agreements(self, keys: list[str]) -> dict[str, bool]:
        """Of the figures that are sums: whether their cells come to them."""
        found = "[k, book.chain(book.figures.get(k)).agrees]"
        return dict(self._value(f"{json.dumps(keys)}.map((k) => {found}).filter(([, agrees]) => agrees !== undefined)"))

    def feeds(self, sha256: str, address: str) -> set[str]:
        number = next(i for i, file in enumerate(self.evidence["files"]) if file[3] == sha256)
        sheet, letters, row = re.fullmatch(r"(.+)!([A-Z]+)(\d+)", address).groups()
        return set(
            self._value(f"book.feeds({number}, {json.dumps(sheet)}, '{letters}', {row}).figures.map((f) => f.key)")
        )

    def rate(self, numerator: str, denominator: str) -> str | None:
        asked = f"ratePct(decimal({json.dumps(numerator)}), decimal({json.dumps(denominator)}))"
        return self._value(f"((rate) => rate && text(rate))({asked})")

    def _value(self, expression: str) -> Any:
        return json.loads(self._context.eval(f"JSON.stringify({expression})"))


@pytest.fixture(scope="module")
def months(published_once: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Page]]:
    """The pages of October as it was published and of November, in which communes are missing, with a connection's
    settings at a copy of their warehouse."""
    home = tmp_path_factory.mktemp("sources-home")
    (home / "archive").symlink_to(published_once.home / "archive")
    with copy_of(published_once.address) as address, pytest.MonkeyPatch.context() as patch:
        point(patch, address, home)
        november = steps.freeze("2025-11", NEXT_MONTH)["release_id"]
        folders = {
            published_once.releases[OCTOBER]: published_once.home / "out" / "2025-10",
            november: home / "out" / "2025-11",
        }
        yield {id: Page(folder / id / f"truy-vet-{folder.name}.html") for id, folder in folders.items()}
    settings.reload()


@pytest.fixture
def october(months: dict[str, Page]) -> Page:
    return months["2025-10-r1"]


@pytest.fixture
def november(months: dict[str, Page]) -> Page:
    return months["2025-11-r1"]


def printed(release_id: str) -> list[str]:
    """Keys of the figures that stand on the HTML summary."""
    with warehouse.connect() as connection:
        documents = pack.build(release.figures_of(connection, release.get(connection, release_id)))
    blocks = [b for document in (documents.page, documents.full) for b in document.blocks()]
    return sorted({s.figure.key for block in blocks for s in spans_of(block) if s.figure})


def traced(release_id: str, keys: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    originals = Originals(settings.get().archive_dir)
    with warehouse.connect() as connection:
        for key in keys:
            yield key, trace.trace(connection, f"{release_id}/{key}", settings.get().archive_dir, originals)


_OF_THE_ARCHIVE = {"held", "archived_as", "known_at"}


def without_archive(value: Any, *, inside: bool = False) -> Any:
    """What ``tiendo trace`` says but for the archived originals, which the page cannot open."""
    if isinstance(value, list):
        return [without_archive(item, inside=True) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = _OF_THE_ARCHIVE | ({"agrees"} if inside else set())
    return {k: without_archive(v, inside=inside) for k, v in value.items() if k not in dropped}


def same(page: Page, key: str, wanted: dict[str, Any]) -> None:
    found = page.chain(key)
    expected = without_archive(wanted)
    if "parts" not in expected and "differences" not in expected:
        expected.pop("agrees", None)  # words and findings: it is about the archive alone
    for part in found.get("parts", ()):
        del part["form"]
    assert found == expected, key


def test_every_figure_of_the_summary_is_made_of_what_the_command_says(november: Page) -> None:
    keys = printed("2025-11-r1")
    assert len(keys) > 800
    for key, wanted in traced("2025-11-r1", keys):
        same(november, key, wanted)


def test_figures_of_a_whole_province_are_made_of_what_the_command_says(october: Page) -> None:
    keys = printed("2025-10-r1")
    assert len(keys) > 2000
    singles = [k for k in keys if k.startswith(("treasury", "outlier", "revision", "answer", "findings"))]
    chosen = {"rate_total", "rate_change_points", *random.Random(11).sample(keys, 120), *singles}
    for key, wanted in traced("2025-10-r1", sorted(chosen)):
        same(october, key, wanted)


def test_the_cells_of_every_sum_come_to_the_figure(months: dict[str, Page]) -> None:
    for id, page in months.items():
        told = page.agreements(printed(id))
        assert len(told) > 300
        assert [key for key, agrees in told.items() if not agrees] == [], id


def test_a_cell_with_another_amount_is_told(november: Page) -> None:
    altered = json.loads(json.dumps(november.evidence))
    table = next(t for t in altered["tables"] if (t["form"], t["period"]) == ("B01", "2025-11"))
    table["rows"][0][3 + table["keys"].index("disb_ytd")] += 1
    before, after = json.dumps(november.evidence), json.dumps(altered)
    (held,) = re.findall(r'id="evidence">(.*?)</script>', november.html, re.DOTALL)
    keys = ["disb_ytd", "plan_total"]
    assert Page(november.path, november.html.replace(held, before)).agreements(keys) == dict.fromkeys(keys, True)
    assert Page(november.path, november.html.replace(held, after)).agreements(keys) == {keys[0]: False, keys[1]: True}


def test_every_number_of_the_summary_leads_to_an_entry(months: dict[str, Page]) -> None:
    for id, page in months.items():
        name = page.path.name
        summary = page.path.with_name(name.replace("truy-vet", "tong-hop")).read_text(encoding="utf-8")
        links = re.findall(
            r'<a class="figure" href="([^"#]+)#([^"]+)"><data value="[^"]*" data-figure="([^"]+)"', summary
        )
        assert len(links) == summary.count("<data ")
        assert {file for file, _, _ in links} == {name}
        assert {unquote(key) for _, key, _ in links} <= set(page.keys())
        assert all(f"{id}/{unquote(key)}" == figure.replace("&#39;", "'") for _, key, figure in links)


def test_a_cell_is_in_the_figures_that_the_command_names(october: Page) -> None:
    chance = random.Random(5)
    with warehouse.connect() as connection:
        for form, keys in (
            ("B01", ("disb_ytd", "plan_nstw")),
            ("B02", ("actual_ytd",)),
            ("B03", ("status",)),
            ("B04", ("state",)),
        ):
            table = {
                "B01": "disbursement",
                "B02": "output_indicator",
                "B03": "task_report",
                "B04": "proposal",
                "B05": "roadmap",
            }[form]
            rows = connection.execute(
                f"""
                select s.sha256, y.sheet, y.columns, t.row_no from core.{table} as t
                inner join raw.submission as s on t.submission_id = s.submission_id
                inner join raw.sheet_layout as y on t.submission_id = y.submission_id and y.form = %s
                where s.period = '2025-10' and s.sha256 = any(%s) order by 1, 4
                """,
                (form, [file[3] for file in october.evidence["files"]]),
            ).fetchall()
            for sha256, sheet, columns, row_no in chance.sample(rows, min(3, len(rows))):
                for key in keys:
                    address = f"{sheet}!{columns[key]}{row_no}"
                    fed = trace_cell.feeds(connection, sha256, address)["figures"]
                    wanted = {f["figure_id"].partition("/")[2] for f in fed if f["release_id"] == "2025-10-r1"}
                    assert october.feeds(sha256, address) == wanted, (sha256, address)


@pytest.mark.parametrize(("numerator", "denominator", "rate"), ROUNDS_AWAY)
def test_the_page_rounds_as_the_warehouse_does(
    october: Page, numerator: str, denominator: str, rate: str | None
) -> None:
    assert october.rate(numerator, denominator) == rate


def test_every_kind_of_figure_has_a_name(months: dict[str, Page]) -> None:
    metrics = {group["metric"] for page in months.values() for group in page.evidence["groups"]}
    assert metrics <= set(catalogue.metrics())


def test_the_page_is_small_and_asks_nothing_of_the_network(months: dict[str, Page]) -> None:
    for page in months.values():
        assert page.path.stat().st_size < LIMIT_BYTES
        around = re.sub(r'<script type="application/json".*?</script>', "", page.html, flags=re.DOTALL)
        assert not re.search(r"https?://|@import|url\(|\bfetch\(|XMLHttpRequest|innerHTML|\bsrc=", around)
        assert "default-src 'none'" in around
        assert "tiendo trace" in re.search(r"<noscript>(.*?)</noscript>", around, re.DOTALL)[1]


def test_text_of_a_commune_cannot_end_the_data(november: Page) -> None:
    hostile = json.loads(json.dumps(november.evidence))
    hostile["files"][0][1] = "</script><script>alert(1)</script><!--"
    with warehouse.connect() as connection:
        figures = release.figures_of(connection, release.get(connection, "2025-11-r1"))
    html = sources_writer.render(figures, hostile).decode()
    assert html.count("<script") == november.html.count("<script") == 3
    assert Page(november.path, html).evidence == hostile


def test_the_script_of_the_document_compiles_without_a_browser(november: Page) -> None:
    context = quickjs.Context()
    context.set("script", "//" + november.document)
    assert context.eval("typeof new Function(script)") == "function"


# In a browser ---------------------------------------------------------------------------------------------------------


def shown(page: Page, key: str, folder: Path) -> str:
    """Text of the document once its script has run."""
    command = [
        CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
        "--virtual-time-budget=5000", "--dump-dom", f"{page.path.as_uri()}#{quote(key)}",
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    body = re.sub(r"<(script|style|noscript)\b.*?</\1>", "", dom, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no browser on this machine")
def test_the_page_in_a_browser_shows_the_figure_and_its_cells(october: Page, tmp_path: Path) -> None:
    seen = shown(october, "disb_ytd/commune=06517", tmp_path)
    part = october.chain("disb_ytd/commune=06517")["parts"][0]
    cell = part["terms"][0]["cells"][0]
    assert "Lũy kế giải ngân từ đầu năm" in seen
    assert "✓ Các ô cộng lại đúng bằng số liệu." in seen
    assert f"{cell['sheet']}!{cell['cell']} {cell['line_code']}" in seen
    assert "không có số liệu mang mã nothing" in shown(october, "nothing", tmp_path)
