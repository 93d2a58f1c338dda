"""Sentences that the brief and the report share: the same figures in the same words (CK39).

The words themselves are data (``etl/publish/words``); here a variant is chosen from the figures. What was not reported
is not spoken of: a figure that is missing has a variant of its own and is never shown as 0.
"""

from __future__ import annotations

from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Span, Spans
from etl.publish.tables import PROPOSAL_STATES, capital_kinds, not_reporting, place, programmes
from etl.publish.text import listing, show, vi_key
from etl.publish.words import cut, unsigned

OVERDUE = "Đang thực hiện quá hạn"
_COVERED_NAMES = 12
_WHOLE = 100
_CORRECTED = 5
"""Communes that a correction names on the first page."""


def programme_name(figures: FigureSet, programme: str, *, within: bool = False) -> Spans:
    """``Chương trình giảm nghèo bền vững``, small ``within`` a sentence; the full name already begins so."""
    short = figures.find("name_short", programme=programme)
    if short is not None:
        return figures.words.say("programme_name", "short_within" if within else "short", name=short)
    name = figures.get("name", programme=programme)
    return (show(name, "place" if within else ""),)


def change(figures: FigureSet, **by: object) -> Spans:
    """``tăng 10,08 điểm % so với tháng 9``, or why there is nothing to compare with."""
    points = figures.known("rate_change_points", **by)
    if points is None:
        return figures.words.say("change", "first" if figures.opens_year else "missing")
    month = figures.get("previous_period")
    return figures.words.say("change", _way(points), x=unsigned(points), month=month)


def _way(difference: Figure) -> str:
    value = difference.value or 0
    return "same" if value == 0 else "up" if value > 0 else "down"


def nobody(figures: FigureSet) -> bool:
    """No commune at all has an accepted report."""
    return not figures.get("communes_reported").value


def coverage(figures: FigureSet) -> Spans:
    """Law 7: what the totals cover, and what stays out."""
    n, of = figures.get("communes_reported"), figures.get("communes_expected")
    missing, share = figures.get("communes_not_reporting"), figures.known("plan_covered_pct")
    if not missing.value:
        return figures.words.say("coverage", "all", n=n, of=of)
    if nobody(figures):
        return figures.words.say("coverage", "none", n=n, of=of, m=missing)
    named = names(figures, not_reporting(figures), _COVERED_NAMES)
    if share is None:
        return figures.words.say("coverage", "some_no_share", n=n, of=of, m=missing, names=named)
    return figures.words.say("coverage", "some", n=n, of=of, share=share, m=missing, names=named)


def names(figures: FigureSet, communes: list[str], limit: int) -> Spans:
    """Communes by name; a list that is too long ends with ``…`` and stands in full in a table."""
    shown = [show(figures.get("name", commune=c), "place") for c in communes[:limit]]
    return listing(shown) if len(communes) <= limit else (*listing(shown), Span(", …"))


def plan(figures: FigureSet) -> Spans:
    """The plan and its two parts, as far as they are known."""
    year, total = figures.get("budget_year"), figures.known("plan_total")
    assigned, carry = figures.known("plan_assigned"), figures.known("plan_carry")
    if total is None:
        return figures.words.say("plan", "nobody" if nobody(figures) else "missing", year=year)
    if not total.value:
        return figures.words.say("plan", "zero", year=year)
    if assigned is None or carry is None:
        return figures.words.say("plan", "total_only", year=year, total=total)
    variant = "both" if assigned.value and carry.value else "carry_only" if carry.value else "no_carry"
    return figures.words.say("plan", variant, year=year, total=total, assigned=assigned, carry=carry)


def disbursed(figures: FigureSet) -> Spans:
    """The headline: amount and rate, the change, then each capital kind."""
    year, as_of = figures.get("budget_year"), figures.get("as_of")
    amount, rate = figures.known("disb_ytd"), figures.known("rate_total")
    if amount is None:
        return figures.words.say("disbursed", "nobody" if nobody(figures) else "missing", as_of=as_of)
    if rate is None:
        return figures.words.say("disbursed", "unplanned", year=year, as_of=as_of, amount=amount)
    compared = change(figures)
    if not amount.value:
        return figures.words.say("disbursed", "zero", year=year, as_of=as_of, rate=rate, change=compared)
    kinds = capital_kinds(figures)
    told = [_kind(figures, "kind_disbursed", kind) for kind in kinds]
    return figures.words.say(
        "disbursed",
        "many" if len(kinds) > 1 else "one",
        year=year,
        as_of=as_of,
        amount=amount,
        rate=rate,
        change=compared,
        kinds=listing(told, "; ") if len(kinds) > 1 else _kind_name(figures, kinds[0]),
    )


def _kind_name(figures: FigureSet, kind: str) -> Spans:
    return (show(figures.get("name", capital_kind=kind), "place"),)


def _kind(figures: FigureSet, key: str, kind: str, **by: object) -> Spans:
    """Amount and rate of a capital kind, of the province or of a programme (then with its plan)."""
    name = figures.get("name", capital_kind=kind)
    amount = figures.known("disb_ytd", capital_kind=kind, **by)
    rate, plan = (figures.known(metric, capital_kind=kind, **by) for metric in ("rate_total", "plan_total"))
    if amount is None:
        return figures.words.say(key, "missing", kind=name)
    if rate is None or plan is None:
        return figures.words.say(key, "unplanned", kind=name, amount=amount)
    if not amount.value:
        return figures.words.say(key, "zero", kind=name)
    return figures.words.say(key, "rated", kind=name, amount=amount, plan=plan, rate=rate)


def by_programme(figures: FigureSet, programme: str) -> Spans:
    """One programme: its amount, rate and change, then each of its capital kinds."""
    by, kinds = {"programme": programme}, []
    if figures.known("disb_ytd", **by):
        kinds = [k for k in capital_kinds(figures) if figures.find("plan_total", capital_kind=k, **by)]
    if len(kinds) == 1:
        told = _kind_name(figures, kinds[0])
    else:
        told = listing((_kind(figures, "kind_of_programme", kind, **by) for kind in kinds), "; ")
    return figures.words.say(
        "programme",
        "many" if len(kinds) > 1 else "one" if kinds else "whole",
        name=programme_name(figures, programme),
        result=_programme_result(figures, programme),
        kinds=told,
    )


def _programme_result(figures: FigureSet, programme: str) -> Spans:
    by = {"programme": programme}
    amount, rate, plan = (figures.known(metric, **by) for metric in ("disb_ytd", "rate_total", "plan_total"))
    if amount is None:
        return figures.words.say("programme_result", "missing")
    if rate is None or plan is None:
        return figures.words.say("programme_result", "unplanned", amount=amount)
    # That there is nothing to compare with is said once, of the whole.
    variant = "compared" if figures.known("rate_change_points", **by) else "rated"
    return figures.words.say(
        "programme_result", variant, amount=amount, plan=plan, rate=rate, change=change(figures, **by)
    )


def carry_over(figures: FigureSet) -> Spans:
    """Vốn kéo dài: what is left and when disbursement of the budget year closes."""
    say, year, closing = figures.words.say, figures.get("budget_year"), figures.get("closing_on")
    total, paid, left = (figures.known(m) for m in ("plan_carry", "disb_carry", "undisbursed_carry"))
    if total is None:
        return say("carry_over", "nobody" if nobody(figures) else "missing")
    if not total.value:
        return say("carry_over", "none", year=year)
    rate = figures.known("rate_carry")
    if paid is None or left is None or rate is None:
        return say("carry_over", "unpaid", plan=total)
    if left.value is not None and left.value <= 0:
        return say("carry_over", "over" if left.value else "done", paid=paid, plan=total, rate=rate)
    waiting = [p for p in programmes(figures) if _left(figures, p) > 0]
    time = "open" if figures.get("months_left").value else "closed"
    shared = {"paid": paid, "plan": total, "rate": rate, "left": left, "closing": closing}
    if len(waiting) == 1:
        return say("carry_over", f"{time}_one", **shared, name=programme_name(figures, waiting[0], within=True))
    parts = listing(
        (
            say(
                "carry_over_part",
                name=figures.find("name_short", programme=p) or figures.get("name", programme=p),
                left=figures.get("undisbursed_carry", programme=p),
            )
            for p in waiting
        ),
        "; ",
    )
    return say("carry_over", f"{time}_many", **shared, parts=parts)


def _left(figures: FigureSet, programme: str) -> int:
    left = figures.known("undisbursed_carry", programme=programme)
    return int(left.value or 0) if left else 0


def pace(figures: FigureSet) -> Spans | None:
    """What is left, and per month until the budget year closes; nothing is projected after the closing.

    None where no plan or no disbursement was reported.
    """
    say, left, rate = figures.words.say, figures.known("undisbursed"), figures.known("rate_total")
    if left is None or left.value is None or rate is None:
        return None
    if left.value <= 0:
        return say("pace", "over", rate=rate) if left.value else say("pace", "done")
    closing, months = figures.get("closing_on"), figures.get("months_left").value or 0
    if not months:
        return say("pace", "closed", left=left, closing=closing)
    needed = figures.get("pace_needed")
    return say("pace", "one" if months == 1 else "many", left=left, closing=closing, pace=needed)


def communes(figures: FigureSet, limit: int) -> Spans:
    """How many communes are above the average, at zero (by name) and under the threshold."""
    say, ranked, zero = figures.words.say, figures.get("communes_ranked"), figures.get("communes_at_zero")
    if not ranked.value:
        return say("communes", "none")
    if ranked.value == 1:
        only = figures.values("order_lowest", "commune")[0]
        return say("communes", "single_zero" if zero.value else "single", name=figures.get("name", commune=only))
    if zero.value == ranked.value:
        return say("communes", "all_zero", n=zero)
    above = figures.get("communes_above_average")
    named = names(figures, at_zero(figures), limit)
    parts = {
        "above": say("communes_above", "some" if above.value else "none", n=above, of=ranked),
        "zero": say("communes_zero", _number(zero), n=zero, names=named),
    }
    below, threshold = figures.get("communes_below_threshold"), figures.known("low_rate_pct")
    if threshold is None:
        return say("communes", "no_threshold", **parts)
    how_many = "all" if below.value == ranked.value else "some" if below.value else "none"
    return say("communes", "many", **parts, below=say("communes_below", how_many, n=below, threshold=threshold))


def _number(figure: Figure) -> str:
    """none, one or many."""
    return "none" if not figure.value else "one" if figure.value == 1 else "many"


def at_zero(figures: FigureSet) -> list[str]:
    """Communes without any disbursement, the largest plan first."""
    codes = figures.values("at_zero", "commune")
    return sorted(codes, key=lambda c: figures.get("order_lowest", commune=c).value or 0)


def reconciled(figures: FigureSet) -> Spans:
    """Whether the amounts were held against the State Treasury's."""
    if figures.find("treasury_statement") is None:
        return figures.words.say("reconciled", "missing")
    differences = figures.find("treasury_differences")
    if differences is None:
        return figures.words.say("reconciled", "same")
    return figures.words.say("reconciled", "differs", n=differences)


def last_year(figures: FigureSet) -> Spans:
    """Against the same month of last year, when the warehouse holds it."""
    before, points = figures.known("rate_last_year"), figures.known("rate_change_last_year_points")
    month = figures.get("period_year_ago")
    if before is None or points is None:
        return figures.words.say("last_year", "missing", month=month)
    return figures.words.say("last_year", _way(points), month=month, rate=before, x=unsigned(points))


def roadmap(figures: FigureSet) -> Spans:
    """What was disbursed beside what the communes' own roadmaps ask for by now, and where these lead to."""
    say, planned, gap = figures.words.say, figures.known("roadmap_planned"), figures.known("roadmap_gap")
    done, n, behind = (figures.known(f"roadmap_{name}") for name in ("disbursed", "communes", "behind"))
    if planned is None or gap is None or done is None or n is None or behind is None or gap.value is None:
        return say("roadmap", "none")
    way = "behind" if gap.value < 0 else "ahead" if gap.value > 0 else "same"
    variant = way if behind.value else f"{way}_all"
    told = say("roadmap", variant, n=n, planned=planned, done=done, lag=unsigned(gap), behind=behind)
    close = roadmap_close(figures)
    return (*told, Span(" "), *close) if close else told


def roadmap_close(figures: FigureSet, key: str = "roadmap_close", **by: object) -> Spans | None:
    """Where the roadmaps lead to by the close; None where they lead to the whole plan, or the year is closed."""
    amount, rate = figures.known("roadmap_close", **by), figures.known("roadmap_close_rate", **by)
    if amount is None or rate is None or (rate.value or 0) >= _WHOLE or not figures.get("months_left").value:
        return None
    return figures.words.say(key, closing=figures.get("closing_on"), amount=amount, rate=rate)


def correction(figures: FigureSet) -> Spans | None:
    """Which published release of the same period this one replaces, and what changed; None for a first one."""
    say, release = figures.words.say, figures.find("correction_of")
    if release is None:
        return None
    parts = []
    for item in ("plan_total", "disb_ytd"):
        before, after = (figures.known(f"correction_{side}", item=item) for side in ("published", "current"))
        if before is not None and after is not None:
            parts.append(say("correction_amount", item, before=before, after=after))
    communes = sorted({f.dim("commune") or "" for f in figures.having("correction_published", "commune", "item")})
    if communes:
        told = listing([_corrected(figures, commune) for commune in communes[:_CORRECTED]], "; ")
        parts.append(say("correction_communes", "more" if len(communes) > _CORRECTED else "text", list=told))
    if not parts:
        return say("correction", "bare", release=release)
    return say("correction", "changed", release=release, changes=listing(parts, "; "))


def _corrected(figures: FigureSet, commune: str) -> Spans:
    name, cause = figures.get("name", commune=commune), figures.find("correction_cause", commune=commune)
    if cause is None:
        return figures.words.say("correction_commune", "plain", name=name)
    return figures.words.say("correction_commune", "known", name=name, cause=cause)


def duties_overdue(figures: FigureSet) -> Spans | None:
    number = figures.known("duties_overdue")
    return figures.words.say("duties_overdue", n=number) if number is not None and number.value else None


def tasks_of_month(figures: FigureSet) -> Spans:
    """Tasks that fell due in the month: done on time or late, open in time or overdue."""
    say, due = figures.words.say, figures.get("tasks_due")
    done, on_time, late = (figures.get(f"tasks_due_{m}") for m in ("done", "done_on_time", "done_late"))
    still, in_time, overdue = (figures.get(f"tasks_due_{m}") for m in ("open", "open_in_time", "open_overdue"))
    if not due.value:
        return say("tasks_month", "none")
    if due.value == 1:
        found = [v for v, f in zip(_ONE_TASK, (on_time, late, in_time, overdue), strict=True) if f.value]
        if found:
            return say("tasks_month", f"one_{found[0]}", n=due)
    return say(
        "tasks_month",
        "many",
        n=due,
        done=say("tasks_done", _split(on_time, late, "on_time", "late"), n=done, on_time=on_time, late=late),
        open=say(
            "tasks_open", _split(in_time, overdue, "in_time", "overdue"), n=still, in_time=in_time, overdue=overdue
        ),
    )


_ONE_TASK = ("on_time", "late", "in_time", "overdue")


def _split(first: Figure, second: Figure, name: str, other: str) -> str:
    if first.value and second.value:
        return "mixed"
    return name if first.value else other if second.value else "none"


def overdue_tasks(figures: FigureSet) -> list[str]:
    """Tasks past their deadline, the longest overdue first."""
    found = figures.having("task_days_overdue", "task")
    return [f.dim("task") or "" for f in sorted(found, key=lambda f: (-(f.value or 0), f.key))]


def overdue_by_agency(figures: FigureSet) -> list[tuple[str, Figure, Figure]]:
    """Agency, number of overdue tasks, longest overdue in days; the longest first, then by name."""
    rows = [
        (a, figures.get("tasks", agency=a, state=OVERDUE), figures.get("longest_overdue_days", agency=a))
        for a in figures.values("tasks", "agency", state=OVERDUE)
    ]
    return sorted(rows, key=lambda r: (-(r[2].value or 0), vi_key(r[0])))


def longest_overdue(figures: FigureSet, limit: int) -> Spans | None:
    """``Nhiệm vụ quá hạn lâu nhất 11 ngày: …``; None when nothing is overdue."""
    overdue = overdue_tasks(figures)
    if not overdue:
        return None
    by = {"task": overdue[0]}
    return figures.words.say(
        "longest_overdue",
        "one" if len(overdue) == 1 else "many",
        days=figures.get("task_days_overdue", **by),
        content=cut(figures.get("task_content", **by), limit),
        lead=figures.get("task_lead", **by),
        due=figures.get("task_due", **by),
    )


def proposals(figures: FigureSet) -> Spans:
    """How many communes asked for how much, and what became of it."""
    say, total = figures.words.say, figures.known("proposals")
    if total is None or not total.value:
        return say("proposals", "none", month=figures.get("period_short"))
    states = sorted(figures.values("proposals", "state"), key=lambda s: (place(PROPOSAL_STATES, s), vi_key(s)))
    c = figures.get("proposal_communes")
    if len(states) == 1:
        variant = "one" if total.value == 1 else "same"
        return say("proposals", variant, n=total, c=c, states=_state(states[0]))
    told = (say("proposals_state", n=figures.get("proposals", state=s), state=_state(s)) for s in states)
    return say("proposals", "many", n=total, c=c, states=listing(told))


def _state(state: str) -> Spans:
    return (Span(state[:1].lower() + state[1:]),)


def quality(figures: FigureSet) -> Spans:
    """What whoever approves should know of the data before opening Phụ lục IV."""
    say = figures.words.say
    parts = [
        say("quality_part", variant, n=found)
        for metric, variant in (
            ("findings_overridden", "overridden"),
            ("findings_explained", "explained"),
            ("outliers", "outliers"),
        )
        if (found := figures.known(metric)) and found.value
    ]
    differences = figures.find("treasury_differences")
    if figures.find("treasury_statement") is None:
        parts.append(say("quality_part", "treasury_missing"))
    elif differences is None:
        parts.append(say("quality_part", "treasury_same"))
    else:
        parts.append(say("quality_part", "treasury_differs", n=differences))
    return say("quality", parts=listing(parts, "; "))
