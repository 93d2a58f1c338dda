"""The page of sources: every figure of a release down to the cells it is made of, self-contained, without a server.

The page adds up itself, from the facts that are embedded once (``evidence``); its script needs no library.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from markupsafe import Markup

from etl import clock
from etl.publish import evidence as facts
from etl.publish import pages
from etl.publish.figure import Figure, FigureSet
from etl.reference import forms

_METRICS = Path(__file__).parent / "metrics.yml"


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
        evidence=_json(evidence),
        words=_json(_words(figures, evidence)),
        script=script,
        script_hash=f"'sha256-{digest}'",
    ).encode("utf-8")


def _words(figures: FigureSet, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What the page calls things: metrics, places, columns; ``own``: the files of the period itself."""
    own = [str(figures.period), figures.budget_year]
    return {
        "release": figures.release_id,
        "names": evidence["names"],
        "metrics": {f.metric: metrics()[f.metric] for f in figures if f.metric in metrics()},
        "columns": {key: _column(key) for key in sorted(set(facts.keys_of(evidence)))},
        "files": [file[2] for file in evidence["files"]],
        "own": [number for number, file in enumerate(evidence["files"]) if file[5:7] == own],
    }


@cache
def metrics() -> dict[str, dict[str, str]]:
    """Metric -> ``name`` and, for what is no sum of cells, ``how``."""
    return dict(yaml.safe_load(_METRICS.read_text(encoding="utf-8")))


def _column(key: str) -> str:
    """``Lũy kế giải ngân … - Tổng số (cột 11)``"""
    for sheet in forms.load().sheets:
        for column in sheet.columns:
            if column.key == key:
                return f"{column.title} (cột {column.no})"
    return key


def _json(value: object) -> Markup:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704
