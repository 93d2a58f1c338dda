"""The words of ``words.yml``, keyed, and patterns made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from etl.directives.folding import key

WORD_END = r"(?!\w)"
_FILE = Path(__file__).with_name("words.yml")


@dataclass(frozen=True)
class Words:
    """Lists of phrases by name, as the file has them."""

    lists: dict[str, Any]

    def phrases(self, name: str) -> list[str]:
        return [key(str(phrase)) for phrase in self.lists[name]]

    def any_of(self, *names: str) -> str:
        """A pattern for the longest of the phrases."""
        return one_of([phrase for name in names for phrase in self.phrases(name)])

    @cached_property
    def action(self) -> re.Pattern[str]:
        """What opens an action: adverbs, then a verb."""
        return re.compile(f"(?:{self.any_of('adverbs', 'verbs')}){WORD_END}")

    @cached_property
    def plain_verb(self) -> re.Pattern[str]:
        """A verb or adverb that is never part of a name."""
        in_names = set(self.phrases("verbs_in_names"))
        sure = [p for p in (*self.phrases("verbs"), *self.phrases("adverbs")) if p not in in_names]
        return re.compile(f"(?:{one_of(sure)}){WORD_END}")

    @cached_property
    def not_a_task(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self.any_of('not_tasks')}){WORD_END}")

    @cached_property
    def speaking(self) -> re.Pattern[str]:
        """Praise, blame, consent: the body named before speaks and is not addressed."""
        return re.compile(f"(?:{self.any_of('speaking')}){WORD_END}")

    @cached_property
    def assessing_heading(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self.any_of('assessing_headings')}){WORD_END}")

    @cached_property
    def purpose_heading(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self.any_of('purpose_headings')}){WORD_END}(?!.*(?:nhiệm vụ|giải pháp))")

    @cached_property
    def not_assessing(self) -> re.Pattern[str]:
        return re.compile(f"(?<!\\w)(?:{self.any_of('not_assessing')}){WORD_END}")

    @cached_property
    def telling(self) -> re.Pattern[str]:
        """After a name: what was, not what is to be done."""
        return re.compile(f"(?:{self.any_of('telling')}){WORD_END}")

    @cached_property
    def closing(self) -> re.Pattern[str]:
        return re.compile("|".join(self.phrases("closing")))

    @cached_property
    def formulae(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{f})" for f in self.phrases("formulae")))

    @cached_property
    def conclusions(self) -> re.Pattern[str]:
        return re.compile("|".join(self.phrases("conclusions")))


def one_of(phrases: list[str]) -> str:
    """Alternatives, the longest first."""
    return "|".join(re.escape(phrase) for phrase in sorted(set(phrases), key=len, reverse=True))


@cache
def load() -> Words:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _FILE.open(encoding="utf-8") as handle:
        return Words(yaml.load(handle, Loader=loader))  # noqa: S506 - both are safe loaders
