"""What the code gives to the rules and asks of them: the names that a rule file may use.

``expectations/*.json`` are edited by hand; ``catalogue_check`` holds them against this module whenever they are loaded,
without a frame, a report or Great Expectations. Tests hold this module against the code: a control column that is made
and not declared, or declared and not made, fails ``tests/rules/test_catalogue.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

SUITES = ("b01", "b02", "b03", "b04", "b05", "months", "allocation", "treasury", "roadmap")
"""Suites that judge a report; within a phase they are heard in this order."""
PERIOD_SUITES = ("completeness", "outliers", "publication")
"""Suites that judge a whole period when it is frozen."""
DECISION_SUITES = ("decisions",)
"""Suites that judge decisions on capital when they are loaded."""
OTHER_SUITES = (*DECISION_SUITES, *PERIOD_SUITES)
"""Suites that judge no report of a commune."""
PHASES = ("form", "plan", "code", "ceiling", "ledger", "known", "identity", "bounds", "sums")
"""What a finding of an earlier phase takes out, a later one does not judge: what shows best where the fault lies is
heard first. A pair of amounts that the Treasury has under each other's codes; an amount typed beyond its plan; the
Treasury's total; what was known a month ago; only then the identities of a line, which cannot say which side is
wrong."""
STATES = ("beta", "on", "retired")
ALL = "*"
"""In ``takes``: every figure of the row."""
SEVERITIES = {"critical": "error", "warning": "warning", "info": "info"}
"""As a suite has it -> as a finding has it."""
FORM_OF_SUITE = {name: name.upper() for name in SUITES if name.startswith("b0")}

EVERY_ROW = ("row_no", "code", "form")
"""Columns of every frame of a report's suite."""


_DIFFERENCES = ("posting", "code", "unit", "gap", "unreported", "advance", "overdue")
_OF_EACH = ("value", "expected", "difference", "text")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLUMNS: Mapping[str, frozenset[str]] = {
    "b01": _names("""
        accepted_volume code_known disb_carry disb_completed disb_nsdp disb_nstw disb_period disb_rate
        disb_sources disb_split disb_ytd disbursed_without_plan duplicate_of excess_carry excess_nsdp excess_nstw
        explained_nsdp
        explained_nstw forecast forecast_excess forecast_short line_code magnitude_key magnitude_plan magnitude_ratio
        magnitude_unit magnitude_value negative_key negative_value plan_carry plan_central plan_gap plan_local
        plan_parts plan_total rate_computed rate_gap rate_low rate_note_missing rate_threshold recovery_note_missing
        source_gap split_gap sum_expected sum_gap sum_key sum_value unaccepted_payment
    """),
    "b02": _names("""
        actual_period actual_phase actual_ytd code_known duplicate_of forecast indicator_code money_without_output
        negative_key negative_value output_without_money project_code project_known rate_phase rate_year target_phase
        target_year year_beyond_phase
    """),
    "b03": _names("""
        assigned_on code_known days_overdue done_date done_too_early done_too_late due_on duplicate_of lead
        lead_coordinates received_on result_missing several_leads task_id unknown_lead
    """),
    "b04": _names("""
        project_code project_known
    """),
    "b05": _names("""
        beyond_plan code_known duplicate_of fall fall_before fall_key fall_value line_code negative_key negative_value
        plan_total planned_close sum_expected sum_gap sum_key sum_value
    """),
    "months": _names("""
        actual_period actual_phase actual_ytd before_output before_period before_phase before_ytd beginning_expected
        carried_on deadline deadline_changed disappeared disb_period disb_ytd fall fall_explained jump jump_pct
        last_year month_expected month_gap output_beginning output_carried_on output_fall output_fall_explained
        output_last_year output_month_expected output_month_gap outputs_gone phase_fall phase_fall_explained
        plan_total proposal reopened standstill status_before tasks_gone unchanged
    """),
    "allocation": _names("""
        assigned before_period carry_changed_key code_in_place changed_key gap_key kind_not_foreseen line_code
        not_eligible not_registered plan_difference plan_expected plan_typed project_vi split_excess split_key
        split_used unallocated
    """),
    "roadmap": _names("""
        lag lag_pct lines_gone paid planned revised revised_before revised_key
    """),
    "treasury": _names("treasury_as_of") | {f"treasury_{kind}_{part}" for kind in _DIFFERENCES for part in _OF_EACH},
    "decisions": _names("""
        code decision_no source communes units parts provincial_total balance_gap
    """),
    "completeness": _names("""
        commune_code commune_vi state_vi due_on unmarked missing late_days working_days received_on
    """),
    "outliers": _names("""
        code month_score unit_cost_score advance_score amount amount_usual amount_gap peers low median high share cost
        measure indicator_vi
    """),
    "publication": _names("""
        commune_code commune_vi document place text figure foreign misquoted unlike_table wrong_way loose as_zero
        uncovered
    """),
}
"""Suite -> control columns that its frame can have, beside those of ``EVERY_ROW`` for a suite that judges a report.

Made in ``controls/``, ``decisions.py`` and ``etl/publish/checks/``. A column whose name ends in ``_key`` holds the key
of a column of the form (``@name`` in ``cell``, ``uses`` and ``takes``).
"""

PARAMETERS: Mapping[str, frozenset[str]] = {"outliers": frozenset({"outlier_score", "outlier_score_low"})}
"""Suite -> what ``$PARAMETER`` may name; see ``REPORT_PARAMETERS`` for a suite that judges a report."""
REPORT_PARAMETERS = frozenset({"rate_tolerance_pct_points"})

_READ = ("value", "expected")
_CELL = ("value", "column")
_REFUSED = ("message", "fix")

INTAKE: Mapping[str, tuple[str, ...]] = {
    "CK10": _READ,
    "CK10-missing": _READ,
    "CK34": _READ,
    "CK35": _READ,
    "M02": _CELL,
    "M02-read": (*_CELL, "expected"),
    "M03": (),
    "M04": (*_CELL, "expected"),
    "M05": (*_CELL, "expected"),
    "M06": _READ,
    "M06-column": (*_READ, "column"),
    "M06-small": _READ,
    "M07": _READ,
    "M07-missing": _READ,
    "M08": _CELL,
    "M08-blank": ("column",),
    "M08-column": ("column", "count", "last"),
    "M09": (*_CELL, "expected"),
    "M15": ("value",),
    "M15-lost": ("value",),
    "M18": ("value",),
    "M18-ambiguous": _READ,
    "M18-former": _READ,
    "M19": ("value",),
    "M21": _CELL,
    "M21-read": _CELL,
    "M21-swapped": _READ,
    "M23-read": _CELL,
    "M26": (),
    "M31": (*_READ, "headers"),
    "M32": ("value",),
    "M32-sheet": ("value",),
    "M33": ("value",),
    "M35": _CELL,
    "M36": _CELL,
    "M37": (*_CELL, "expected"),
    "M38": _REFUSED,
    "M38-read": ("value",),
    "M39": _REFUSED,
    "M39-read": _READ,
    "M40": _REFUSED,
    "M41": _REFUSED,
    "M42": _REFUSED,
    "M45": ("value",),
    "M46": (),
    "M47": ("value",),
    "M47-asked": ("value",),
    "M47-ticked": (),
}
"""Id of ``intake.json`` that the reading asks for -> what it gives for the places of its texts."""

STATEMENT: Mapping[str, tuple[str, ...]] = {
    "CK10-code": (),
    "CK10-unit": (),
    "CK10-twice": _READ,
    "CK10-commune": (*_READ, "column"),
    "CK10-document": (*_READ, "column"),
    "CK30": ("value", "count", "total"),
    "CK30-kind": ("value", "count", "total"),
    "CK30-unit": ("value", "count", "total"),
    "CK30-dropped": (*_READ, "count"),
    "CK30-replaced": (*_READ, "count", "column"),
    "CK31": _READ,
    "CK34-as-of": (),
    "CK34-other-year": _READ,
    "CK34-year": _READ,
    "CK34-years": ("value",),
    "CK35": ("value",),
    "M07": ("value",),
    "M07-missing": (),
    "M08": _CELL,
    "M08-blank": ("column",),
    "M08-kind": (*_CELL, "expected"),
    "M09": ("value",),
    "M09-advance": ("value",),
    "M09-overdue": ("value",),
    "M15-lost": ("value",),
    "M21": _CELL,
    "M24": (),
    "M30": (*_READ, "difference"),
    "M30-overdue": (*_READ, "difference"),
    "M30-total": (*_READ, "difference"),
    "M31": _READ,
    "M31-twice": _READ,
    "M32": ("value",),
    "M35": _CELL,
    "M36": _CELL,
    "M38": _REFUSED,
}
"""The same of ``statement_rules`` in ``treasury.json``: what a Treasury statement itself can be told."""
REFUSALS = frozenset(name for name, places in INTAKE.items() if places == _REFUSED)
"""Rules that refuse a file: it was not opened, so that nobody knows whose report it is, or of which month."""


def columns(suite: str, *, of_report: bool) -> frozenset[str]:
    """Every control column that a rule of the suite may name."""
    return COLUMNS[suite] | (frozenset(EVERY_ROW) if of_report else frozenset())


def parameters(suite: str, *, of_report: bool) -> frozenset[str]:
    """Every threshold that an expectation of the suite may name."""
    return REPORT_PARAMETERS if of_report else PARAMETERS.get(suite, frozenset())
