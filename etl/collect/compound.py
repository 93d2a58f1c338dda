"""The OLE container of Excel 97-2003 files, as far as the guard must see into it: names of streams, first records.

Format: [MS-CFB] (header, sector chains, directory) and [MS-XLS] (records of the Workbook stream). Every step is
bounded, so that a chain that runs in a circle ends.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_MAX_ENTRIES = 1024
_MAX_GLOBALS_BYTES = 256 * 1024
_END_OF_CHAIN = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors."""

_BOF, _EOF, _FILEPASS, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0085
_MACRO_SHEET = 1


class DamagedError(Exception):
    """The container contradicts itself."""


@dataclass(frozen=True)
class Stream:
    start: int
    size: int


@dataclass(frozen=True)
class Globals:
    """What the first records of a workbook say: a password is asked for; a sheet of Excel 4 macros is there."""

    encrypted: bool
    macro_sheet: bool


def _u16(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<H", data, offset)[0])


def _u32(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<I", data, offset)[0])


class _Sectors:
    """Sectors by number and the chains that link them."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER_BYTES or _u16(data, 30) not in (9, 12):
            raise DamagedError
        self.data = data
        self.size = 1 << _u16(data, 30)
        count = len(data) // self.size
        self.tables = [n for n in struct.unpack_from("<109I", data, 76) if n < count]
        most = count // (self.size // 4) + 1
        extension, steps = _u32(data, 68), 0
        while extension < count:
            if steps > most // (self.size // 4 - 1):  # more than it takes to list the tables
                raise DamagedError
            content = self.sector(extension)
            numbers = struct.unpack(f"<{self.size // 4}I", content.ljust(self.size, b"\xff"))
            self.tables += [n for n in numbers[:-1] if n < count]
            extension, steps = numbers[-1], steps + 1
            if len(self.tables) > most:  # more tables than it takes to describe every sector
                raise DamagedError

    def sector(self, number: int) -> bytes:
        start = (number + 1) * self.size
        return self.data[start : start + self.size]

    def after(self, number: int) -> int:
        table, place = divmod(number, self.size // 4)
        if table >= len(self.tables):
            raise DamagedError
        content = self.sector(self.tables[table])
        if len(content) < place * 4 + 4:
            raise DamagedError
        return _u32(content, place * 4)

    def chain(self, start: int, limit: int) -> bytes:
        """Content of the chain from ``start`` on, ``limit`` bytes at most; raises DamagedError on a circle."""
        parts: list[bytes] = []
        seen: set[int] = set()
        number = start
        while number < _END_OF_CHAIN and len(parts) * self.size < limit:
            if number in seen:
                raise DamagedError
            seen.add(number)
            parts.append(self.sector(number))
            number = self.after(number)
        return b"".join(parts)[:limit]


def directory(data: bytes) -> dict[str, Stream]:
    """Names of all streams and storages with their place. Raises DamagedError."""
    try:
        sectors = _Sectors(data)
        entries = sectors.chain(_u32(data, 48), _MAX_ENTRIES * _ENTRY_BYTES)
    except struct.error as error:
        raise DamagedError from error
    found: dict[str, Stream] = {}
    for offset in range(0, len(entries) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        length = _u16(entries, offset + 64)
        if 2 <= length <= 64:
            name = entries[offset : offset + length - 2].decode("utf-16-le", "replace")
            found.setdefault(name, Stream(_u32(entries, offset + 116), _u32(entries, offset + 120)))
    if not found:
        raise DamagedError
    return found


def globals_of(data: bytes, book: Stream) -> Globals:
    """Walks the first substream of the Workbook stream. Raises DamagedError when it is no workbook."""
    if book.size < 4096:  # such a stream lies in small sectors; no workbook of this world is so small
        raise DamagedError
    try:
        content = _Sectors(data).chain(book.start, min(book.size, _MAX_GLOBALS_BYTES))
        if _u16(content, 0) != _BOF:
            raise DamagedError
        encrypted = macro_sheet = False
        offset = 0
        while offset + 4 <= len(content):
            kind, length = _u16(content, offset), _u16(content, offset + 2)
            if kind == _EOF:
                break
            encrypted |= kind == _FILEPASS
            if kind == _BOUNDSHEET and offset + 10 <= len(content):
                macro_sheet |= content[offset + 9] == _MACRO_SHEET
            offset += 4 + length
    except struct.error as error:
        raise DamagedError from error
    return Globals(encrypted, macro_sheet)


def stream(data: bytes, wanted: Stream) -> bytes:
    """A whole stream. Raises DamagedError."""
    if wanted.size < 4096:
        raise DamagedError
    try:
        return _Sectors(data).chain(wanted.start, wanted.size)
    except struct.error as error:
        raise DamagedError from error
