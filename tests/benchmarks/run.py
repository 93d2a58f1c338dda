"""Measures the pipeline against the usual way and the floor, side by side in one run (``make bench``).

What the rows mean and how they are measured: README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import stage as stages  # noqa: E402  the folder of the script is on the path, the project's root only now

from etl import settings  # noqa: E402

USUAL_FILES = 13
"""The usual way takes too long for all 65 workbooks: every fifth, scaled by the file."""
GIB = 1024**3
PARTS = ("month", "nation", "dags", "pack", "rules", "questions")


@dataclass(frozen=True)
class Row:
    """One line of the table; ``reached`` is None where there is no goal."""

    name: str
    measured: str
    goal: str = ""
    reached: bool | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="these parts only")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each variant (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    options = parser.parse_args()
    parts = options.only or PARTS
    rows: list[Row] = []
    raw: dict[str, Any] = {}
    with stages.open_stage() as stage:
        bench = Bench(stage, options.repeat, raw)
        chosen: dict[str, Callable[[], list[Row]]] = {
            "month": bench.month, "nation": bench.nation, "dags": bench.dags, "pack": bench.pack,
            "rules": bench.rules, "questions": bench.questions,
        }  # fmt: skip
        for part in parts:
            rows += chosen[part]()
    print_table(rows)
    if options.json:
        figures = {"machine": machine(), "rows": [asdict(row) for row in rows], "runs": raw}
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


class Bench:
    """The measurements; each variant runs ``repeat`` times, in turns, and the fastest run counts."""

    def __init__(self, stage: stages.Stage, repeat: int, raw: dict[str, Any]) -> None:
        self.stage, self.repeat, self.raw = stage, repeat, raw
        self._month: stages.Database | None = None

    def _measure(self, name: str, script: str, *arguments: str, **more: Any) -> dict[str, Any]:
        say(name)
        figures = self.stage.run(script, *arguments, **more)
        self.raw.setdefault(name, []).append(figures)
        return figures

    def _ours(self, name: str = "ours") -> stages.Database:
        database = self.stage.database(self.stage.prepared)
        self._measure(name, "ours.py", database=database)
        return database

    def _warm_up(self) -> stages.Database:
        """A warehouse with the month in it, from a run that does not count: it brings the files into the cache."""
        self._month = self._month or self._ours("warm-up")
        return self._month

    def month(self) -> list[Row]:
        files = sorted(self.stage.inbox.glob("*.xlsx"))
        part = files[:: len(files) // USUAL_FILES][:USUAL_FILES]
        source = self._warm_up()
        for n in range(self.repeat):
            ours = self._ours()
            floor = self.stage.database(self.stage.prepared)
            self._measure("floor", "floor.py", source.address, database=floor)
            usual = self.stage.database(self.stage.prepared)
            self._measure("usual", "usual.py", *map(str, part), database=usual)
            if n == 0:
                expect("the floor's rows", self.stage.facts(floor), self.stage.facts(ours))
                expect("the usual way's rows", self.stage.facts(usual), self.stage.facts(ours, part))
        loaded = self.stage.facts(source)
        ours_s, floor_s, usual_s = (self._best(name) / self._files(name) for name in ("ours", "floor", "usual"))
        return [
            Row(f"ours: {len(files)} workbooks, {loaded} facts", self._times("ours")),
            Row("floor: the same files and rows", self._times("floor")),
            Row(f"usual way: {len(part)} of the workbooks", self._times("usual")),
            Row("imports: ours / floor / usual", self._imports("ours", "floor", "usual")),
            goal("ours / floor", ours_s / floor_s, "at most", 4),
            goal("usual way / ours, by the workbook", usual_s / ours_s, "at least", 20),
        ]

    def nation(self) -> list[Row]:
        if "ours" not in self.raw:
            self._warm_up()
            for _ in range(self.repeat):
                self._ours()
        say("workbooks of the nation")
        database, folder, inbox = self.stage.nation()
        figures = self._measure(
            "nation", "ours.py", database=database, inbox=inbox, watch=True, TIENDO_PROVINCE=str(folder)
        )
        expect("accepted workbooks of the nation", figures["accepted"], stages.NATION)
        per_file, of_65 = self._best("nation") / stages.NATION, self._best("ours") / self._files("ours")
        return [
            Row(
                f"nation: {figures['files']} workbooks, {self.stage.facts(database)} facts",
                f"{figures['wall_s']:.1f} s; {per_file * 1000:.1f} ms each (of 65: {of_65 * 1000:.1f} ms)",
            ),
            goal("nation / month, by the workbook", per_file / of_65, "at most", 1.2),
            goal("peak memory of the processes, GiB", figures["peak_bytes"] / GIB, "at most", 1.5),
        ]

    def dags(self) -> list[Row]:
        home = self.stage.folder / "airflow"
        environment = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        files = sorted((ROOT / "dags").glob("*.py"))
        for _ in range(self.repeat + 1):
            self._measure("airflow.sdk", "dag_file.py", **environment)
            for path in files:
                self._measure(path.name, "dag_file.py", str(path), **environment)
        for name in ("airflow.sdk", *(path.name for path in files)):
            self.raw[name].pop(0)
        alone = self._best("airflow.sdk")
        rows = [Row("import airflow.sdk alone", self._times("airflow.sdk"))]
        return rows + [
            goal(f"reading {path.name} / airflow.sdk", self._best(path.name) / alone, "at most", 1.3) for path in files
        ]

    def pack(self) -> list[Row]:
        from etl.load import warehouse
        from etl.publish import release

        database = self._warm_up()
        with warehouse.connect(database.address) as connection:
            frozen = release.freeze(connection, stages.PERIOD, stages.NOW, self.stage.folder / "out")
        for _ in range(self.repeat):
            self._measure("pack", "pack.py", frozen["release_id"], "documents", database=database)
            self._measure("letters", "pack.py", frozen["release_id"], "letters", database=database)
        return [
            goal("committee pack without letters, seconds", self._best("pack"), "at most", 3),
            goal("letters of all communes, seconds", self._best("letters"), "at most", 5),
            Row("imports: pack", self._imports("pack")),
        ]

    def rules(self) -> list[Row]:
        for _ in range(self.repeat):
            self._measure("rules", "rules.py")
        best = {
            name: min(run[f"{name}_s"] for run in self.raw["rules"])
            for name in ("clean", "one_commune", "one_column", "everything")
        }
        return [
            goal("checks of a month, seconds", best["clean"], "at most", 3),
            goal("with one commune wholly wrong, seconds", best["one_commune"], "at most", 3),
            goal("with one column wrong everywhere, seconds", best["one_column"], "at most", 3),
            goal("with everything wrong everywhere, seconds", best["everything"], "at most", 3),
            Row("everything wrong / clean", f"{best['everything'] / best['clean']:.2f}"),
        ]

    def questions(self) -> list[Row]:
        say("five years of the nation, some twenty minutes")
        database = self.stage.five_years(self._warm_up())
        figures = self._measure("questions", "questions.py", str(self.repeat), database=database)
        asked = {name: math.inf if s is None else s for name, s in figures["questions"].items()}
        marts = {name: math.inf if s is None else s for name, s in figures["marts"].items()}
        seconds, slowest = sorted(asked.values()), max(asked, key=lambda name: asked[name])
        return [
            Row(f"five years of the nation: {self.stage.facts(database)} facts", f"{figures['gib']:.1f} GiB"),
            goal("20 questions, p95 in ms", 1000 * seconds[-(len(seconds) // 20 + 1)], "at most", 300),
            Row(f"slowest: {slowest}", f"{1000 * seconds[-1]:.0f} ms"),
            Row(f"{len(marts)} marts, one month of each: median", f"{1000 * statistics.median(marts.values()):.0f} ms"),
            *(Row(f"  {name}, s (inf: given up)", f"{s:.1f}") for name, s in marts.items() if s > 1),
        ]

    def _best(self, name: str) -> float:
        return float(min(run["wall_s"] for run in self.raw[name]))

    def _files(self, name: str) -> int:
        return int(self.raw[name][0]["files"])

    def _times(self, name: str) -> str:
        walls = [run["wall_s"] for run in self.raw[name]]
        cpu = min(run["cpu_s"] for run in self.raw[name])
        return f"{min(walls):.2f} s (median {statistics.median(walls):.2f}, CPU {cpu:.2f})"

    def _imports(self, *names: str) -> str:
        return " / ".join(f"{min(run['imports_s'] for run in self.raw[name]):.2f}" for name in names) + " s"


def goal(name: str, value: float, kind: str, bound: float) -> Row:
    reached = value <= bound if kind == "at most" else value >= bound
    return Row(name, f"{value:.2f}", f"{kind} {bound}", reached)


def expect(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found}, expected {wanted}")


def machine() -> str:
    load = os.getloadavg()[0]
    return f"{settings.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}"


def say(what: str) -> None:
    print(f"  {what} …", file=sys.stderr, flush=True)


def print_table(rows: Sequence[Row]) -> None:
    words = {True: "yes", False: "NO", None: ""}
    lines = [("what", "measured", "goal", "reached"), *((r.name, r.measured, r.goal, words[r.reached]) for r in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(4)]
    print(f"{machine()}; the fastest run counts, library imports apart")
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
