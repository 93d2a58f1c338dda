"""Templates of the site's pages: everything is escaped, a name that is not given is an error."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from etl import clock
from etl.publish import approval, calendar, standing, text
from etl.publish.changes import CAUSES
from etl.publish.site import figure_pages, words

_TEMPLATES = Path(__file__).parent / "templates"
_NAVIGATION = (
    ("index.html", "Các bản tổng hợp"),
    ("cach-doc.html", "Cách đọc"),
    ("lich-cong-bo.html", "Lịch công bố"),
    ("quy-tac.html", "Quy tắc kiểm tra"),
    ("tu-dien.html", "Từ điển dữ liệu"),
    ("thuat-ngu.html", "Thuật ngữ"),
)


class Pages:
    """``province`` and ``issuer`` as the newest release has them."""

    def __init__(self, province: str, issuer: str) -> None:
        self.province = province
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            navigation=_NAVIGATION,
            province=province,
            issuer=issuer,
            moment=clock.show,
            day=clock.show_date,
            shown=calendar.shown,
            size=words.size,
            number=words.number_vi,
            metric=words.metric,
            anchor=figure_pages.anchor,
            causes=CAUSES,
            decisions=approval.DECISIONS,
            levels=words.SEVERITIES,
            standing=standing.DEFINITION,
        )
        self._environment.filters.update(clean=text.clean, address=quote)

    def render(self, name: str, template: str, **context: Any) -> bytes:
        """``name``: the page's place in the site, from which its links count."""
        root = "../" * (len(PurePosixPath(name).parts) - 1)
        return self._environment.get_template(template).render(root=root, here=name, **context).encode("utf-8")

    @staticmethod
    def text(name: str) -> str:
        """A style sheet or script as it stands."""
        return (_TEMPLATES / name).read_text(encoding="utf-8")
