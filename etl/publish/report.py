"""The monthly report (bao-cao) as a document model: outline of DOMAIN.md 9, letterhead of NĐ 30/2020.

It sees nothing but the figures of a release. What no data can say is a marked place for the drafter, never a phrase
that sounds like a fact.
"""

from __future__ import annotations

from datetime import date

from etl.publish import annexes, charts, sentences, tables
from etl.publish.figure import Figure, FigureSet
from etl.publish.model import Block, Chart, Document, Heading, Letterhead, Paragraph, Section, Span, Spans
from etl.publish.text import listing, show
from etl.publish.words import Part, cut, unsigned

_STRONGEST = 5
_TASK_CHARACTERS = 260
_OPEN = ("Sắp đến hạn", "Đang thực hiện trong hạn")


def letterhead(figures: FigureSet) -> Letterhead:
    def item(name: str) -> str:
        return figures.get("letterhead", item=name).text or ""

    return Letterhead(
        parent_body=item("parent_body"),
        issuer=item("issuer"),
        symbol=item("symbol"),
        place=item("place"),
        year=show(figures.get("publish_on"), "year"),
        addressees=tuple(item("addressees").split("\n")),
        authority=tuple(item("authority").split("\n")),
        signer=item("signer"),
        recipients=tuple(item("recipients").split("\n")),
        filing=item("filing"),
        # A release that was frozen before this was told says it in the letters of its head.
        name_vi=item("issuer_name") if figures.find("letterhead", item="issuer_name") else item("issuer"),
    )


def build(figures: FigureSet) -> Document:
    """The report with its annexes."""
    line = figures.words.line
    when = {name: figures.get(metric) for name, metric in _TITLE.items()}
    title = (line("report_title", "first"), line("report_title", "closing" if figures.closes_year else "month", **when))
    body = (
        *_told(sentences.correction(figures)),
        *_directing(figures),
        _heading(figures, "results"),
        *_allocation(figures),
        *_disbursement(figures),
        *_outputs(figures),
        *_tasks(figures),
        *_assessment(figures),
        *_proposals(figures),
        *_next_month(figures),
    )
    return Document(
        "report",
        f"bao-cao-{figures.period}",
        "BÁO CÁO",
        title,
        (),
        letterhead(figures),
        (Section(body), *annexes.all_annexes(figures)),
        figures.release_id,
    )


_TITLE = {"period": "period", "next": "next_period", "year": "budget_year"}


def _heading(figures: FigureSet, name: str, level: int = 1) -> Heading:
    text = figures.words.line("heading", name, next=figures.get("next_period"))
    return Heading(text.upper() if level == 1 else text, level)


def _body(spans: Spans) -> Paragraph:
    return Paragraph(spans)


def _bullet(spans: Spans) -> Paragraph:
    return Paragraph((Span("- "), *spans), "bullet")


def _gap(figures: FigureSet, what: str) -> Paragraph:
    """A place for the drafter; the only words with a month that is not a figure's span."""
    return Paragraph((Span(figures.words.line("gap", what, next=figures.get("next_period"))),), "gap")


def _directing(figures: FigureSet) -> list[Block]:
    """I: the documents whose tasks were registered in the month; the rest is the drafter's."""
    blocks: list[Block] = [_heading(figures, "directing")]
    directives = figures.values("directive_tasks", "directive")
    if directives:
        blocks.append(_body(figures.words.say("directives_intro", "one" if len(directives) == 1 else "many")))
    blocks += [_bullet(_directive(figures, directive)) for directive in directives]
    blocks.append(_gap(figures, "directing"))
    return blocks


def _directive(figures: FigureSet, directive: str) -> Spans:
    say, by = figures.words.say, {"directive": directive}
    day, number = figures.get("directive_date", **by), figures.get("directive_no", **by)
    title, tasks, dated = (figures.get(f"directive_{m}", **by) for m in ("title", "tasks", "tasks_dated"))
    if not dated.value or dated.value != tasks.value:
        told = say("directive_tasks", "some" if dated.value else "none", k=dated)
    else:
        told = say("directive_tasks", "one_of_one" if tasks.value == 1 else "all")
    if not (day.text or number.text):
        return say("directive", "plain", title=title, n=tasks, tasks=told)
    variant = "both" if day.text and number.text else "date" if day.text else "number"
    origin = say("directive_origin", variant, date=day, number=number)
    return say("directive", "known", title=title, origin=origin, n=tasks, tasks=told)


def _allocation(figures: FigureSet) -> list[Block]:
    return [
        _heading(figures, "allocation", 2),
        _body(sentences.coverage(figures)),
        _body(sentences.plan(figures)),
        _body(_plan_difference(figures)),
        tables.plan(figures),
    ]


def _plan_difference(figures: FigureSet) -> Spans:
    """Against the register of decisions. Differences of communes may cancel out: then the total agrees and they are
    told of all the same."""
    say, difference = figures.words.say, figures.known("plan_difference")
    if difference is None or difference.value is None:
        return say("plan_difference", "missing")
    if difference.value:
        return say("plan_difference", "more" if difference.value > 0 else "less", x=unsigned(difference))
    return say("plan_difference", "offset" if any(f.value for f in _by_commune(figures)) else "same")


def _by_commune(figures: FigureSet) -> list[Figure]:
    return figures.having("plan_difference", "commune")


def _disbursement(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [
        _heading(figures, "disbursement", 2),
        _heading(figures, "disbursement_all", 3),
        _body(sentences.disbursed(figures)),
        *_told(sentences.pace(figures)),
        tables.disbursement(figures),
        *_drawn(charts.by_programme(figures, tables.programmes(figures))),
        _heading(figures, "disbursement_programmes", 3),
        *_programmes(figures),
        _heading(figures, "carry_over", 3),
        _body(sentences.carry_over(figures)),
        _heading(figures, "comparison", 3),
        _body((*_against_last_month(figures), *_of_the_period(figures))),
        *_told(sentences.last_year(figures)),
        _body(sentences.roadmap(figures)),
        _body(sentences.communes(figures, 30)),
        tables.ranking(figures),
        *_caveats(figures),
    ]
    if len(figures.having("rate_trend", "period")) > 1:
        blocks.append(charts.trend(figures))
    return [*blocks, *_drawn(charts.path(figures))]


def _programmes(figures: FigureSet) -> list[Block]:
    told: list[Block] = [_bullet(sentences.by_programme(figures, p)) for p in tables.programmes(figures)]
    return told or [_body(figures.words.say("programmes_none"))]


def _caveats(figures: FigureSet) -> list[Block]:
    """Below the ranking, for each marked commune: its rate and what to know of it."""
    blocks: list[Block] = []
    for commune in tables.by_rank(figures):
        notes, by = tables.caveats(figures, commune), {"commune": commune}
        if notes:
            name, rate = figures.get("name", **by), figures.get("rate_total", **by)
            said = figures.words.say("caveat_line", name=name, rate=rate, notes=listing(notes, "; "))
            blocks.append(Paragraph(said, "note"))
    return blocks


def _drawn(chart: Chart | None) -> list[Block]:
    return [chart] if chart else []


def _told(spans: Spans | None) -> list[Block]:
    """A paragraph where there is something to say."""
    return [_body(spans)] if spans else []


def _against_last_month(figures: FigureSet) -> Spans:
    before, now = figures.known("rate_previous"), figures.known("rate_total")
    if before is None or now is None:
        return figures.words.say("comparison", "first" if figures.opens_year else "missing")
    return figures.words.say(
        "comparison",
        "compared",
        change=sentences.change(figures),
        month=figures.get("previous_period"),
        rate=before,
        n=figures.get("communes_previous"),
        now=now,
        m=figures.get("communes_reported"),
    )


def _of_the_period(figures: FigureSet) -> Spans:
    """What was disbursed in the month alone; nothing where the reports leave it blank."""
    amount = figures.known("disb_period")
    if amount is None or amount.value is None:
        return ()
    variant = "zero" if not amount.value else "some" if amount.value > 0 else "down"
    shown = unsigned(amount) if variant == "down" else amount
    return (Span(" "), *figures.words.say("period_amount", variant, amount=shown))


def _outputs(figures: FigureSet) -> list[Block]:
    reported = figures.values("indicator_unit", "indicator")
    return [
        _heading(figures, "outputs", 2),
        tables.outputs(figures) if reported else _body(figures.words.say("outputs_none")),
    ]


def _tasks(figures: FigureSet) -> list[Block]:
    say, total = figures.words.say, figures.known("tasks")
    blocks: list[Block] = [_heading(figures, "tasks", 2)]
    if total is None or not total.value:
        return [*blocks, _body(say("tasks_intro", "none"))]
    blocks.append(_body(say("tasks_intro", "some", n=total, month=sentences.tasks_of_month(figures))))
    blocks.append(_body(sentences.longest_overdue(figures, 220) or say("tasks_overdue", "none")))
    blocks += _told(sentences.duties_overdue(figures))
    blocks.append(tables.tasks(figures))
    overdue = sentences.overdue_tasks(figures)
    if len(overdue) < 2:
        return blocks
    blocks.append(_body(say("tasks_overdue", "list")))
    for task in overdue:
        days = figures.get("task_days_overdue", task=task)
        blocks.append(_bullet(say("task_overdue", "text", **_task(figures, task), days=days)))
    return blocks


def _task(figures: FigureSet, task: str) -> dict[str, Part]:
    return {
        "lead": figures.get("task_lead", task=task),
        "content": cut(figures.get("task_content", task=task), _TASK_CHARACTERS),
        "due": figures.get("task_due", task=task),
    }


def _assessment(figures: FigureSet) -> list[Block]:
    """III: only what the figures say about the strongest and the weakest; causes are the drafter's.

    Of few communes none is both: at most half of them are called the strongest, and none where all are equal.
    """
    ranked = tables.by_rank(figures)
    compared = [c for c in ranked if not figures.find("at_zero", commune=c)] if _differ(figures, ranked) else []
    strongest = [c for c in ranked[: min(_STRONGEST, len(ranked) // 2)] if c in compared]
    weakest = [c for c in reversed(compared) if c not in strongest]
    stuck = [c for c in by_amount_stuck(figures) if (figures.get("undisbursed", commune=c).value or 0) > 0]
    zero = figures.get("communes_at_zero")
    blocks: list[Block] = [_heading(figures, "assessment"), _heading(figures, "strong", 2)]
    blocks += _list_of(figures, "strongest", [_with_rate(figures, c) for c in strongest])
    blocks += [_gap(figures, "strong"), _heading(figures, "weak", 2)]
    if zero.value:
        named = sentences.names(figures, sentences.at_zero(figures), 30)
        variant = "one" if zero.value == 1 else "all" if zero.value == len(ranked) else "many"
        blocks.append(_body(figures.words.say("zero_rate", variant, n=zero, names=named)))
    if len(ranked) > 1:
        blocks += _list_of(figures, "weakest", [_with_rate(figures, c) for c in weakest[:_STRONGEST]])
        blocks += _list_of(figures, "stuck", [_with_left(figures, c) for c in stuck[:_STRONGEST]])
    return [*blocks, _gap(figures, "weak"), _heading(figures, "causes", 2), _gap(figures, "causes")]


def _differ(figures: FigureSet, communes: list[str]) -> bool:
    return len({figures.get("rate_total", commune=c).value for c in communes}) > 1


def _list_of(figures: FigureSet, key: str, items: list[Spans]) -> list[Block]:
    """A sentence with a list, of one or many; nothing of none."""
    return [_body(figures.words.say(key, "one" if len(items) == 1 else "many", list=listing(items)))] if items else []


def by_amount_stuck(figures: FigureSet) -> list[str]:
    found = figures.having("order_undisbursed", "commune")
    return [f.dim("commune") or "" for f in sorted(found, key=lambda f: f.value or 0)]


def _with_rate(figures: FigureSet, commune: str) -> Spans:
    name, rate = figures.get("name", commune=commune), figures.get("rate_total", commune=commune)
    return figures.words.say("name_with_rate", name=name, rate=rate)


def _with_left(figures: FigureSet, commune: str) -> Spans:
    name, left = figures.get("name", commune=commune), figures.get("undisbursed", commune=commune)
    return figures.words.say("name_with_left", name=name, left=left)


def _proposals(figures: FigureSet) -> list[Block]:
    blocks: list[Block] = [_heading(figures, "proposals")]
    total = figures.known("proposals")
    if total is None or not total.value:
        return [*blocks, _body(sentences.proposals(figures))]
    detail = figures.words.say("proposals_detail")
    blocks.append(_body((*sentences.proposals(figures), Span(" "), *detail)))
    blocks.append(tables.proposals(figures))
    return blocks


def _due(figures: FigureSet, since: date, until: date) -> list[tuple[str, date]]:
    """Open tasks that are due between two days, both included, by their day."""
    found = [
        (task, deadline.date) for task in figures.values("task_state", "task")
        if figures.get("task_state", task=task).text in _OPEN and (deadline := figures.find("task_due", task=task))
    ]  # fmt: skip
    return sorted(((t, day) for t, day in found if since <= day <= until), key=lambda found: (found[1], found[0]))


def _next_month(figures: FigureSet) -> list[Block]:
    """V: what is due by the register and the pace that is needed; the plan itself is the drafter's."""
    blocks: list[Block] = [_heading(figures, "next_month")]
    left = figures.known("undisbursed")
    if figures.get("months_left").value and left is not None and (left.value or 0) > 0:
        blocks += _told(sentences.pace(figures))
    as_of = figures.get("as_of").date
    due = _due(figures, as_of, figures.period.next.last_day)
    if due:
        blocks.append(_body(figures.words.say("soon_intro", month=figures.get("next_period"))))
    for task, day in due:
        variant = "today" if day == as_of else "text"
        blocks.append(_bullet(figures.words.say("task_soon", variant, **_task(figures, task))))
    blocks.append(_gap(figures, "next_month"))
    return blocks
