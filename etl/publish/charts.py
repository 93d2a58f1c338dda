"""Charts of the report as Vega-Lite specs over figures, and their rendering with the package's own font."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from etl.publish.figure import FigureSet
from etl.publish.model import Chart
from etl.publish.text import show

FONTS = Path(__file__).parent / "fonts"
INK = "#1b1b1b"
RULE = "#c9ccd1"
BLUE, AMBER, RED, GREY = "#1f5a96", "#d98a1f", "#b3261e", "#7a7f87"
_FONT = "Liberation Serif"
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "tickColor": RULE, "domainColor": RULE, "gridColor": RULE,
        "labelFontSize": 13, "labelLimit": 0, "labelPadding": 6,
    },
    "text": {"color": INK, "fontSize": 13},
}  # fmt: skip


def _spec(
    rows: list[dict[str, Any]],
    left: int,
    width: int,
    height: int,
    layer: list[dict[str, Any]],
    top: int = 14,
    bottom: int = 26,
) -> dict[str, Any]:
    """One view of fixed size. Nothing depends on the width of text, which differs with the fonts of a machine."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": _CONFIG,
        "autosize": {"type": "none"},
        "padding": {"left": left, "right": 60, "top": top, "bottom": bottom},
        "width": width,
        "height": height,
        "data": {"values": rows},
        "layer": layer,
    }


def _rate_axis(name: str) -> dict[str, Any]:
    return {
        "field": name,
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, 100], "clamp": True},
        "axis": {"values": [0, 25, 50, 75, 100], "labelExpr": "datum.label + ' %'", "labelOverlap": False},
    }


_BARS = 310


def by_programme(figures: FigureSet, programmes: list[str]) -> Chart | None:
    """Bars of the rate of each programme and capital kind, each labelled with its figure; None without any rate."""
    kinds = sorted(figures.values("rate_total", "capital_kind"))
    names = [show(figures.get("name", capital_kind=kind)).text for kind in kinds]
    rows: list[dict[str, Any]] = []
    total = figures.known("rate_total")
    quoted = [show(total)]
    for programme in programmes:
        short = figures.find("name_short", programme=programme) or figures.get("name", programme=programme)
        for kind, name in zip(kinds, names, strict=True):
            rate = figures.find("rate_total", programme=programme, capital_kind=kind)
            if rate is not None and rate.value is not None:
                quoted += [show(short), show(rate)]
                rows.append(
                    {
                        "programme": show(short).text,
                        "kind": name,
                        "rate": _plot(str(rate.value)),
                        "label": show(rate).text + " %",
                    }
                )
    if not rows:
        return None
    y = {
        "field": "programme", "type": "nominal", "title": None, "sort": None, "scale": {"paddingInner": 0.3},
        "axis": {"ticks": False, "domain": False, "grid": False},
    }  # fmt: skip
    side = {"field": "kind", "type": "nominal", "sort": None}
    x = _rate_axis("rate")
    colours = [BLUE, AMBER]
    colour = {"field": "kind", "type": "nominal", "legend": None, "scale": {"domain": names, "range": colours}}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "bar"}, "encoding": {"y": y, "yOffset": side, "x": x, "color": colour}},
        {
            "mark": {"type": "text", "align": "left", "dx": 6},
            "encoding": {"y": y, "yOffset": side, "x": {"value": _BARS - 30}, "text": {"field": "label"}},
        },
        *(entry for n, name in enumerate(names) for entry in _key(n, name, colours[n % len(colours)])),
    ]
    if total is not None:
        rule = {"type": "rule", "color": RED, "strokeDash": [4, 3], "strokeWidth": 1.5}
        layers.append({"mark": rule, "encoding": {"x": {"datum": _plot(str(total.value))}}})
    groups = len({r["programme"] for r in rows})
    return Chart(
        "ty-le-chuong-trinh",
        _caption(figures, "chart_programmes"),
        "; ".join(f"{r['programme']}, {r['kind']}: {r['label']}" for r in rows),
        _spec(rows, 300, _BARS - 30, 48 * max(groups, 1), layers, top=34),
        quoted=tuple(quoted),
    )


def _key(number: int, name: str, colour: str) -> list[dict[str, Any]]:
    """One entry of the key above the bars, at a fixed place."""
    left, above = 6 + number * 165, {"value": -16}
    one = {"values": [{"name": name}]}
    square = {"type": "square", "size": 130, "opacity": 1, "color": colour}
    text = {"type": "text", "align": "left", "baseline": "middle"}
    return [
        {"data": one, "mark": square, "encoding": {"x": {"value": left}, "y": above}},
        {
            "data": one, "mark": text,
            "encoding": {"x": {"value": left + 11}, "y": above, "text": {"field": "name"}},
        },
    ]  # fmt: skip


def by_commune(figures: FigureSet, communes: list[str]) -> Chart | None:
    """One bar per commune from the highest rate to the lowest; communes at zero in red. None without any rate."""
    total = figures.known("rate_total")
    communes = [c for c in communes if figures.get("rate_total", commune=c).value is not None]
    rows = [
        {
            "name": show(figures.get("name", commune=c)).text,
            "rate": _plot(str(figures.get("rate_total", commune=c).value)),
            "label": show(figures.get("rate_total", commune=c)).text + " %",
            "zero": figures.find("at_zero", commune=c) is not None,
        }
        for c in communes
    ]
    if not rows:
        return None
    y = {
        "field": "name", "type": "nominal", "title": None, "sort": None,
        "axis": {"ticks": False, "domain": False, "labelOverlap": False},
    }  # fmt: skip
    x = _rate_axis("rate")
    zero = {"test": "datum.zero", "value": RED}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "bar", "height": 10, "color": BLUE}, "encoding": {"y": y, "x": x}},
        {
            "mark": {"type": "text", "align": "left", "dx": 6},
            "encoding": {
                "y": y, "x": {"value": 500}, "text": {"field": "label"}, "color": {"condition": zero, "value": INK},
            },
        },
    ]  # fmt: skip
    if total is not None:
        rule = {"type": "rule", "color": GREY, "strokeDash": [4, 3]}
        layers.append({"mark": rule, "encoding": {"x": {"datum": _plot(str(total.value))}}})
    return Chart(
        "xep-hang-xa",
        _caption(figures, "chart_communes"),
        "; ".join(f"{r['name']}: {r['label']}" for r in rows),
        _spec(rows, 160, 500, 17 * max(len(rows), 1), layers),
        quoted=(show(total), *(show(figures.get("rate_total", commune=c)) for c in communes)),
    )


def trend(figures: FigureSet) -> Chart:
    """The total rate at the end of each month of the budget year so far."""
    points = sorted(figures.having("rate_trend", "period"), key=lambda f: f.key)
    rows = []
    for figure in points:
        month = figure.dim("period") or ""
        if figure.value is not None:
            label = show(figure).text + " %"
            rows.append({"month": f"T{int(month[5:])}/{month[:4]}", "rate": _plot(str(figure.value)), "label": label})
    x = {
        "field": "month", "type": "ordinal", "sort": None, "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": False},
    }  # fmt: skip
    y = _rate_axis("rate")
    layers = [
        {"mark": {"type": "line", "color": BLUE, "point": {"color": BLUE}}, "encoding": {"x": x, "y": y}},
        {"mark": {"type": "text", "dy": -11}, "encoding": {"x": x, "y": y, "text": {"field": "label"}}},
    ]
    return Chart(
        "dien-bien",
        figures.words.line("chart_trend"),
        "; ".join(f"{r['month']}: {r['label']}" for r in rows),
        _spec(rows, 50, 530, 150, layers),
        quoted=tuple(show(figure) for figure in points if figure.value is not None),
    )


def _caption(figures: FigureSet, key: str) -> str:
    """With the rate of the province where there is one: the dashed line."""
    rate = figures.known("rate_total")
    return figures.words.line(key, "bare") if rate is None else figures.words.line(key, "text", rate=rate)


def path(figures: FigureSet) -> Chart | None:
    """What was disbursed by the end of each month beside what the communes' own roadmaps ask for; None where no roadmap
    is in use."""
    planned = sorted(figures.having("roadmap_path", "period"), key=lambda f: f.key)
    done = sorted(figures.having("disb_trend", "period"), key=lambda f: f.key)
    communes = figures.known("roadmap_communes")
    if len(planned) < 2 or communes is None:
        return None
    names = {kind: figures.words.line("chart_path_key", kind) for kind in ("done", "planned")}
    rows = [
        {
            "month": _month(figure.dim("period") or ""),
            "series": names[kind],
            "amount": _plot(str(figure.value)),
            "label": show(figure, "ty").text,
        }
        for kind, found in (("planned", planned), ("done", done))
        for figure in found
        if figure.value is not None
    ]
    months = sorted({figure.dim("period") or "" for figure in (*planned, *done) if figure.value is not None})
    x = {
        "field": "month", "type": "ordinal", "sort": [_month(month) for month in months], "title": None,
        "axis": {"labelAngle": 0, "labelOverlap": False},
    }  # fmt: skip
    y = {
        "field": "amount", "type": "quantitative", "title": None,
        "axis": {"values": _ticks(max(f.value for f in (*planned, *done) if f.value is not None)), "labelExpr": _TY},
    }  # fmt: skip
    colours = {names["done"]: BLUE, names["planned"]: AMBER}
    layers: list[dict[str, Any]] = []
    for name, colour, above in ((names["planned"], AMBER, -11), (names["done"], BLUE, 16)):
        only = [{"filter": f"datum.series === '{name}'"}]
        line: dict[str, Any] = {
            "type": "line",
            "color": colour,
            "point": {"color": colour, "aria": False},
            "aria": False,
        }
        if colour == AMBER:
            line["strokeDash"] = [5, 3]
        layers += [
            {"transform": only, "mark": line, "encoding": {"x": x, "y": y}},
            {
                "transform": only, "mark": {"type": "text", "dy": above, "fontSize": 11, "aria": False},
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            },
        ]  # fmt: skip
    layers += [entry for n, (name, colour) in enumerate(colours.items()) for entry in _key(n, name, colour)]
    return Chart(
        "lo-trinh",
        figures.words.line("chart_path", n=communes),
        "; ".join(f"{r['month']}, {r['series']}: {r['label']}" for r in rows),
        _spec(rows, 60, 540, 190, layers, top=34),
        quoted=(show(communes), *(show(f, "ty") for f in (*planned, *done) if f.value is not None)),
    )


_TY = "replace(format(datum.value / 1e9, ',.12~g'), /[,.]/g, datum.value % 1e9 ? ',' : '.')"
"""A tick of an axis in đồng, in tỷ đồng as Vietnamese figures have it."""


def _ticks(top: Decimal) -> list[int]:
    """Round amounts from nothing up to ``top`` đồng, two to five of them."""
    step = 1
    while step * 10 <= top:
        step *= 10
    apart = next(s for s in (step // 2, step, step * 2) if s and s * 5 >= top)
    return list(range(0, int(top) + 1, apart))


def _month(period: str) -> str:
    return f"T{int(period[5:])}/{period[:4]}"


_TASK_COLOURS = {
    "Đang thực hiện quá hạn": RED,
    "Sắp đến hạn": AMBER,
    "Đang thực hiện trong hạn": BLUE,
    "Không quy định thời hạn": "#9db4cc",
    "Nhiệm vụ thường xuyên / định kỳ": "#c5d0dc",
    "Đã hoàn thành đúng hạn": "#3f7d4e",
    "Đã hoàn thành quá hạn": "#8aa96b",
    "Thôi thực hiện": RULE,
}
_DARK = ["Đang thực hiện quá hạn", "Đang thực hiện trong hạn", "Đã hoàn thành đúng hạn"]
"""States whose colour needs white figures on it."""


def tasks(figures: FigureSet) -> Chart | None:
    """The tasks of each lead agency by state, the most overdue first; None without any task."""
    agencies = sorted(
        figures.values("tasks", "agency"),
        key=lambda a: (-_count(figures, a, "Đang thực hiện quá hạn"), -_count(figures, a), a),
    )
    if not agencies:
        return None
    states = [s for s in _TASK_COLOURS if figures.find("tasks", state=s)]
    quoted = []
    rows: list[dict[str, Any]] = []
    for agency in agencies:
        for state in states:
            number = figures.find("tasks", agency=agency, state=state)
            if number is not None and number.value:
                quoted.append(show(number))
                rows.append({
                    "agency": agency, "state": state, "place": chr(ord("a") + states.index(state)),
                    "tasks": _plot(str(number.value)), "label": show(number).text,
                })  # fmt: skip
    y = {
        "field": "agency", "type": "nominal", "title": None, "sort": None,
        "axis": {"ticks": False, "domain": False, "labelOverlap": False},
    }  # fmt: skip
    x = {"field": "tasks", "type": "quantitative", "title": None, "stack": "zero", "axis": None}
    colour = {
        "field": "state", "type": "nominal", "legend": None,
        "scale": {"domain": states, "range": [_TASK_COLOURS[s] for s in states]},
    }  # fmt: skip
    order = {"field": "place", "type": "nominal"}
    bars = {"mark": {"type": "bar", "height": 14}, "encoding": {"y": y, "x": x, "color": colour, "order": order}}
    dark = {"test": f"indexof({json.dumps(_DARK, ensure_ascii=False)}, datum.state) >= 0", "value": "#ffffff"}
    inside = {
        "mark": {"type": "text", "fontSize": 11},
        "encoding": {
            "y": y, "x": {**x, "bandPosition": 0.5}, "order": order, "detail": {"field": "state"},
            "text": {"field": "label"}, "color": {"condition": dark, "value": "#111111"},
        },
    }  # fmt: skip
    deep = 20 * len(agencies)
    keys = [entry for n, s in enumerate(states) for entry in _legend(n, s, _TASK_COLOURS[s], deep)]
    return Chart(
        "nhiem-vu",
        figures.words.line("chart_tasks"),
        "; ".join(f"{r['agency']}, {r['state'].lower()}: {r['label']}" for r in rows),
        _spec(rows, 260, 400, deep, [bars, inside, *keys], bottom=30 + 20 * ((len(states) + 1) // 2)),
        quoted=tuple(quoted),
    )


def _count(figures: FigureSet, agency: str, state: str | None = None) -> int:
    found = figures.find("tasks", agency=agency, **({"state": state} if state else {}))
    return int(found.value or 0) if found else 0


def _legend(number: int, name: str, colour: str, below: int) -> list[dict[str, Any]]:
    """One entry of the key under the bars, two to a line."""
    left, down = {"value": -240 + (number % 2) * 300}, {"value": below + 18 + 20 * (number // 2)}
    one = {"values": [{"key": name}]}
    square = {"type": "square", "size": 130, "opacity": 1, "color": colour}
    text = {"type": "text", "align": "left", "baseline": "middle"}
    return [
        {"data": one, "mark": square, "encoding": {"x": left, "y": down}},
        {
            "data": one, "mark": text,
            "encoding": {"x": {"value": left["value"] + 11}, "y": down, "text": {"field": "key"}},
        },
    ]  # fmt: skip


def _plot(number: str) -> int | float:
    """A rate as the plotting library takes it: a position on a scale, not an amount."""
    return json.loads(number)  # type: ignore[no-any-return]


@cache
def _renderer() -> Any:
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    return vl_convert


@lru_cache(maxsize=8)
def _svg(spec: str, name: str) -> str:
    text = str(_renderer().vegalite_to_svg(spec))
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)


def svg(chart: Chart) -> str:
    """The chart as SVG. Ids inside are prefixed, so that several charts can stand in one page."""
    return _svg(json.dumps(chart.spec), chart.name)


def svg_inline(chart: Chart) -> str:
    """For HTML: text and rules take the page's font and colours, so that the chart reads in light and dark."""
    text = (
        svg(chart)
        .replace(INK, "currentColor")
        .replace(f'"{RULE}"', '"var(--rule)"')
        .replace(f'"{RED}"', '"var(--alert)"')
    )
    text = text.replace(_FONT, "inherit")
    return re.sub(r'<svg ([^>]*?)width="[\d.]+" height="[\d.]+"', r'<svg \1role="img"', text, count=1)


def png(chart: Chart) -> bytes:
    """For DOCX, drawn by typst from the SVG with the package's fonts alone, at 180 pixels per inch."""
    from etl.publish import typesetting

    return typesetting.png(svg(chart), chart.width_mm)
