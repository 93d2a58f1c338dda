"""Values of formulas that a program saved without them (case 35 of DOMAIN.md section 5).

Libraries and some phone programs store a formula but no value. Reading such a cell as blank or 0 would be a guess, so
the formula itself is computed, exactly, when it is of the plain kind that the official workbook uses: numbers, texts,
cells, + - * /, comparisons, SUM, IF, COUNT, ROUND, AND, OR, N, ABS, MIN, MAX. Anything else is unsupported and
the cell is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from html import unescape

CellValue = Decimal | str | bool | None
Resolve = Callable[[str], CellValue]


class UnsupportedError(Exception):
    """The formula is not of the plain kind, or refers to something that cannot be computed."""


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<text>"(?:[^"]|"")*")|(?P<range>\$?[A-Z]{1,3}\$?\d+:\$?[A-Z]{1,3}\$?\d+)
    |(?P<cell>\$?[A-Z]{1,3}\$?\d+)(?![A-Za-z(])|(?P<name>[A-Z][A-Z0-9.]*)|(?P<op><=|>=|<>|[-+*/=<>(),;&^]))""",
    re.VERBOSE,
)


def letters_to_index(letters: str) -> int:
    """``A`` -> 0, ``AA`` -> 26."""
    index = 0
    for char in letters:
        index = index * 26 + ord(char) - 64
    return index - 1


def index_to_letters(index: int) -> str:
    """0 -> ``A``, 26 -> ``AA``."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cells_of(reference: str) -> Iterable[str]:
    """``D11:E12`` -> D11, E11, D12, E12. A range of more than 20,000 cells is unsupported."""
    match = re.fullmatch(r"([A-Z]+)(\d+):([A-Z]+)(\d+)", reference.replace("$", ""))
    if not match:
        raise UnsupportedError(reference)
    left, right = sorted((letters_to_index(match[1]), letters_to_index(match[3])))
    top, bottom = sorted((int(match[2]), int(match[4])))
    if (right - left + 1) * (bottom - top + 1) > 20_000:
        raise UnsupportedError(reference)
    return (f"{index_to_letters(c)}{r}" for r in range(top, bottom + 1) for c in range(left, right + 1))


def evaluate(formula: str, resolve: Resolve) -> CellValue:
    """Value of ``formula`` (without the leading ``=``); ``resolve`` gives the value of a cell by its address."""
    try:
        parser = _Parser(unescape(formula), resolve)
        value = parser.comparison()
        parser.end()
    except (ArithmeticError, RecursionError, IndexError) as error:
        raise UnsupportedError(formula) from error
    return value


def _number(value: CellValue) -> Decimal:
    if value is None:
        return Decimal(0)
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, str):
        raise UnsupportedError(value)
    return value


def _truth(value: CellValue) -> bool:
    return bool(_number(value))


def _flat(arguments: list[CellValue | list[CellValue]]) -> list[CellValue]:
    flat: list[CellValue] = []
    for argument in arguments:
        flat.extend(argument) if isinstance(argument, list) else flat.append(argument)
    return flat


def _numbers(arguments: list[CellValue | list[CellValue]]) -> list[Decimal]:
    """The numbers among the arguments; texts and blanks of a range do not count, as in Excel."""
    return [v for v in _flat(arguments) if isinstance(v, Decimal) and not isinstance(v, bool)]


_FUNCTIONS: dict[str, Callable[[list[CellValue | list[CellValue]]], CellValue]] = {
    "SUM": lambda a: sum(_numbers(a), Decimal(0)),
    "COUNT": lambda a: Decimal(len(_numbers(a))),
    "COUNTA": lambda a: Decimal(sum(v is not None for v in _flat(a))),
    "N": lambda a: sum(_numbers(a[:1]), Decimal(0)),
    "ABS": lambda a: abs(_number(_flat(a)[0])),
    "MIN": lambda a: min(_numbers(a), default=Decimal(0)),
    "MAX": lambda a: max(_numbers(a), default=Decimal(0)),
    "AND": lambda a: all(_truth(v) for v in _flat(a)),
    "OR": lambda a: any(_truth(v) for v in _flat(a)),
    "ROUND": lambda a: _number(_flat(a)[0]).quantize(Decimal(1).scaleb(-int(_number(_flat(a)[1]))), ROUND_HALF_UP),
}


class _Parser:
    """Recursive descent over the tokens; IF evaluates both branches lazily by catching what the untaken one lacks."""

    def __init__(self, text: str, resolve: Resolve) -> None:
        self.resolve = resolve
        self.tokens: list[tuple[str, str]] = []
        position = 0
        text = text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if not match or match.lastgroup is None:
                raise UnsupportedError(text)
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self.at = 0

    def peek(self, *wanted: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at] in [("op", w) for w in wanted]

    def take(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def end(self) -> None:
        if self.at != len(self.tokens):
            raise UnsupportedError(str(self.tokens[self.at :]))

    def comparison(self) -> CellValue:
        left = self.addition()
        while self.peek("=", "<>", "<", ">", "<=", ">="):
            operator = self.take()[1]
            right = self.addition()
            left = _compare(operator, left, right)
        return left

    def addition(self) -> CellValue:
        left = self.term()
        while self.peek("+", "-"):
            sign = 1 if self.take()[1] == "+" else -1
            left = _number(left) + sign * _number(self.term())
        return left

    def term(self) -> CellValue:
        left = self.factor()
        while self.peek("*", "/"):
            operator = self.take()[1]
            right = _number(self.factor())
            left = _number(left) * right if operator == "*" else _number(left) / right
        return left

    def factor(self) -> CellValue:
        if self.peek("-", "+"):
            sign = -1 if self.take()[1] == "-" else 1
            return sign * _number(self.factor())
        if self.peek("("):
            self.take()
            value = self.comparison()
            self.close()
            return value
        kind, text = self.take()
        if kind == "number":
            return Decimal(text)
        if kind == "text":
            return text[1:-1].replace('""', '"')
        if kind == "cell":
            return self.resolve(text.replace("$", ""))
        if kind == "name" and text in ("TRUE", "FALSE"):
            return text == "TRUE"
        if kind == "name":
            return self.call(text)
        raise UnsupportedError(text)

    def close(self) -> None:
        if not self.peek(")"):
            raise UnsupportedError(")")
        self.take()

    def call(self, name: str) -> CellValue:
        if not self.peek("("):
            raise UnsupportedError(name)
        self.take()
        if name in ("IF", "IFERROR"):
            return self.branch(name)
        if name not in _FUNCTIONS:
            raise UnsupportedError(name)
        arguments: list[CellValue | list[CellValue]] = []
        while not self.peek(")"):
            if self.tokens[self.at][0] == "range":
                arguments.append([self.resolve(c) for c in cells_of(self.take()[1])])
            else:
                arguments.append(self.comparison())
            if self.peek(",", ";"):
                self.take()
        self.close()
        return _FUNCTIONS[name](arguments)

    def branch(self, name: str) -> CellValue:
        values: list[CellValue | UnsupportedError] = []
        while not self.peek(")"):
            start = self.at
            try:
                values.append(self.comparison())
            except (UnsupportedError, ArithmeticError) as error:
                values.append(UnsupportedError(str(error)))
                self.skip_argument(start)
            if self.peek(",", ";"):
                self.take()
        self.close()
        if name == "IFERROR":
            chosen = values[1] if isinstance(values[0], UnsupportedError) else values[0]
        else:
            if isinstance(values[0], UnsupportedError):
                raise values[0]
            rest = values[1:]
            chosen = rest[0] if _truth(values[0]) else (rest[1] if len(rest) > 1 else False)
        if isinstance(chosen, UnsupportedError):
            raise chosen
        return chosen

    def skip_argument(self, start: int) -> None:
        """Go on behind the argument that began at token ``start``."""
        self.at, depth = start, 0
        while depth or not self.peek(",", ";", ")"):
            depth += self.peek("(") - self.peek(")")
            self.at += 1


def _compare(operator: str, left: CellValue, right: CellValue) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        a, b = ("" if v is None else str(v) for v in (left, right))
        if operator not in ("=", "<>"):
            raise UnsupportedError(operator)
        return (a == b) == (operator == "=")
    x, y = _number(left), _number(right)
    return {"=": x == y, "<>": x != y, "<": x < y, ">": x > y, "<=": x <= y, ">=": x >= y}[operator]
