"""Runs a checker over the corpus and counts: recall (right rule at the right cell), precision, facts, time."""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection

from etl.reference import forms
from tests.corpus.base import base
from tests.corpus.draft import Draft
from tests.corpus.item import Expected, FactKey, Facts, Found, Hostile, Item, Made, Outcome, Value

Batch = Callable[[list[tuple[str, bytes]]], list[list[Outcome]]]
"""Many files at once -> the outcomes of each."""

_CHUNK = 70
"""A batch of checks costs the same for few and for many; two workers should still get several each."""


@dataclass(frozen=True)
class Score:
    """One item: what was expected and found, and what was not."""

    name: str
    defect: str
    expected: int
    missed: tuple[str, ...]
    extra: tuple[str, ...]
    verdict: str = ""
    """Empty when it is right."""
    facts: tuple[str, ...] = ()
    """Values that came out wrong."""
    crash: str = ""

    @property
    def right(self) -> bool:
        return not (self.missed or self.extra or self.verdict or self.facts or self.crash)


@dataclass
class Total:
    scores: list[Score] = field(default_factory=list)
    build_seconds: float = 0.0
    check_seconds: float = 0.0

    @property
    def expected(self) -> int:
        return sum(s.expected for s in self.scores)

    @property
    def recall(self) -> float:
        return 1 - sum(len(s.missed) for s in self.scores) / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        hits = sum(s.expected - len(s.missed) for s in self.scores)
        found = hits + sum(len(s.extra) for s in self.scores)
        return hits / found if found else 1.0

    @property
    def without_extra(self) -> float:
        """Share of items with no finding beyond those expected."""
        return sum(not s.extra for s in self.scores) / len(self.scores) if self.scores else 1.0

    @property
    def wrong(self) -> list[Score]:
        return [s for s in self.scores if not s.right]


def compare(item: Item, outcomes: Sequence[Outcome]) -> Score:
    """The score of one item, given what the checker said of its file."""
    missed: list[str] = []
    extra: list[str] = []
    verdicts: list[str] = []
    facts: list[str] = []
    answers = item.answers
    for answer, outcome in zip(answers, _ordered(answers, outcomes), strict=True):
        if outcome is None:
            missed += [_shown(f) for f in answer.findings]
            verdicts.append(f"không có kết quả cho {answer.file_name}")
            continue
        lost, more = _matched(answer.findings, outcome.findings)
        missed += [_shown(f) for f in lost]
        extra += [f"{_shown(f)} {f.message}" for f in more]
        if outcome.verdict != answer.verdict:
            verdicts.append(f"{outcome.verdict} thay vì {answer.verdict}")
        if answer.facts is not None:
            facts += _wrong_facts(answer.facts, outcome.facts)
    if len(outcomes) > len(answers):
        verdicts.append(f"{len(outcomes)} kết quả thay vì {len(answers)}")
    total = sum(len(a.findings) for a in answers)
    return Score(item.name, item.defect, total, tuple(missed), tuple(extra), "; ".join(verdicts), tuple(facts))


def _ordered(answers: Sequence[Made], outcomes: Sequence[Outcome]) -> list[Outcome | None]:
    if len(answers) == 1:
        return [outcomes[0] if outcomes else None]
    by_name = {o.file_name.rsplit("/", 1)[-1]: o for o in outcomes}
    return [by_name.get(a.file_name.rsplit("/", 1)[-1]) for a in answers]


def _matched(expected: Iterable[Expected], found: Iterable[Found]) -> tuple[list[Expected], list[Found]]:
    """Expected ones that were not found, and found ones that were not expected. Each finding answers one."""
    left = list(found)
    missed = []
    # Those with one right place choose first.
    for want in sorted(expected, key=lambda e: len(e.or_at)):
        hits = [f for f in left if (f.rule, f.severity) == (want.rule, want.severity) and _place(f) in want.places]
        if hits:
            left.remove(hits[0])
        else:
            missed.append(want)
    return missed, left


def _place(found: Found) -> tuple[str | None, str | None]:
    return found.sheet or None, found.cell or None


def _shown(finding: Expected | Found) -> str:
    return f"{finding.rule} {finding.severity} {finding.sheet or '-'}!{finding.cell or '-'}"


_CODES = frozenset(c.key for s in forms.load().sheets for c in s.columns if c.kind == "code")


def _plain(facts: Facts) -> dict[FactKey, Value]:
    """Codes in upper case: a checker may keep them as typed or as matched."""
    return {
        (form, row.upper(), key): value.upper() if key in _CODES and isinstance(value, str) else value
        for (form, row, key), value in facts.items()
    }


def _wrong_facts(wanted: Facts, got: Facts) -> list[str]:
    wanted, got = _plain(wanted), _plain(got)
    wrong = [f"{'/'.join(k)}: {got.get(k)!r} thay vì {v!r}" for k, v in wanted.items() if got.get(k) != v]
    rows = {k[:2] for k in wanted}
    wrong += [f"{'/'.join(r)}: dòng thừa" for r in sorted({k[:2] for k in got} - rows) if r[0] != "off_budget"]
    return wrong


_jobs: list[Item] = []
_batch: Batch | None = None


_made: dict[str, tuple[str, bytes]] = {}
"""Items that were built already, by name."""


def built(items: Sequence[Item], workers: int = 2) -> list[tuple[str, bytes]]:
    """(file name, bytes) of the items, in their order; each is built once in the life of the process."""
    _jobs[:] = [item for item in items if item.name not in _made]
    spans = [range(n, min(n + _CHUNK, len(_jobs))) for n in range(0, len(_jobs), _CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for span, files in zip(spans, pool.map(_build, spans), strict=True):
            _made.update(zip((_jobs[n].name for n in span), files, strict=True))
    return [_made[item.name] for item in items]


def _build(span: range) -> list[tuple[str, bytes]]:
    return [(_jobs[n].file_name, _jobs[n].build()) for n in span]


def _run(span: range) -> tuple[list[Score], float, float]:
    assert _batch is not None
    chosen = [_jobs[n] for n in span]
    start = time.perf_counter()
    files = [_made.get(i.name) or (i.file_name, i.build()) for i in chosen]
    built = time.perf_counter()
    try:
        outcomes = _batch(files)
    except Exception:
        outcomes = []
    checked = time.perf_counter()
    if len(outcomes) == len(chosen):
        scores = [compare(i, o) for i, o in zip(chosen, outcomes, strict=True)]
    else:
        scores = [_alone(i, f) for i, f in zip(chosen, files, strict=True)]
    return scores, built - start, checked - built


def _alone(item: Item, file: tuple[str, bytes]) -> Score:
    """A batch that failed is repeated one by one, to find the file that did it."""
    assert _batch is not None
    try:
        return compare(item, _batch([file])[0])
    except Exception as error:
        missed = tuple(_shown(f) for a in item.answers for f in a.findings)
        return Score(item.name, item.defect, len(missed), missed, (), crash=f"{type(error).__name__}: {error}"[:200])


def measure(items: Sequence[Item], batch: Batch, workers: int = 2) -> Total:
    """Builds and checks all items in worker processes, in the order given."""
    global _batch
    _jobs[:], _batch = items, batch
    spans = [range(n, min(n + _CHUNK, len(items))) for n in range(0, len(items), _CHUNK)]
    total = Total()
    if workers == 1 or len(spans) == 1:
        results = map(_run, spans)
        for scores, built, checked in results:
            _add(total, scores, built, checked)
        return total
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for scores, built, checked in pool.map(_run, spans):
            _add(total, scores, built, checked)
    return total


def _add(total: Total, scores: list[Score], built: float, checked: float) -> None:
    total.scores += scores
    total.build_seconds += built
    total.check_seconds += checked


@dataclass(frozen=True)
class HostileScore:
    name: str
    seconds: float
    megabytes: float
    """How far the peak of the process grew while it was checked."""
    problem: str


def measure_hostile(
    files: Sequence[Hostile], batch: Batch, read: Callable[[str, bytes], None] | None = None
) -> list[HostileScore]:
    """Each file alone in a process of its own, so that memory is its own and a death takes nobody along.

    A sound workbook goes first: what a checker loads once is not the hostile file's doing. With ``read`` the time is
    that of opening and reading; the checks of what could be read are paid once for a whole batch.
    """
    made = Draft(base(0)).made()
    batch([(made.file_name, made.build())])
    return [_in_a_process(f, batch, read) for f in files]


def _in_a_process(file: Hostile, batch: Batch, read: Callable[[str, bytes], None] | None) -> HostileScore:
    data = file.build()
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_check_hostile, args=(file, data, batch, read, sender))
    child.start()
    sender.close()
    answer: HostileScore | None = None
    if receiver.poll(30):
        try:
            answer = receiver.recv()
        except EOFError:
            answer = None
    if child.is_alive() and answer is None:
        child.kill()
    child.join()
    return answer or HostileScore(file.name, 30.0, 0.0, "tiến trình chết hoặc quá 30 giây")


def _check_hostile(
    file: Hostile, data: bytes, batch: Batch, read: Callable[[str, bytes], None] | None, sender: Connection
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    seconds = 0.0
    try:
        if read:
            read(file.file_name, data)
            seconds = time.perf_counter() - start
        outcomes = batch([(file.file_name, data)])[0]
        problem = hostile_problem(file, outcomes)
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"[:300]
    seconds = seconds or time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sender.send(HostileScore(file.name, seconds, grown, problem))
    os._exit(0)


def hostile_problem(file: Hostile, outcomes: Sequence[Outcome]) -> str:
    """Empty when the file was refused for a right reason or read as it must be."""
    if len(outcomes) != 1:
        return f"{len(outcomes)} kết quả"
    outcome = outcomes[0]
    if outcome.verdict == "refused":
        rules = {f.rule for f in outcome.findings}
        if len(outcome.findings) == 1 and rules <= file.rules:
            return ""
        return f"từ chối vì {sorted(rules)} thay vì {sorted(file.rules) or 'đọc'}"
    if file.expected is None:
        return f"không từ chối: {outcome.verdict} {[_shown(f) for f in outcome.findings][:5]}"
    answer = file.expected
    score = compare(Item(file.name, "hostile", "42", lambda: answer), outcomes)
    return "" if score.right else f"{score.missed} {score.extra[:3]} {score.verdict} {score.facts[:3]}"


def table(total: Total) -> str:
    """Per class: items, expected findings, missed, extra, wrong verdicts, wrong facts."""
    rows: dict[str, Counter[str]] = {}
    for s in total.scores:
        row = rows.setdefault(s.defect, Counter())
        row["items"] += 1
        row["expected"] += s.expected
        row["missed"] += len(s.missed)
        row["extra"] += len(s.extra)
        row["verdict"] += bool(s.verdict)
        row["facts"] += bool(s.facts)
        row["crash"] += bool(s.crash)
        row["right"] += s.right
    keys = ("items", "right", "expected", "missed", "extra", "verdict", "facts", "crash")
    lines = [f"{'class':44}" + "".join(f"{k:>9}" for k in keys)]
    lines += [f"{name:44}" + "".join(f"{row[k]:>9}" for k in keys) for name, row in rows.items()]
    return "\n".join(lines)


def misses(total: Total, most: int = 1000) -> str:
    lines = []
    for s in total.wrong[:most]:
        lines.append(s.name)
        lines += [f"    thiếu  {m}" for m in s.missed[:6]]
        lines += [f"    thừa   {m[:170]}" for m in s.extra[:6]]
        lines += [f"    kết luận  {s.verdict}"] if s.verdict else []
        lines += [f"    số liệu  {m[:150]}" for m in s.facts[:4]]
        lines += [f"    lỗi chương trình  {s.crash}"] if s.crash else []
    return "\n".join(lines)


def headline(name: str, total: Total) -> str:
    return (
        f"{name}: {len(total.scores)} tệp, {total.expected} lỗi cài; recall {total.recall:.2%}, "
        f"precision {total.precision:.2%}, không báo thừa {total.without_extra:.2%}, "
        f"đúng hoàn toàn {sum(s.right for s in total.scores)}; dựng {total.build_seconds:.1f} s, "
        f"kiểm tra {total.check_seconds:.1f} s (cộng các tiến trình)"
    )
