"""Opens a file that the guard let pass, whatever its kind, and gives its sheets as grids.

Excel workbooks of both kinds and OpenDocument are read by python-calamine; what it passes over (errors, formulas
without value, hidden rows) is looked up in the file itself by the module of the kind.
"""

from __future__ import annotations

from etl.collect import delimited, guard, legacy, opendocument, word, xlsx
from etl.collect.grid import ErrorValue, Grid, GridValue, Uncached

__all__ = ["ErrorValue", "Grid", "GridValue", "Uncached", "read"]

_READERS = {
    "xlsx": xlsx.read,
    "xls": legacy.read,
    "ods": opendocument.read,
    "csv": delimited.read,
    "docx": word.read,
}


def read(data: bytes, kind: str | None = None) -> list[Grid]:
    """All sheets, hidden ones too; ``kind`` as the guard says it.

    Raises RefusedError when only reading shows that the file must be refused, and whatever a parser raises for a
    file that is no such thing.
    """
    known = kind or guard.inspect(data)
    if isinstance(known, guard.Refusal):
        raise guard.RefusedError(known)
    if known not in _READERS:
        raise guard.RefusedError(guard.Refusal("M41", "Tệp nén chưa được mở.", "Gửi thẳng tệp bảng tính."))
    return _READERS[known](data)
