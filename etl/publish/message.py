"""The message for chat or SMS (tin-nhan): at most 1,000 characters, whole sentences, the most important first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from etl.publish import sentences, tables
from etl.publish.figure import FigureSet
from etl.publish.model import Span, Spans, joined
from etl.publish.text import listing
from etl.publish.words import unsigned

LIMIT = 1000
_NAMES, _LOWEST = 12, 5


def build(figures: FigureSet) -> Spans:
    """The sentences that fit; the head, the coverage and the number of the release always do."""
    words = figures.words
    n, of, missing = (figures.get(f"communes_{name}") for name in ("reported", "expected", "not_reporting"))
    variant = "all" if not missing.value else "some" if n.value else "none"
    covered = words.say("message_coverage", variant, n=n, of=of, m=missing)
    end = words.say("message_release", release=Span(figures.release_id))
    said = [_head(figures), covered]
    for more in _more(figures):
        if more and length(listing([*said, more, end], " ")) <= LIMIT:
            said.append(more)
    return listing([*said, end], " ")


def length(spans: Spans) -> int:
    """Characters as a phone counts them."""
    return len(unicodedata.normalize("NFC", joined(spans)))


def name(figures: FigureSet) -> str:
    return f"tin-nhan-{figures.period}.txt"


def render(figures: FigureSet) -> bytes:
    return (unicodedata.normalize("NFC", joined(build(figures))) + "\n").encode()


def _head(figures: FigureSet) -> Spans:
    words, as_of, year = figures.words, figures.get("as_of"), figures.get("budget_year")
    province, period = figures.get("letterhead", item="province"), figures.get("period")
    amount, plan, rate = (figures.known(metric) for metric in ("disb_ytd", "plan_total", "rate_total"))
    if amount is None:
        return words.say("message_head", "missing", province=province, period=period, year=year, as_of=as_of)
    if rate is None or plan is None:
        return words.say(
            "message_head", "unplanned", province=province, period=period, year=year, as_of=as_of, amount=amount
        )
    return words.say(
        "message_head", "closing" if figures.closes_year else "rated", province=province, period=period, year=year,
        as_of=as_of, amount=amount, plan=plan, rate=rate, change=sentences.change(figures),
    )  # fmt: skip


def _more(figures: FigureSet) -> Iterator[Spans]:
    words, closing = figures.words, figures.get("closing_on")
    left, pace = figures.known("undisbursed"), figures.known("pace_needed")
    if left is not None and (left.value or 0) > 0 and pace is not None:
        yield words.say("message_pace", pace=pace, closing=closing)
    zero = sentences.at_zero(figures)
    if zero:
        names = sentences.names(figures, zero, _NAMES)
        yield words.say(
            "message_zero", "one" if len(zero) == 1 else "many", n=figures.get("communes_at_zero"), names=names
        )
    yield _lowest(figures, set(zero))
    yield _roadmap(figures)
    carry = figures.known("undisbursed_carry")
    if carry is not None and (carry.value or 0) > 0 and figures.get("months_left").value:
        yield words.say("message_carry", left=carry, closing=closing)
    yield _tasks(figures)
    proposals = figures.known("proposals")
    if proposals is not None and proposals.value:
        yield words.say("message_proposals", n=proposals, c=figures.get("proposal_communes"))


def _lowest(figures: FigureSet, zero: set[str]) -> Spans:
    communes = [c for c in reversed(tables.by_rank(figures)) if c not in zero][:_LOWEST]
    told = [
        figures.words.say(
            "message_commune", name=figures.get("name", commune=c), rate=figures.get("rate_total", commune=c)
        )
        for c in communes
    ]
    if not told:
        return ()
    number = "one" if len(told) == 1 else "many"
    return figures.words.say("message_lowest", f"besides_{number}" if zero else number, list=listing(told))


def _roadmap(figures: FigureSet) -> Spans:
    gap, behind = figures.known("roadmap_gap"), figures.known("roadmap_behind")
    if gap is None or not gap.value or behind is None:
        return ()
    way = "behind" if gap.value < 0 else "ahead" if behind.value else "ahead_all"
    return figures.words.say("message_roadmap", way, lag=unsigned(gap), n=behind)


def _tasks(figures: FigureSet) -> Spans:
    overdue, number = sentences.overdue_tasks(figures), figures.find("tasks", state=sentences.OVERDUE)
    if not figures.find("tasks"):
        return ()
    if not overdue or number is None:
        return figures.words.say("message_tasks", "none")
    by, variant = {"task": overdue[0]}, "one" if number.value == 1 else "some"
    days, lead = figures.get("task_days_overdue", **by), figures.get("task_lead", **by)
    return figures.words.say("message_tasks", variant, n=number, days=days, lead=lead)
