"""The Atom feed of releases (RFC 4287): one entry for each, with the headline in Vietnamese.

An entry stays as it was at publication; that a release was replaced is told by the entry of the one that replaced it.
"""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET  # only written, nothing foreign is read
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from etl import clock
from etl.publish.site.headline import Headline
from etl.publish.site.records import Published

ATOM = "http://www.w3.org/2005/Atom"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:tiendo:release")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def entry_id(release: Published) -> str:
    """The same for the same release wherever the site stands: from its number and the files that were approved."""
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{release.release_id} {release.manifest_sha256}')}"


def render(releases: Sequence[Published], heads: Mapping[str, Headline], province: str, site_url: str) -> bytes:
    """``releases`` in the order of publication, the newest comes first in the feed. ``site_url``: with which links
    begin; empty for links relative to the feed."""
    base = f"{site_url.rstrip('/')}/" if site_url else ""
    issuer = next((heads[r.release_id].issuer for r in reversed(releases) if heads[r.release_id].issuer), "")
    feed = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "vi"})
    _text(feed, "id", f"urn:uuid:{uuid.uuid5(NAMESPACE, f'feed {province}')}")
    _text(feed, "title", "Báo cáo tổng hợp các Chương trình mục tiêu quốc gia")
    _text(feed, "subtitle", "Các bản tổng hợp tháng đã công bố")
    _text(feed, "updated", _moment(max((r.published_at for r in releases), default=_NEVER)))
    _text(ET.SubElement(feed, "author"), "name", issuer or "Tiến độ")
    ET.SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{base}feed.xml"})
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": f"{base}index.html"})
    for release in reversed(releases):
        _entry(feed, release, heads[release.release_id], base)
    ET.indent(feed)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(feed, encoding="unicode")}\n'.encode()


def _entry(feed: ET.Element, release: Published, head: Headline, base: str) -> None:
    entry = ET.SubElement(feed, "entry")
    number = f"đính chính, bản số {release.release_no}" if release.is_correction else "bản đầu"
    _text(entry, "id", entry_id(release))
    _text(entry, "title", f"{release.title} ({number}): {head.rate_vi}, {head.coverage_vi}")
    _text(entry, "updated", _moment(release.published_at))
    _text(entry, "published", _moment(release.published_at))
    link = {"rel": "alternate", "type": "text/html", "hreflang": "vi", "href": f"{base}{release.folder}/index.html"}
    ET.SubElement(entry, "link", link)
    ET.SubElement(
        entry, "category", {"term": str(release.budget_year), "label": f"Năm ngân sách {release.budget_year}"}
    )
    told = [
        *head.sentences,
        "; ".join(f"{name}: {value}" for name, value in head.as_lines().items()) + ".",
        *([f"Bản này thay bản {release.replaces}."] if release.replaces else []),
        f"Số liệu chốt lúc {clock.show(release.known_at)} (giờ Việt Nam). Mã niêm phong {release.manifest_sha256}.",
    ]
    _text(entry, "summary", told[0])
    _text(entry, "content", "\n\n".join(told)).set("type", "text")


def _text(parent: ET.Element, name: str, content: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = content
    return element


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
