"""Every snippet of the analysts' guide runs as it stands, with an analyst's login."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from etl import settings
from etl.load import analyst, server
from etl.load import warehouse as db
from etl.publish import export
from tests.sql.conftest import point
from tests.sql.published import OCTOBER, Published

GUIDE = Path(__file__).parents[2] / "sql" / "GUIDE.md"
SNIPPETS = re.findall(r"^```(sql|sh|python)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
ADDRESS = "phan_tich:MAT_KHAU@may-chu:5432/tiendo"


@pytest.fixture(scope="module")
def office(published_once: Published) -> Iterator[tuple[str, Path]]:
    """What stands in the guide for the address, and the folder of an export."""
    with pytest.MonkeyPatch.context() as patch:
        point(patch, published_once.address, published_once.home)
        out = published_once.home / "guide" / "DIR"
        with db.connect() as connection:
            export.write(connection, out, published_once.releases[OCTOBER], ["disbursement_rate"])
            password = analyst.create_login(connection, "phan_tich")
            connection.commit()
            told = conninfo_to_dict(connection.info.dsn)
        yield f"phan_tich:{password}@/{told['dbname']}?host={told['host']}", out.parent
        with db.connect() as connection:
            analyst.drop_login(connection, "phan_tich")
            connection.commit()
    settings.reload()


@pytest.mark.parametrize(("kind", "text"), SNIPPETS, ids=[f"{n:02d}-{k}" for n, (k, _) in enumerate(SNIPPETS, 1)])
def test_the_snippet_runs(office: tuple[str, Path], kind: str, text: str) -> None:
    address, folder = office
    psql = server.client("psql")
    if kind == "sql":
        command = [psql, f"postgresql://{address}", "-X", "-v", "ON_ERROR_STOP=1", "-c", text]
    elif kind == "sh":
        assert text.startswith("psql ")
        command = ["sh", "-ec", text.replace(ADDRESS, address)]
    else:
        command = [sys.executable, "-c", text.replace(ADDRESS, address).replace("DIR/", f"{folder}/DIR/")]
    environment = os.environ | {"PATH": f"{psql.parent}:{os.environ['PATH']}", "PAGER": "cat"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=GUIDE.parents[1], env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    assert "(0 rows)" not in done.stdout


def test_the_guide_has_a_snippet_for_each_way_to_ask() -> None:
    kinds = [kind for kind, _ in SNIPPETS]
    assert (kinds.count("sql"), kinds.count("sh"), kinds.count("python")) == (6, 2, 2)


def test_the_three_views_of_a_figure_differ_as_the_guide_says(office: tuple[str, Path], published: Published) -> None:
    now, then, at = [text for kind, text in SNIPPETS if kind == "sql" and "rate_total from" in text]
    with db.connect() as connection:
        paid = [
            connection.execute(text.replace("rate_total", "disb_ytd").replace("release_id, ", "")).fetchone()
            for text in (now, then, at)
        ]
    assert paid[1] == paid[2]
    assert paid[0] is not None
    assert paid[1] is not None
    assert paid[0][0] - paid[1][0] == 1_000_000
