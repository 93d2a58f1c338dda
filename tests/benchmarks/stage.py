"""Where the variants run: a temporary embedded PostgreSQL, sample inboxes, and one fresh process per measurement."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import memory
import psycopg
from psycopg import sql

from etl import settings, steps
from etl.load import allocation, server, warehouse
from etl.period import Period
from etl.reference import province
from etl.sample.month import write_month

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PERIOD = Period(2025, 10)
NOW = datetime(2025, 11, 12, 2, 0, tzinfo=UTC)
NATION = 3321
FIVE_YEARS = tuple(range(2021, 2026))
SAMPLED = ("disbursement", "roadmap", "output_indicator", "proposal", "task_report", "off_budget", "treasury_balance")
FIRST_CODE = 10001
_DAYS_AFTER = {"due": 7, "cutoff": 11, "publish": 14}
_STRINGS = "xl/sharedStrings.xml"


Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Database:
    name: str
    address: str


class Stage:
    """One temporary folder and server; ``prepared`` is a warehouse with schema and reference data only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = settings.Settings(home=folder / "server")
        self._numbers = count(1)
        self.inbox = folder / "inbox"

    def start(self) -> None:
        server.start(self.conf)
        write_month(PERIOD, self.inbox)
        self.prepared = self._prepare("prepared", "lang_son")

    def _prepare(self, name: str, province_folder: str) -> Database:
        """An empty warehouse with the reference data of a province."""
        database = self.database(None, name)
        self._settings(TIENDO_WAREHOUSE_URL=database.address, TIENDO_PROVINCE=province_folder)
        steps.prepare(NOW)
        with warehouse.transaction() as connection:
            allocation.load(connection, self.inbox / "reference" / "allocation.csv", province.load(), NOW)
        return database

    def _settings(self, **values: str) -> None:
        os.environ.update(values, TIENDO_HOME=str(self.folder / "home"))
        settings.reload()

    def database(self, template: Database | None, name: str | None = None) -> Database:
        """A new database, empty or a copy of ``template``; the server is at rest afterwards."""
        name = name or f"run_{next(self._numbers)}"
        copied = template.name if template else "template1"
        with psycopg.connect(server.url("postgres", self.conf), autocommit=True) as connection:
            connection.execute(
                f"create database {name} template {copied}"
                if template
                else f"create database {name} template template0 encoding 'UTF8' "
                "locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'"
            )
            connection.execute("checkpoint")
        return Database(name, server.url(name, self.conf))

    def run(
        self,
        script: str,
        *arguments: str,
        database: Database | None = None,
        inbox: Path | None = None,
        watch: bool = False,
        **environment: str,
    ) -> dict[str, Any]:
        """The figures of one variant, run in a fresh process with a home folder of its own."""
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            env = {
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TIENDO_HOME": home,
                "TIENDO_INBOX": str(inbox or self.inbox),
                "TIENDO_WAREHOUSE_URL": database.address if database else "",
                "TIENDO_PROVINCE": "lang_son",
                **environment,
            }
            command = [sys.executable, str(HERE / script), *arguments]
            process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
            peak = memory.peak_of(process.pid, process.poll) if watch else 0
            output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{script} ended with {process.returncode}")
        figures: dict[str, Any] = json.loads(output.splitlines()[-1])
        return figures | {"peak_bytes": peak}

    def facts(self, database: Database, files: Sequence[Path] | None = None) -> int:
        """Number of fact rows, of all submissions or of these files."""
        tables = ("disbursement", "output_indicator", "task_report", "proposal", "roadmap", "off_budget")
        union = " union all ".join(f"select submission_id from core.{table}" for table in tables)
        query = f"select count(*) from ({union}) as f join raw.submission as s using (submission_id)"
        with warehouse.connect(database.address) as connection:
            row = connection.execute(
                query + " where %s::text[] is null or s.file_name = any(%s)",
                [None if files is None else [f.name for f in files]] * 2,
            ).fetchone()
        return int(row[0]) if row else 0

    def nation(self) -> tuple[Database, Path, Path]:
        """Warehouse, province folder and inbox of a country with 3,321 communes.

        Each workbook is one of the sample's with another commune's code and name in it, so each is read, checked and
        loaded like any other; the figures repeat every 65 workbooks.
        """
        names = {f"{FIRST_CODE + n:05d}": f"Mẫu số {n + 1}" for n in range(NATION)}
        folder = self._country("nation", names)
        inbox = self.folder / "nation-inbox"
        inbox.mkdir()
        sources = [_Source(path, self.inbox) for path in sorted(self.inbox.glob("*.xlsx"))]
        for position, (code, name) in enumerate(names.items()):
            target = inbox / f"BC-MTQG_{code}_{PERIOD}_v1.xlsx"
            target.write_bytes(sources[position % len(sources)].renamed(code, name))
        database = self._prepare("nation", str(folder))
        self._settings(TIENDO_PROVINCE="lang_son")
        return database, folder, inbox

    def five_years(self, source: Database) -> Database:
        """A warehouse with five years of the country, made by SQL (five_years.sql) from a month that was loaded."""
        names = {f"{FIRST_CODE + n:05d}": f"Mẫu số {n + 1}" for n in range(NATION)}
        folder = self._country("five-years", names, valid_from=f"{FIVE_YEARS[0]}-01-01")
        _write_calendar(folder / "calendar.csv")
        database = self.database(None, "five_years")
        self._settings(TIENDO_WAREHOUSE_URL=database.address, TIENDO_PROVINCE=str(folder))
        steps.prepare(NOW)
        with warehouse.connect(source.address) as month, warehouse.transaction() as connection:
            # Made as a restore makes rows: no trigger runs and no foreign key is looked up, row by row.
            connection.execute("set session_replication_role = replica")
            connection.execute("create schema sample; create schema bench")
            for table in (*(f"core.{name}" for name in SAMPLED), "ref.allocation"):
                _copy_over(month, connection, table, f"sample.{table.partition('.')[2]}")
            connection.execute((HERE / "five_years.sql").read_bytes())
            connection.execute("analyze")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_facts_of_year, FIVE_YEARS))
        with warehouse.connect() as connection:
            connection.autocommit = True
            connection.execute("vacuum analyze")
        with warehouse.transaction() as connection:
            connection.execute("set tiendo.refresh = 'later'")
            connection.execute("select core.note_everything()")
            connection.execute("select core.refresh()")
        with warehouse.transaction() as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute((HERE / "five_years_figures.sql").read_bytes())
            connection.execute("drop schema sample cascade; drop schema bench cascade")
        with warehouse.connect() as connection:
            connection.autocommit = True
            connection.execute("vacuum analyze")
        self._settings(TIENDO_PROVINCE="lang_son")
        return database

    def _country(self, name: str, names: dict[str, str], **more: str) -> Path:
        """A province folder with these communes, by code, instead of the sample's."""
        folder = self.folder / name
        shutil.copytree(settings.Settings(province="lang_son").reference_dir, folder)
        path = folder / "communes.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            model = next(csv.DictReader(handle))
        own = [
            {"commune_code": code, "name_vi": f"Xã {short}", "short_name_vi": short, "kind": "xã"}
            for code, short in names.items()
        ]
        _write_csv(path, [model | row | more for row in own])
        former = folder / "former_units.csv"  # of the real communes
        former.write_text(former.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
        return folder


def _write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def _write_calendar(path: Path) -> None:
    """Twelve months and the closing January of each year."""
    months = [(year, year + (n > 12), (n - 1) % 12 + 1) for year in FIVE_YEARS for n in range(1, 14)]
    _write_csv(
        path,
        [
            {"period": period, "budget_year": budget_year}
            | {"as_of": period.last_day, "opens_on": period.last_day}
            | {f"{name}_on": period.last_day + timedelta(days) for name, days in _DAYS_AFTER.items()}
            | {"is_closing": "yes" if year > budget_year else "no", "verified": "no"}
            for budget_year, year, month in months
            for period in [Period(year, month)]
        ],
    )


def _copy_over(source: Connection, target: Connection, table: str, name: str) -> None:
    """A table of one database into another, with its columns."""
    old, new = sql.Identifier(*table.split(".")), sql.Identifier(*name.split("."))
    target.execute(sql.SQL("create table {} (like {})").format(new, old))
    rows = source.cursor().copy(sql.SQL("copy (select * from {}) to stdout").format(old))
    with rows as out, target.cursor().copy(sql.SQL("copy {} from stdin").format(new)) as copy:
        for part in out:
            copy.write(part)


def _facts_of_year(year: int) -> None:
    with warehouse.transaction() as connection:
        connection.execute("set session_replication_role = replica")
        for statement in (HERE / "five_years_facts.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), {"year": year})


class _Source:
    """A sample workbook whose text table can be written anew; the other parts are copied as they are."""

    def __init__(self, path: Path, inbox: Path) -> None:
        self.code = path.name.split("_")[1]
        rest = io.BytesIO()
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(rest, "w", zipfile.ZIP_DEFLATED) as other:
            self.strings = archive.read(_STRINGS).decode("utf-8")
            for entry in archive.infolist():
                if entry.filename != _STRINGS:
                    other.writestr(entry, archive.read(entry), zipfile.ZIP_DEFLATED)
        self.rest = rest.getvalue()

    def renamed(self, code: str, name: str) -> bytes:
        heading = f"<t>UBND {province.load().communes[self.code].name_vi.upper()}</t>"
        if heading not in self.strings:
            raise ValueError(f"{self.code}: heading {heading} not found")
        strings = self.strings.replace(heading, f"<t>UBND XÃ {name.upper()}</t>").replace(self.code, code)
        data = io.BytesIO(self.rest)
        with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_STRINGS, strings)
        return data.getvalue()


@contextmanager
def open_stage() -> Iterator[Stage]:
    """The stage, taken down again whatever happens."""
    for name in [name for name in os.environ if name.startswith("TIENDO_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="tiendo-bench-") as folder:
        # The server runs as a user of its own when we are root; it must be able to enter.
        Path(folder).chmod(0o755)
        stage = Stage(Path(folder))
        try:
            stage.start()
            yield stage
        finally:
            server.stop(stage.conf)
