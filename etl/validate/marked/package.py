"""An .xlsx as a package: parts, relations, content types. Parts that are not changed are copied as they are packed."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass

from etl.validate.marked import xml
from etl.validate.marked.xml import OddPackageError

CONTENT_TYPES = "[Content_Types].xml"
_DAY_ONE = (1980, 1, 1, 0, 0, 0)
_LOCAL_HEADER = 30
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


@dataclass(frozen=True)
class Relation:
    """``target`` is the name of a part, or the address as written when ``external``."""

    id: str
    type: str
    target: str
    external: bool

    @property
    def kind(self) -> str:
        """The last word of the type: ``worksheet``, ``comments`` …, the same in both dialects of the format."""
        return self.type.rpartition("/")[2]


class Package:
    """The parts of a workbook. ``data`` must have passed the guard. Raises OddPackageError when it is no package."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self._entries = {info.filename: info for info in archive.infolist()}
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise OddPackageError(str(error)) from error
        self._changed: dict[str, bytes] = {}
        self._removed: set[str] = set()
        self._cache: dict[str, bytes] = {}
        if CONTENT_TYPES not in self._entries:
            raise OddPackageError(CONTENT_TYPES)

    def __contains__(self, name: str) -> bool:
        return name in self._changed or (name in self._entries and name not in self._removed)

    def names(self) -> list[str]:
        return [n for n in self._entries if n not in self._removed] + [
            n for n in self._changed if n not in self._entries
        ]

    def read(self, name: str) -> bytes:
        if name in self._changed:
            return self._changed[name]
        if name not in self._cache:
            if name not in self:
                raise OddPackageError(f"missing part {name}")
            self._cache[name] = self._unpack(self._entries[name])
        return self._cache[name]

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        head = self._data[info.header_offset : info.header_offset + _LOCAL_HEADER]
        if len(head) < _LOCAL_HEADER:
            raise OddPackageError("local header")
        name_length, extra_length = struct.unpack("<26xHH", head)
        start = info.header_offset + _LOCAL_HEADER + name_length + extra_length
        return self._data[start : start + info.compress_size]

    def _unpack(self, info: zipfile.ZipInfo) -> bytes:
        packed = self._packed(info)
        try:
            if info.compress_type == zipfile.ZIP_STORED:
                plain = packed
            elif info.compress_type == zipfile.ZIP_DEFLATED:
                plain = zlib.decompressobj(-15).decompress(packed, info.file_size + 1)
            else:
                raise OddPackageError("compression")
        except zlib.error as error:
            raise OddPackageError(str(error)) from error
        if zlib.crc32(plain) != info.CRC:
            raise OddPackageError(f"checksum of {info.filename}")
        return plain

    def write(self, name: str, data: bytes) -> None:
        self._removed.discard(name)
        self._changed[name] = data

    def remove(self, name: str) -> None:
        """Take a part out, with its own relations and its content type."""
        for gone in (name, relations_name(name)):
            self._changed.pop(gone, None)
            self._removed.add(gone)
        types = self.read(CONTENT_TYPES)
        edits = xml.Edits(types)
        for node in xml.outline(types, 2).children:
            if node.name == "Override" and (node.get("PartName") or "").lstrip("/") == name:
                edits.replace(node.start, node.end, b"")
        if edits:
            self.write(CONTENT_TYPES, edits.result())

    def add(self, name: str, data: bytes, content_type: str) -> None:
        """A new part with its content type."""
        self.write(name, data)
        types = self.read(CONTENT_TYPES)
        root = xml.outline(types, 2)
        extension = name.rpartition(".")[2]
        edits = xml.Edits(types)
        if extension == "xml":
            new = f'<{root.prefix}Override PartName="/{name}" ContentType="{content_type}"/>'
        elif any(n.name == "Default" and (n.get("Extension") or "").lower() == extension for n in root.children):
            return
        else:
            new = f'<{root.prefix}Default Extension="{extension}" ContentType="{content_type}"/>'
            edits.insert(root.open_end, new.encode())
            self.write(CONTENT_TYPES, edits.result())
            return
        edits.append_to(root, new.encode(), "Types")
        self.write(CONTENT_TYPES, edits.result())

    def free_name(self, pattern: str) -> str:
        """The first name of ``pattern`` (with ``{}``) that no part has."""
        taken = {n.lower() for n in (*self._entries, *self._changed)}
        return next(n for i in range(1, 10_000) if (n := pattern.format(i)).lower() not in taken)

    def relations(self, part: str) -> list[Relation]:
        name = relations_name(part)
        if name not in self:
            return []
        folder = posixpath.dirname(part)
        found = []
        for node in xml.outline(self.read(name), 2).children:
            target, external = node.get("Target") or "", node.get("TargetMode") == "External"
            if not external:
                target = (
                    target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
                )
            found.append(Relation(node.get("Id") or "", node.get("Type") or "", target, external))
        return found

    def relate(self, part: str, relation_type: str, target: str) -> str:
        """Add a relation from ``part`` to the part ``target``; returns its id."""
        taken = {r.id for r in self.relations(part)}
        new_id = next(i for n in range(1, 10_000) if (i := f"rIdTienDo{n}") not in taken)
        name = relations_name(part)
        relative = posixpath.relpath(target, posixpath.dirname(part))
        if name not in self:
            self.write(
                name,
                f'<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="{_RELATIONS}"/>'.encode(),
            )
        data = self.read(name)
        root = xml.outline(data, 1)
        edits = xml.Edits(data)
        new = f'<{root.prefix}Relationship Id="{new_id}" Type="{relation_type}" Target="{relative}"/>'
        edits.append_to(root, new.encode(), "Relationships")
        self.write(name, edits.result())
        return new_id

    def unrelate(self, part: str, relation_id: str) -> None:
        data = self.read(relations_name(part))
        edits = xml.Edits(data)
        for node in xml.outline(data, 2).children:
            if node.get("Id") == relation_id:
                edits.replace(node.start, node.end, b"")
        self.write(relations_name(part), edits.result())

    def save(self) -> bytes:
        """The package. Kept parts stay packed as they came, in their order; new ones follow. No clock is read."""
        out = bytearray()
        directory: list[tuple[zipfile.ZipInfo, int]] = []
        for name, info in self._entries.items():
            if name in self._removed:
                continue
            if name in self._changed:
                _append(out, directory, name, self._changed[name])
            else:
                kept = _copy(info)
                directory.append((kept, len(out)))
                out += kept.FileHeader(zip64=False) + self._packed(info)
        for name, data in self._changed.items():
            if name not in self._entries:
                _append(out, directory, name, data)
        start = len(out)
        for info, offset in directory:
            name_bytes, flags = _name(info)
            out += struct.pack(
                "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, info.create_system, 20, 0, flags, info.compress_type,
                *_moment(info), info.CRC, info.compress_size, info.file_size, len(name_bytes), 0, 0, 0, 0, 0, offset,
            )  # fmt: skip
            out += name_bytes
        out += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(directory), len(directory), len(out) - start, start, 0)
        return bytes(out)


def relations_name(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"


def _append(out: bytearray, directory: list[tuple[zipfile.ZipInfo, int]], name: str, data: bytes) -> None:
    packer = zlib.compressobj(4, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    info = zipfile.ZipInfo(name, _DAY_ONE)
    info.compress_type, info.CRC = zipfile.ZIP_DEFLATED, zlib.crc32(data)
    info.compress_size, info.file_size = len(packed), len(data)
    directory.append((info, len(out)))
    out += info.FileHeader(zip64=False) + packed


def _copy(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The entry without data descriptor and extra fields: sizes and checksum stand in the header itself."""
    kept = zipfile.ZipInfo(info.filename, info.date_time)
    kept.compress_type, kept.CRC = info.compress_type, info.CRC
    kept.compress_size, kept.file_size = info.compress_size, info.file_size
    kept.create_system = info.create_system
    return kept


def _name(info: zipfile.ZipInfo) -> tuple[bytes, int]:
    try:
        return info.filename.encode("ascii"), info.flag_bits & ~0x808
    except UnicodeEncodeError:
        return info.filename.encode("utf-8"), (info.flag_bits & ~0x808) | 0x800


def _moment(info: zipfile.ZipInfo) -> tuple[int, int]:
    year, month, day, hour, minute, second = info.date_time
    return hour << 11 | minute << 5 | second // 2, (max(year, 1980) - 1980) << 9 | month << 5 | day
