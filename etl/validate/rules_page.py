"""``expectations/README.md``: the catalogue as people read it, in Vietnamese and English, made from the suites."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from etl.validate import catalogue, catalogue_check, declared

_LEVELS = {"error": "Lỗi · error", "warning": "Cảnh báo · warning", "info": "Lưu ý · info"}
_STATES = {"on": "áp dụng · on", "beta": "thử · beta", "retired": "thôi dùng · retired"}


def text() -> str:
    """The whole page, in Markdown."""
    environment = Environment(
        loader=PackageLoader("etl.validate", "templates"), undefined=StrictUndefined, keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown
    )  # fmt: skip
    environment.filters["cell"] = lambda content: content.replace("|", "\\|")
    return environment.get_template("rules.md.j2").render(
        suites=[_suite(name) for name in (*declared.SUITES, *declared.OTHER_SUITES, "intake")],
        phases=", ".join(f"`{phase}`" for phase in declared.PHASES),
        types=tuple(catalogue_check.TYPES),
        levels=_LEVELS,
        states=_STATES,
    )


def _suite(name: str) -> dict[str, Any]:
    """``rules`` are expectations; ``met`` what is met while a file is read: it has no expectation."""
    met = {"intake": catalogue.intake, "treasury": catalogue.statement}.get(name, dict)()
    rules = () if name == "intake" else catalogue.of_suite(name)
    return {"name": name, **catalogue.meta(name), "rules": rules, "met": met}
