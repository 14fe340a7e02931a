"""Writes a TGR1 batch."""

from __future__ import annotations

import struct
from typing import Iterable, Sequence

from . import tgr1

ABSENT = object()
"""Stands for a value that is not known."""

_SLOTS = (None, struct.Struct("<q"), struct.Struct("<Q"), struct.Struct("<d"), struct.Struct("<II"))


class BatchFull(Exception):
    """The row was undone: with it the batch would be larger than a batch may be."""


class Writer:
    """Writes one batch of a table version. Values are as `tgr1.Image.value` gives them; bytes for strings."""

    def __init__(self, table: int, version: int, columns: Iterable[tgr1.Column], absent: bool = False) -> None:
        self._columns = list(columns)
        self._table, self._version, self._absent = table, version, absent
        self._body = bytearray()
        self._index: list[int] = []
        self._stamps: list[int] = []

    def __len__(self) -> int:
        return len(self._index)

    def row(self, commit_ts: int, start_ts: int, op: int, after: Sequence | None = None, before: Sequence | None = None, *,
            flags: int = 0, partition: int = 0, target: int = 0, lane: int = 0) -> None:
        """Adds a row. An insert has `after`, a delete `before`, an update both."""
        data, offsets, images = bytearray(), [0, 0], 0
        for i, values in enumerate((after, before)):
            if values is not None:
                offsets[i] = 40 + len(data)
                images |= 1 << i
                data += self._image(values, offsets[i])
        start = 64 + 8 * len(self._columns) + len(self._body)
        if start + 40 + len(data) + 8 * (len(self._index) + 2) > tgr1.LIMIT_BYTES:
            raise BatchFull(f"a row of {40 + len(data)} bytes on top of {start}")
        self._body += struct.pack("<QQBBHIIIIHH", commit_ts, start_ts, op, images, flags, 40 + len(data), *offsets, partition, target, lane)
        self._body += data
        self._index.append(start)
        self._stamps.append(commit_ts)

    def _image(self, values: Sequence, at: int) -> bytes:
        bitmap_len = (len(self._columns) + 63) // 64 * 8
        nulls = absent = 0
        slots, tail = bytearray(), bytearray()
        fixed = bitmap_len * (2 if self._absent else 1) + 8 * len(self._columns)
        for col, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            if value is None or value is ABSENT:
                nulls |= 1 << col
                absent |= (value is ABSENT) << col
                slots += bytes(8)
            elif column.slot == tgr1.SLOT_BYTES:
                slots += _SLOTS[4].pack(at + fixed + len(tail), len(value))
                tail += value
            else:
                slots += _SLOTS[column.slot].pack(value)
        maps = nulls.to_bytes(bitmap_len, "little") + (absent.to_bytes(bitmap_len, "little") if self._absent else b"")
        return maps + slots + tail + bytes(-len(tail) % 8)

    def finish(self) -> bytes:
        """The batch."""
        index_at = 64 + 8 * len(self._columns) + len(self._body)
        index = struct.pack(f"<{len(self._index)}I", *self._index)
        index += bytes(-len(index) % 8)
        head = struct.pack("<4sHHIIIIQQIIQQ", b"TGR1", 0, tgr1.FLAG_ABSENT if self._absent else 0, 64, len(self._index),
                           len(self._columns), index_at, self._table, self._version, index_at + len(index), 40,
                           min(self._stamps, default=0), max(self._stamps, default=0))
        entries = b"".join(struct.pack("<HBB4x", *column) for column in self._columns)
        return head + entries + bytes(self._body) + index
