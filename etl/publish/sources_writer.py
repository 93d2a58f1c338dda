"""The page of sources: every figure of a release down to the cells it is made of, self-contained, without a server.

The page adds up itself, from the facts that are embedded once (``evidence``); its script needs no library.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from etl import clock
from etl.publish import catalogue, pages, standing
from etl.publish import evidence as facts
from etl.publish.figure import Figure, FigureSet


def name(figures: FigureSet) -> str:
    return f"truy-vet-{figures.period}.html"


def link(figures: FigureSet, figure: Figure) -> str:
    """Address of a figure's entry, beside the page that names it."""
    return f"{name(figures)}#{quote(figure.key, safe='/=,')}"


def render(figures: FigureSet, evidence: Mapping[str, Any]) -> bytes:
    """UTF-8 HTML. ``evidence``: the object of ``evidence.load``."""
    script = Markup("\n" + "".join(pages.text(part) for part in ("sources.js", "sources_page.js")))  # noqa: S704
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = pages.environment().get_template("sources.html.j2")
    return page.render(
        title=f"Nguồn gốc số liệu {figures.period.vi}",
        page=f"tong-hop-{figures.period}.html",
        figures=figures,
        frozen=clock.show(figures.known_at),
        standing=standing.DEFINITION,
        evidence=_json(evidence),
        words=_json(_words(figures, evidence)),
        script=script,
        script_hash=f"'sha256-{digest}'",
    ).encode("utf-8")


def _words(figures: FigureSet, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What the page calls things: dimensions, columns; ``own``: the files of the period itself."""
    own = [str(figures.period), figures.budget_year]
    return {
        "release": figures.release_id,
        "standing": standing.WORDS,
        "columns": {key: catalogue.column(key) for key in sorted(set(facts.keys_of(evidence)))},
        "files": [file[2] for file in evidence["files"]],
        "own": [number for number, file in enumerate(evidence["files"]) if file[5:7] == own],
    }


def _json(value: object) -> Markup:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704
