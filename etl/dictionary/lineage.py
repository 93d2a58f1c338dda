"""Which tables are made of which, read from the SQL that makes them: migrations, summaries, marts.

What is looked for are the names ``schema.name`` in the text of each ``create view`` and ``create function``; the last
text of a name counts. ``<mart>_at``, ``_history`` and ``_published`` are the mart itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from etl import settings
from etl.dictionary.entries import AT, HISTORY, KNOWN_AT, OF_PERIOD, PUBLISHED, SCHEMAS, Dictionary

_MADE = re.compile(
    r"^create (?:or replace )?(?:view|function) (\w+\.\w+)(.*?)(?=^(?:create|drop|alter|insert|comment|do)\b|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(rf"\b(?:{'|'.join(SCHEMAS)})\.\w+")
_REMARK = re.compile(r"--[^\n]*")


def made_from(dictionary: Dictionary, folder: Path | None = None) -> dict[str, tuple[str, ...]]:
    """By entry: the entries that it is directly made of, in the order of the dictionary."""
    folder = folder or settings.assets() / "sql"
    texts = _texts(folder)
    order = {entry.full_name: place for place, entry in enumerate(dictionary.entries)}
    found: dict[str, set[str]] = {entry.full_name: set() for entry in dictionary.entries}
    for name, text in texts.items():
        entry = _entry(name, order)
        if entry:
            found[entry] |= {other for named in _NAMED.findall(text) if (other := _entry(named, order))}
    for one in dictionary.entries:
        if one.made_by in order:
            found[one.full_name].add(one.made_by)
    return {name: tuple(sorted(others - {name}, key=lambda other: order[other])) for name, others in found.items()}


def marts_of(made: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """By entry: the marts that are made of it, directly or through what is no mart."""
    used: dict[str, list[str]] = {name: [] for name in made}
    for name, others in made.items():
        for other in others:
            used[other].append(name)

    def reached(name: str, seen: set[str]) -> set[str]:
        marts: set[str] = set()
        for user in used[name]:
            if user in seen:
                continue
            seen.add(user)
            marts |= {user} if user.startswith("mart.") else reached(user, seen)
        return marts

    return {name: tuple(sorted(reached(name, {name}) - {name})) for name in made}


def also(dictionary: Dictionary, folder: Path | None = None) -> dict[str, tuple[str, ...]]:
    """By mart: what there is of it besides the mart as best known, as it was known and as it was published."""
    names = _texts(folder or settings.assets() / "sql").keys()
    found: dict[str, tuple[str, ...]] = {}
    for entry in dictionary.entries:
        name = entry.full_name
        own = name + AT in {other.full_name for other in dictionary.entries}  # a function of another meaning
        if entry.schema == "mart" and not entry.is_function and not own and names & {name + HISTORY, name + AT}:
            has_period = {"period", "budget_year"} <= entry.columns.keys()
            of_period = [f"{name}{AT}(p_known_at, {', '.join(OF_PERIOD)})"] if has_period and name + AT in names else []
            found[name] = (f"{name}{AT}(p_known_at)", *of_period, f"{name}{PUBLISHED}")
    return found


def _texts(folder: Path) -> dict[str, str]:
    """The last text that makes each view and function, without remarks."""
    texts: dict[str, str] = {}
    for part in ("migrations", "summaries", "marts"):
        for path in sorted((folder / part).glob("*.sql")):
            texts |= dict(_MADE.findall(_REMARK.sub("", path.read_text(encoding="utf-8"))))
    return texts


def _entry(name: str, order: Mapping[str, int]) -> str | None:
    """The entry that tells of a name: itself, or the mart that it belongs to."""
    if name in order:
        return name
    for ending in (KNOWN_AT, AT, HISTORY, PUBLISHED):
        if name.endswith(ending) and name.removesuffix(ending) in order:
            return name.removesuffix(ending)
    return None
