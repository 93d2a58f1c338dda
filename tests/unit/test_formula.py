"""Formulas that were saved without their values are computed exactly or reported, never read as 0."""

from __future__ import annotations

from decimal import Decimal

import pytest

from etl.collect.formula import CellValue, UnsupportedError, evaluate, index_to_letters, letters_to_index

CELLS: dict[str, CellValue] = {"A1": Decimal("0.1"), "A2": Decimal("0.2"), "B1": "chữ", "B2": None, "C1": Decimal(0)}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("A1+A2", Decimal("0.3")),
        ("SUM(A1:B2)", Decimal("0.3")),
        ("$A$1*10-1", Decimal(0)),
        ('IF(COUNT(A1:A2)=0,"",A1+A2)', Decimal("0.3")),
        ('IF(B2="","",1/0)', ""),
        ('IF(C1=0,"",A1/C1*100)', ""),
        ('IFERROR(A1/C1,"")', ""),
        ("ROUND(2.345,2)", Decimal("2.35")),
        ("A1^2", None),
        ("ABS(-3)", Decimal(3)),
        ('B1&""', None),
        ("VLOOKUP(A1,B1:B2,1)", None),
        ("A1/C1", None),
        ("B1+1", None),
        ("Sheet2!A1", None),
        ("", None),
    ],
)
def test_plain_formulas_have_their_value_and_others_are_unsupported(formula: str, value: CellValue) -> None:
    if value is None:
        with pytest.raises(UnsupportedError):
            evaluate(formula, CELLS.get)
    else:
        assert evaluate(formula, CELLS.get) == value


@pytest.mark.parametrize(("letters", "index"), [("A", 0), ("Z", 25), ("AA", 26), ("XFD", 16383)])
def test_column_letters_and_numbers_are_one_to_one(letters: str, index: int) -> None:
    assert (letters_to_index(letters), index_to_letters(index)) == (index, letters)


def test_a_range_over_the_whole_sheet_is_not_walked() -> None:
    with pytest.raises(UnsupportedError):
        evaluate("SUM(A1:XFD1048576)", CELLS.get)
