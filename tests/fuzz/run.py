"""Feeds the guard and the reader with damaged files for some minutes (``make fuzz``).

Each seed makes one file: a sound report in one of the kinds that offices send, with bytes changed, cut or doubled, with
entries of its package or pieces of its XML changed, or nothing but noise. Every file must get an answer: no exception
comes out, no process dies, none hangs. A seed that breaks this is printed; ``--seed N`` runs it alone.
"""

from __future__ import annotations

import argparse
import io
import logging
import random
import re
import sys
import time
import zipfile
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from etl.collect import guard, package, reader
from etl.reference import province
from etl.validate import check
from tests import corpus

HANG_SECONDS = 25
KINDS = ("m38-xls", "m38-ods", "m38-csv", "m38-docx", "m15", "m35", "m41-zip")
SPLICES = (
    b"", b"<", b">", b"&", b"\0", b"9" * 40, b'"', b"<c", b"</row>", b'r="XFD1048576"', b"<f>A1</f>", b"1e999", b"-",
    b"<!DOCTYPE a>", b't="s"', b"<v>-1</v>", "ệ".encode(), b"\xff\xfe", b"number-rows-repeated=\"1048576\"",
)  # fmt: skip


@cache
def sources() -> list[tuple[str, bytes]]:
    items = [*corpus.valid()[:6]] + [item for kind in KINDS for item in corpus.items(kind)[:2]]
    return [(item.file_name, item.build()) for item in items]


def damaged(seed: int) -> tuple[str, bytes]:
    """The file of a seed."""
    rng = random.Random(seed)
    name, data = rng.choice(sources())
    way = rng.randrange(6)
    if way == 0:
        return name, rng.randbytes(rng.randrange(4000))
    if way == 1:
        return name, data[: rng.randrange(len(data))] + rng.randbytes(rng.randrange(3) * 50)
    if way < 4 and data[:2] == b"PK":
        return name, _repacked(data, rng)
    return name, _changed(data, rng, 1 + rng.randrange(40))


def _changed(data: bytes, rng: random.Random, times: int) -> bytes:
    body = bytearray(data)
    for _ in range(times):
        at = rng.randrange(len(body) + 1)
        if rng.random() < 0.5:
            body[at : at + 1] = rng.randbytes(1)
        else:
            body[at : at + rng.choice((0, 0, 1, 5, 200))] = rng.choice(SPLICES)
    return bytes(body)


def _repacked(data: bytes, rng: random.Random) -> bytes:
    """The package with some of its parts damaged, left out or doubled, everything else in order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = set(rng.sample(old.namelist(), k=min(len(old.namelist()), 1 + rng.randrange(3))))
        for entry in old.infolist():
            part = old.read(entry)
            if entry.filename in chosen:
                way = rng.randrange(4)
                if way == 0:
                    continue
                if way == 1 and len(part) > 10:
                    marks = [m.start() for m in re.finditer(rb"[<>\"=]", part)] or [0]
                    for at in sorted(rng.sample(marks, k=min(len(marks), 5)), reverse=True):
                        part = part[:at] + rng.choice(SPLICES) + part[at + rng.randrange(3) :]
                elif way == 2:
                    part = _changed(part, rng, 5)
                else:
                    part = part[: rng.randrange(len(part) + 1)]
            new.writestr(entry.filename, part)
    return buffer.getvalue()


def answer(seed: int) -> None:
    """What the pipeline does with the file up to its control columns; raises when it gets no answer."""
    name, data = damaged(seed)
    where = province.load()
    members = package.unpack(name, data) if package.is_package(data) else None
    files = [(m.name, m.data) for m in members] if isinstance(members, list) else [(name, data)]
    for file_name, content in files:
        guard.inspect(content)
        report = reader.read(file_name, content, where)
        check.prepare(report, where, check.tasks_of(where))
        if report.refused and not report.issues:
            raise AssertionError("refused without a reason")


def _work(first: int, step: int, until: float, at: Any, done: Any) -> None:
    logging.disable(logging.CRITICAL)
    seed = first
    while time.monotonic() < until:
        at.value = seed
        try:
            answer(seed)
        except BaseException as error:
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
        done.value += 1
        seed += step


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone")
    options = parser.parse_args()
    sources()
    if options.seed is not None:
        answer(options.seed)
        return 0
    context = get_context("fork")
    until = time.monotonic() + options.minutes * 60
    broken = 0
    places = [(context.Value("q", options.first + n), context.Value("q", 0)) for n in range(options.workers)]

    def start(number: int, first: int) -> Any:
        process = context.Process(target=_work, args=(first, options.workers, until, *places[number]))
        process.start()
        return process

    processes = [start(n, options.first + n) for n in range(options.workers)]
    last = [(-1, time.monotonic())] * options.workers
    while any(p.is_alive() for p in processes) or time.monotonic() < until:
        time.sleep(0.5)
        for n, process in enumerate(processes):
            seed = places[n][0].value
            if seed != last[n][0]:
                last[n] = (seed, time.monotonic())
            hangs = process.is_alive() and time.monotonic() - last[n][1] > HANG_SECONDS
            if hangs or (not process.is_alive() and process.exitcode):
                print(f"seed {seed}: {'hangs' if hangs else f'process ended with {process.exitcode}'}", flush=True)
                broken += 1
                process.kill()
                process.join()
                processes[n] = start(n, seed + options.workers)
        if time.monotonic() > until + HANG_SECONDS * 2:
            break
    print(f"{sum(done.value for _, done in places)} files, {broken} processes lost")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
