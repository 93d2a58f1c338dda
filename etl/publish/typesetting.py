"""Typst with the package's fonts only, so that a page is the same on every machine."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"
_PICTURE = """
#set page(width: int(sys.inputs.width) * 1mm, height: auto, margin: 0mm, fill: white)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%)
"""


@cache
def _typst() -> Any:
    import typst

    return typst


@cache
def _fonts() -> Any:
    return _typst().Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def pdf(template: Path, data: str, timestamp: int) -> bytes:
    """``template`` with ``data`` as ``sys.inputs.data``; ``timestamp`` (Unix seconds) is the only date inside."""
    return bytes(_typst().compile(str(template), font_paths=_fonts(), sys_inputs={"data": data}, timestamp=timestamp))


def number(template: Path, data: str, label: str) -> float:
    """A number that ``template`` with ``data`` gives out under ``label``."""
    said = _typst().query(str(template), label, field="value", one=True, font_paths=_fonts(), sys_inputs={"data": data})
    return float(json.loads(said))


def png(svg: str, width_mm: int) -> bytes:
    """A picture of this printed width, 180 pixels per inch."""
    picture = _typst().compile(
        _PICTURE.encode(),
        format="png",
        ppi=180.0,
        font_paths=_fonts(),
        sys_inputs={"svg": svg, "width": str(width_mm)},
    )
    return bytes(picture)
