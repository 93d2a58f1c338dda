"""A workbook in the making: a sound report, what is done to it, and what a checker must say about that."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

from tests.corpus.base import Base
from tests.corpus.item import Expected, FactKey, Item, Made, Value
from tests.corpus.package import Book, CellValue

VARIATIONS = 10


class Draft:
    """Edits are kept and carried out by ``build``; findings are stated beside them."""

    def __init__(self, base: Base, file_name: str | None = None) -> None:
        self.base = base
        self.file_name = file_name or base.file_name
        self.findings: list[Expected] = []
        self.facts: dict[FactKey, Value] = {}
        self.recalculated = True
        self.fact_map: Callable[[FactKey, Value], Value] = lambda _, value: value
        self._edits: list[Callable[[Book], None]] = []
        self._whole: list[Callable[[bytes], bytes]] = []

    def edit(self, change: Callable[[Book], None]) -> Draft:
        self._edits.append(change)
        return self

    def put(self, sheet: str, ref: str, value: CellValue | int | float, **more: str | bool) -> Draft:
        """Type a value (or, with ``formula``, a formula) into a cell."""
        return self.edit(lambda book: book[sheet].put(ref, value, **more))  # type: ignore[arg-type]

    def whole(self, change: Callable[[bytes], bytes]) -> Draft:
        """Change the finished file."""
        self._whole.append(change)
        return self

    def expect(
        self,
        rule: str,
        severity: str,
        sheet: str | None = None,
        cell: str | None = None,
        or_at: Iterable[tuple[str | None, str | None]] = (),
    ) -> Draft:
        self.findings.append(Expected(rule, severity, sheet, cell, frozenset(or_at)))
        return self

    def fact(self, form: str, code: str, key: str, value: Value) -> Draft:
        """A value that comes out otherwise than the report has it."""
        self.facts[form, code, key] = value
        return self

    def build(self) -> bytes:
        book = self.base.book()
        for change in self._edits:
            change(book)
        if self.recalculated:
            book.recalculate()
        data = book.save()
        for finish in self._whole:
            data = finish(data)
        return data

    def made(self) -> Made:
        returned = any(f.severity == "error" for f in self.findings)
        facts = None if returned else {**{k: self.fact_map(k, v) for k, v in self.base.facts().items()}, **self.facts}
        return Made(self.file_name, self.build, tuple(self.findings), facts)


Maker = Callable[[int, random.Random], "Draft | Made"]
_F = TypeVar("_F", bound=Maker)
DEFECTS: dict[str, tuple[str, Maker]] = {}
"""Name of the class -> (case, maker of variation n)."""


def defect(name: str, case: str) -> Callable[[_F], _F]:
    """Registers a class of defects; the function makes its variation n (0 to 9) with a generator seeded by both."""

    def register(make: _F) -> _F:
        if name in DEFECTS:
            raise ValueError(name)
        DEFECTS[name] = (case, make)
        return make

    return register


@cache
def items_of(name: str) -> tuple[Item, ...]:
    """The variations of a class; the same objects each time, so that what is worked out of one stays."""
    case, make = DEFECTS[name]

    def variation(n: int) -> Callable[[], Made]:
        def made() -> Made:
            result = make(n, random.Random(f"{name}:{n}"))
            return result.made() if isinstance(result, Draft) else result

        return made

    return tuple(Item(f"{name}/{n}", name, case, variation(n)) for n in range(VARIATIONS))
