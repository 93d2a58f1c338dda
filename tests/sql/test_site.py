"""The archive site: every published release and figure is there, every link leads somewhere, nothing foreign gets in.

October's correction has no page of sources, as a release of an earlier version would.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import quickjs
from typer.testing import CliRunner

from etl import settings, steps
from etl.cli import app
from etl.dictionary import entries
from etl.errors import UsageError
from etl.load import warehouse
from etl.publish import provenance, publication
from etl.publish.figure import ordered
from etl.publish.site import feed, figure_pages, headline, records, reference_pages, search, tree, words
from etl.publish.site.rendering import Pages
from etl.reference import province
from tests.sql.archived import (
    CHROMIUM,
    CORRECTION,
    HOSTILE,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    Site,
    archived,
    browser,
    figures_of,
    files_of,
    parsed,
    published,
    rows,
)
from tests.sql.published import NEXT_MONTH, REVISED_COMMUNE, Published

ATOM = "{http://www.w3.org/2005/Atom}"
PAGE_BYTES, INDEX_BYTES = 450_000, 400_000


@pytest.fixture(scope="module")
def site(published_once: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with archived(published_once, tmp_path_factory.mktemp("site-home")) as value:
        yield value


# The tree ------------------------------------------------------------------------------------------------------------


def test_publishing_makes_the_site_and_making_it_again_writes_nothing(site: Site) -> None:
    assert site.result["releases"] == 4
    assert site.result["missing"] == []
    assert site.result["written"] == 0
    assert {path: path.stat().st_mtime_ns for path in site.root.rglob("*")} == site.published_at


def test_every_link_leads_to_a_file_and_a_place_in_it(site: Site) -> None:
    broken = []
    known = {name: {i for id in page.ids() for i in (id, unquote(id))} for name, page in site.pages.items()}
    for name, page in site.pages.items():
        here = site.root / name
        for node in page.nodes:
            for address in (node.attributes.get("href"), node.attributes.get("src"), node.attributes.get("action")):
                if not address:
                    continue
                parts = urlsplit(address)
                target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
                assert parts.scheme in ("", "data"), f"{name}: {address}"
                inside = target.is_relative_to(site.root.resolve()) or target == here
                there = str(target.relative_to(site.root.resolve())) if inside and parts.path else name
                is_known = parts.fragment == "" or "/truy-vet-" in there or parts.fragment in known.get(there, ())
                if not (inside and target.is_file() and is_known):
                    broken.append((name, address))
    assert broken == []


def test_the_sums_name_every_file_and_those_of_a_release_come_to_its_seal(site: Site) -> None:
    listed = dict(reversed(line.split("  ", 1)) for line in site.text("SHA256SUMS").splitlines())
    assert listed == {name: sha for name, sha in files_of(site.root).items() if name != "SHA256SUMS"}
    for id, one in published().items():
        sums = (site.root / "ban" / id / "tep" / "SHA256SUMS").read_bytes()
        assert hashlib.sha256(sums).hexdigest() == one.manifest_sha256
        for line in sums.decode().splitlines():
            sha256, name = line.split("  ", 1)
            assert hashlib.sha256((site.root / "ban" / id / "tep" / name).read_bytes()).hexdigest() == sha256


def test_a_lost_file_is_told_and_comes_back_and_the_same_warehouse_gives_the_same_bytes_elsewhere(
    site: Site, tmp_path: Path
) -> None:
    target = tmp_path / "site"
    name = f"ban/{SEPTEMBER}/tep/tom-tat-2025-09.pdf"
    frozen = settings.get().out_dir / "2025-09" / SEPTEMBER / "tom-tat-2025-09.pdf"
    kept = frozen.read_bytes()
    frozen.write_bytes(b"altered")
    try:
        assert steps.archive_site(target)["missing"] == [name]
    finally:
        frozen.write_bytes(kept)
    page = (target / "ban" / SEPTEMBER / "index.html").read_text(encoding="utf-8")
    assert "Tệp không còn đúng như khi phê duyệt" in page
    assert 'href="tep/tom-tat-2025-09.pdf"' not in page
    assert not (target / name).exists(), "what nobody approved is not in the site"

    # What an earlier run made and this one does not is taken away; what others put there stays, and what is outside.
    (target / name).write_bytes(b"altered")
    foreign = [target / "robots.txt", tmp_path / "ngoai.html"]
    for path in foreign:
        path.write_text("của người quản trị", encoding="utf-8")
    stale = target / "cu" / "trang.html"
    stale.parent.mkdir()
    stale.write_text("cũ", encoding="utf-8")
    sums = target / tree.SUMS
    sums.write_bytes(sums.read_bytes() + tree.sums({"cu/trang.html": "0" * 64, "../ngoai.html": "0" * 64}))
    assert steps.archive_site(target)["missing"] == []
    assert not stale.parent.exists()
    assert all(path.exists() for path in foreign)
    foreign[0].unlink()
    assert files_of(target) == files_of(site.root)


def test_a_folder_with_other_things_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "hop-dong.docx").write_bytes(b"x")
    with pytest.raises(UsageError, match="nội dung khác"):
        steps.archive_site(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["hop-dong.docx"]


def test_before_anything_is_published_there_is_a_site_too(empty: Path) -> None:
    done = CliRunner().invoke(app, ["site", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["releases"] == 0
    home = (empty / "site" / "index.html").read_text(encoding="utf-8")
    assert "Chưa có bản tổng hợp nào được công bố" in home
    ET.parse(empty / "site" / "feed.xml")


# Releases ------------------------------------------------------------------------------------------------------------


def test_the_home_page_has_every_release_the_newest_period_first(site: Site) -> None:
    found = [row for row in rows(site.pages["index.html"]) if "-r" in row]
    order = [re.search(r"2025-\d\d-r\d", row)[0] for row in found]
    assert order == [NOVEMBER, CORRECTION, OCTOBER, SEPTEMBER]
    assert f"đã được thay bằng {CORRECTION}" in found[2]
    assert f"đính chính, thay {OCTOBER}" in found[1]
    for id, row in zip(order, found, strict=True):
        head = headline.of(figures_of(id))
        assert head.rate_vi in row
        assert head.disbursed_vi in row
        assert head.reported_vi in row
        assert words.exact(head.rate) == f"{head.rate.value:f}"
    assert "thiếu" in found[0]
    assert "thiếu" not in found[1]


def test_the_home_page_says_how_many_communes_are_covered(site: Site) -> None:
    head = headline.of(figures_of(NOVEMBER))
    home = site.text("index.html")
    assert f"{head.missing} xã, phường" in home
    assert f"tổng hợp từ {head.reported}/65 xã, phường" in home
    assert "chấm rỗng: chưa đủ xã, phường báo cáo" in home


def test_a_replaced_release_says_by_which_on_all_of_its_pages(site: Site) -> None:
    for name, page in site.pages.items():
        if name.startswith(f"ban/{OCTOBER}/") and "/tep/" not in name:
            (told,) = [n for n in page.of("span") if n.attributes.get("class") == "tag old"]
            assert f"Đã được thay bằng {CORRECTION}" in told.text
        if name.startswith(f"ban/{CORRECTION}/"):
            assert "Đã được thay" not in site.text(name)


def test_a_correction_lists_every_figure_that_changed_and_why(site: Site) -> None:
    old, new = ({f.key: f for f in figures_of(id)} for id in (OCTOBER, CORRECTION))
    before, after = ({key: (f.value, f.text) for key, f in one.items()} for one in (old, new))
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed
    page = site.pages[f"ban/{CORRECTION}/index.html"]
    listed = {
        unquote(a.attributes["href"].partition("#")[2]) for a in page.of("a") if a.attributes.get("class") == "figure"
    }
    assert listed == {key for key in changed if key in new}
    text = site.text(f"ban/{CORRECTION}/index.html")
    assert f"{len(changed)} số liệu khác bản" in text
    told = [row for row in rows(page) if row.startswith("Lũy kế giải ngân từ đầu năm Toàn tỉnh")]
    assert told == [
        f"Lũy kế giải ngân từ đầu năm Toàn tỉnh {words.value(old['disb_ytd'])} {words.value(new['disb_ytd'])}"
    ]
    assert "xã Chi Lăng: bản gửi lại được chấp nhận" in text
    assert text.count("Công văn đính chính của xã") > 1


def test_the_first_release_of_a_month_is_held_against_the_one_that_was_out(site: Site) -> None:
    text = site.text(f"ban/{NOVEMBER}/index.html")
    assert "So với bản của kỳ trước" in text
    assert f">{CORRECTION}</a>: các số liệu chính" in text
    assert "Đây là bản đầu tiên" in site.text(f"ban/{SEPTEMBER}/index.html")


def test_deliveries_are_told_in_numbers_and_nobody_by_address(site: Site) -> None:
    table = [row for row in rows(site.pages[f"ban/{CORRECTION}/index.html"]) if row.startswith("Thư điện tử")]
    assert table == ["Thư điện tử 0 1 1 1 0"]
    recipients = {r["email"] for r in province.read_csv(settings.get().reference_dir / "recipients.csv")} - {""}
    for name in site.own():
        text = site.text(name)
        assert "example.invalid" not in text
        assert not any(address in text for address in recipients), name


def test_findings_that_were_open_are_listed_with_their_rule(site: Site) -> None:
    page = site.pages[f"ban/{NOVEMBER}/index.html"]
    with warehouse.connect() as connection:
        wanted = records.open_problems(connection, published()[NOVEMBER])
    assert {p.severity for p in wanted} >= {"error", "warning"}
    listed = [a for a in page.of("a") if "quy-tac.html#" in a.attributes.get("href", "")]
    assert [a.text for a in listed] == [p.rule for p in wanted]
    assert [p.severity for p in wanted] == sorted((p.severity for p in wanted), key=["error", "warning", "info"].index)


def test_who_made_and_approved_a_release_and_from_what_is_shown(site: Site) -> None:
    with warehouse.connect() as connection:
        made = provenance.of(connection, CORRECTION)
    text = " ".join(site.pages[f"ban/{CORRECTION}/index.html"].of("main")[0].text.split())
    assert made is not None
    assert f"Người lập {' '.join(HOSTILE.split())} Người phê duyệt Thư ký Ban Chỉ đạo" in text
    assert made.code_version in text
    assert made.rules_sha256 in text


def test_a_release_from_before_provenance_was_kept_makes_nothing_up(site: Site) -> None:
    one, figures = published()[NOVEMBER], figures_of(NOVEMBER)
    context = {
        "release": one, "head": headline.of(figures), "files": (), "pages": (), "places": {}, "changes": None,
        "causes_of": (), "revisions": (), "problems": (), "deliveries": (), "names": words.Names(figures),
        "provenance": None, "rounds": (), "site_url": "",
    }  # fmt: skip
    page = Pages("", "").render(f"{one.folder}/index.html", "release.html.j2", **context).decode()
    assert "Người lập" not in page
    assert "Phiên bản chương trình" not in page


def test_a_site_that_cannot_be_made_is_told_after_everybody_was_sent_to(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication.archive, "build", full)
    with pytest.raises(OSError, match="No space"):
        steps.publish(NOVEMBER, NEXT_MONTH)
    with warehouse.connect() as connection:
        told = records.deliveries(connection, NOVEMBER)
    assert sum(one.sent for one in told) > 0
    assert sum(one.unknown for one in told) == 0


# Figures -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [OCTOBER, NOVEMBER])
def test_every_figure_stands_once_with_its_value_and_leads_to_its_cells(site: Site, id: str) -> None:
    figures = figures_of(id)
    own = {name: page for name, page in site.pages.items() if name.startswith(f"ban/{id}/so-lieu-")}
    links = [a for page in own.values() for a in page.of("a") if "truy-vet" in a.attributes.get("href", "")]
    assert sorted(a.text for a in links) == sorted(f.key for f in figures)
    for link in links:
        file, _, key = link.attributes["href"].partition("#")
        assert unquote(key) == link.text
        assert file == f"tep/truy-vet-{id[:7]}.html"
    ids = [unquote(i) for page in own.values() for i in page.ids()]
    assert set(ids) >= {f.key for f in figures}
    text = site.text(f"ban/{id}/so-lieu-xa-phuong.html")
    for figure in figures.having("rate_total", "commune"):
        shown = f'<data value="{figure.value}">{words.value(figure)}</data>' if figure.value is not None else ">–<"
        row = text[text.index(f'id="{figure.key}"') :].partition("</tr>")[0]
        assert shown in row


def test_a_release_without_a_page_of_sources_leads_nowhere_and_says_so(site: Site) -> None:
    text = site.text(f"ban/{CORRECTION}/so-lieu-xa-phuong.html")
    assert "tep/truy-vet" not in text
    assert f"tiendo trace {CORRECTION}/MÃ-SỐ-LIỆU" in text
    assert f'<td class="key">rate_total/commune={REVISED_COMMUNE}</td>' in text


# Hostile text, weight, accessibility ---------------------------------------------------------------------------------


def test_no_text_becomes_markup(site: Site) -> None:
    assert "&lt;b onclick" in site.text(f"ban/{CORRECTION}/index.html")
    for name, page in site.own().items():
        assert page.wrong == [], name
        assert page.open == [], name
        assert all(set(n.attributes) & {"onclick", "style"} == set() for n in page.nodes), name
        scripts = page.of("script")
        assert all(s.attributes.get("src") and not s.text for s in scripts), name


def test_hostile_names_of_places_are_only_text(site: Site) -> None:
    one, figures = published()[OCTOBER], figures_of(OCTOBER)
    names = {"name/commune=06463": HOSTILE, "name/commune=06517": "</data><img src=x onerror=alert(1)>"}
    hostile = replace(figures, figures=ordered(replace(f, text=names.get(f.key, f.text)) for f in figures))
    pages = figure_pages.pages(one, hostile)
    page = next(p for p in pages if p.kind.slug == "xa-phuong")
    context = {"release": one, "head": headline.of(hostile), "page": page, "pages": pages}
    html = parsed(Pages("", "").render(f"{one.folder}/{page.file}", "figures.html.j2", **context).decode())
    assert html.of("img", "b") == []
    assert any("<img src=x" in node.text for node in html.of("th"))
    found = search.Figures()
    found.add(one, pages)
    script = search.script((), {}, entries.load(), found).decode()
    assert "<" not in script
    engine = quickjs.Context()
    engine.eval("const window = {};" + script)
    assert dict(json.loads(engine.eval("JSON.stringify(window.TIENDO.figures.places)")))["commune=06463"] == HOSTILE


def test_a_page_asks_nothing_of_others_and_forbids_it(site: Site) -> None:
    for name, page in site.own().items():
        (policy,) = [n for n in page.of("meta") if n.attributes.get("http-equiv") == "Content-Security-Policy"]
        assert policy.attributes["content"].startswith(
            "default-src 'none'; style-src 'self' file:; script-src 'self' file:"
        )
        addresses = [n.attributes.get(a, "") for n in page.nodes for a in ("href", "src", "action", "srcset")]
        assert not any(a.startswith(("http:", "https:", "//")) for a in addresses), name
    for name in ("assets/trang.css", "assets/trang.js", "assets/tim-kiem.js"):
        assert not re.search(r"https?://|@import|url\(|\bfetch\(|XMLHttpRequest|innerHTML", site.text(name)), name


def test_pages_are_light_enough_for_a_telephone(site: Site) -> None:
    for name in site.own():
        assert (site.root / name).stat().st_size < PAGE_BYTES, name
    assert (site.root / "assets/muc-luc.js").stat().st_size < INDEX_BYTES


def test_pages_can_be_read_by_ear_and_keyboard(site: Site) -> None:
    for name, page in site.own().items():
        assert page.of("html")[0].attributes["lang"] == "vi"
        assert len(page.of("h1")) == len(page.of("main")) == 1, name
        assert page.of("a")[0].attributes["href"] == "#noi-dung", name
        levels = [int(node.tag[1]) for node in page.of("h1", "h2", "h3", "h4")]
        assert all(b <= a + 1 for a, b in pairwise(levels)), name
        assert len(page.ids()) == len(set(page.ids())), name
        assert not any(re.search(r"\s", i) for i in page.ids()), name
        assert len(page.of("caption")) == len(page.of("table")), name
        assert all(n.attributes.get("scope") for n in page.of("th")), name
        assert all(n.attributes.get("aria-label") for n in page.of("nav")), name
        labelled = {n.attributes["for"] for n in page.of("label") if "for" in n.attributes}
        inside = [n.text for n in page.of("label")]
        for box in page.of("input", "select"):
            assert box.attributes["id"] in labelled or inside, name
        assert all(n.attributes.get("aria-label") for n in page.nodes if n.attributes.get("role") == "img"), name
        assert page.of("title")[0].text.strip()


# What stands beside the releases ------------------------------------------------------------------------------------


def test_the_rules_are_all_there_with_what_to_do(site: Site) -> None:
    page = site.pages["quy-tac.html"]
    for suite in reference_pages.suites():
        for rule in suite.rules:
            assert rule.anchor in page.ids()
    text = re.sub(r"\s+", " ", page.of("main")[0].text)
    assert all(re.sub(r"\s+", " ", r.fix) in text for s in reference_pages.suites() for r in s.rules)


def test_the_dictionary_leads_back_and_has_every_mart(site: Site) -> None:
    text = site.text("tu-dien.html")
    assert '<a href="index.html">Về trang lưu trữ</a>' in text
    assert all(f'id="{name}"' in text for name in entries.load().tables)


def test_the_calendar_goes_on_for_twelve_months_after_the_last_release(site: Site) -> None:
    found = [row for row in rows(site.pages["lich-cong-bo.html"]) if row.startswith("Tháng")]
    months = list(dict.fromkeys(re.match(r"Tháng (\d+/\d+)", row)[1] for row in found))
    assert months[:12] == ["11/2025", "12/2025", *(f"{n}/2026" for n in range(1, 11))]
    assert sum("Tháng 1/2026" in row for row in found) == 2
    assert f"đã công bố: {NOVEMBER}" in found[0]
    assert [re.match(r"Tháng (\d+)", row)[1] for row in found[-3:]] == ["11", "10", "9"]
    assert len(json.loads(site.text("lich-cong-bo.json"))) == 13
    assert site.text("lich-cong-bo.ics").startswith("BEGIN:VCALENDAR")


# The feed ------------------------------------------------------------------------------------------------------------


def test_the_feed_has_what_atom_asks_for(site: Site) -> None:
    root = ET.fromstring(site.text("feed.xml"))
    assert root.tag == f"{ATOM}feed"
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    told = root.findall(f"{ATOM}entry")
    for element in (root, *told):
        assert [len(element.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", element.findtext(f"{ATOM}id") or "")
        assert moment.fullmatch(element.findtext(f"{ATOM}updated") or "")
    assert root.find(f"{ATOM}author/{ATOM}name").text == "SỞ TÀI CHÍNH"
    assert len({e.findtext(f"{ATOM}id") for e in told}) == 4
    links = [e.find(f"{ATOM}link").attrib["href"] for e in told]
    assert links == [f"ban/{id}/index.html" for id in (NOVEMBER, CORRECTION, OCTOBER, SEPTEMBER)]
    assert all((site.root / address).is_file() for address in links)
    updated = [e.findtext(f"{ATOM}updated") for e in told]
    assert root.findtext(f"{ATOM}updated") == max(updated)
    one = published()[NOVEMBER]
    assert updated[0] == one.published_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert headline.of(figures_of(NOVEMBER)).rate_vi in told[0].findtext(f"{ATOM}title")
    assert f"Bản này thay bản {OCTOBER}." in told[1].findtext(f"{ATOM}content")


def test_with_an_address_all_links_of_the_feed_are_whole(site: Site) -> None:
    one = published()[NOVEMBER]
    content = feed.render((one,), {NOVEMBER: headline.of(figures_of(NOVEMBER))}, "tỉnh", "https://bao-cao.example.vn/")
    links = [link.attrib["href"] for link in ET.fromstring(content).iter(f"{ATOM}link")]
    assert links == [
        f"https://bao-cao.example.vn/{name}" for name in ("feed.xml", "index.html", f"ban/{NOVEMBER}/index.html")
    ]


# The search ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(site: Site) -> Any:
    context = quickjs.Context()
    context.eval("const window = {};" + site.text("assets/muc-luc.js") + site.text("assets/tim-kiem.js"))

    def ask(text: str) -> tuple[bool, dict[str, list[list[str]]]]:
        told = json.loads(context.eval(f"JSON.stringify(search(window.TIENDO, {json.dumps(text)}))"))
        return told["all"], {title: hits for title, _, hits in told["groups"]}

    return ask


def test_the_search_finds_the_last_figure_of_a_commune_with_and_without_marks(site: Site, found: Any) -> None:
    for asked in ("tỷ lệ giải ngân tổng nguồn vốn chi lăng", "ty le giai ngan tong nguon von CHI LANG"):
        all_, groups = found(asked)
        address, title, told = groups["Số liệu"][0]
        assert all_
        assert title == "Tỷ lệ giải ngân so với tổng nguồn vốn được sử dụng: Xã Chi Lăng"
        file, _, fragment = address.partition("#")
        assert unquote(fragment) == f"rate_total/commune={REVISED_COMMUNE}"
        assert fragment in site.pages[file].ids()
        assert told.startswith(address.split("/")[1])


@pytest.mark.parametrize(
    ("asked", "group", "begins"),
    [
        ("CK01", "Quy tắc kiểm tra", "quy-tac.html#CK01"),
        ("đính chính bản bị thay", "Cách đọc và lịch công bố", "cach-doc.html#dinh-chinh"),
        ("mart.disbursement_rate", "Từ điển dữ liệu", "tu-dien.html#mart.disbursement_rate"),
        ("2025-09", "Bản tổng hợp", f"ban/{SEPTEMBER}/"),
        ("rate_total/commune=06517", "Số liệu", "ban/"),
    ],
)
def test_the_search_finds_releases_rules_tables_and_help(found: Any, asked: str, group: str, begins: str) -> None:
    assert found(asked)[1][group][0][0].startswith(begins)


def test_the_search_says_when_it_has_only_most_of_the_words(found: Any) -> None:
    all_, groups = found("tỷ lệ giải ngân chi lăng zzzz")
    assert not all_
    assert any("Chi Lăng" in hit[1] for hit in groups["Số liệu"])
    assert found("zzzz") == (True, {})


# In a browser --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no browser on this machine")
def test_the_search_works_from_the_disk_without_complaints(site: Site, tmp_path: Path) -> None:
    address = f"{(site.root / 'tim-kiem.html').as_uri()}?q={quote('tỷ lệ giải ngân chi lang')}"
    dom, complaints = browser(address, tmp_path)
    assert complaints == ""
    assert "Số liệu (" in dom
    assert f"rate_total/commune={REVISED_COMMUNE}" in dom
    assert dom.count("<li>") > 5


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no browser on this machine")
def test_the_filter_and_the_width_of_a_telephone(site: Site, tmp_path: Path) -> None:
    """A copy of each page with a script that uses the filter and tells how wide the content is in a narrow frame."""
    probe = """
      const box = document.getElementById("loc-chu");
      document.body.style.width = "360px";
      const wide = document.documentElement.scrollWidth > Math.max(innerWidth, 360);
      if (box) { box.value = "chi lang"; box.form.requestSubmit(); }
      const rows = [...document.querySelectorAll(".group tbody tr")];
      document.title = JSON.stringify([wide, rows.length, rows.filter((row) => row.offsetParent).length]);
    """
    copy = tmp_path / "site"
    shutil.copytree(site.root, copy, ignore=shutil.ignore_patterns("tep"))
    (copy / "assets" / "probe.js").write_text(probe, encoding="utf-8")
    page = copy / "ban" / NOVEMBER / "so-lieu-xa-phuong.html"
    text = page.read_text(encoding="utf-8").replace(
        "</body>", '<script src="../../assets/probe.js" defer></script></body>'
    )
    page.write_text(text, encoding="utf-8")
    dom, complaints = browser(page.as_uri(), tmp_path / "chrome")
    wide, total, shown = json.loads(re.search(r"<title>(.*?)</title>", dom)[1])
    assert complaints == ""
    assert not wide
    assert 0 < shown < total / 20
    assert 'id="loc">' in dom
