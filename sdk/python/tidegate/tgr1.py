"""Reads and writes TGR1, the row batch that crosses the border between the host and a plugin (docs/formats/tgr1.md).

After `Batch` has taken the bytes, only a string that lies outside its row can still fail, with `FormatError`.
"""

from __future__ import annotations

import struct
from typing import Iterator, NamedTuple, Union

LIMIT_BYTES = 16 << 20
"""The largest batch there is."""

FLAG_ABSENT = 1
FLAG_MAYBE_REPEATED = 2
ROW_MAYBE_REPEATED = 1
ROW_SPLIT_UPDATE = 2

DELETE, UPDATE, INSERT = range(3)
OP_NAMES = ("delete", "update", "insert")

SLOT_INT, SLOT_UINT, SLOT_FLOAT, SLOT_BYTES = range(1, 5)
(INT, UINT, FLOAT32, FLOAT64, DECIMAL, TEXT, BYTES, JSON, DATE, DATETIME, TIMESTAMP, TIME, YEAR, ENUM, SET, BIT, VECTOR) = range(1, 18)
SLOT_OF = (0, 1, 2, 3, 3, 4, 4, 4, 4, 2, 2, 2, 1, 1, 2, 2, 2, 4)
"""The kind of slot of each logical type."""

_HEADER = struct.Struct("<4sHHIIIIQQIIQQ")
_ROW = struct.Struct("<QQBBHIIIIHH")
_COLUMN = struct.Struct("<HBB4x")
_SLOT_CODES = "?qQdQ"


class FormatError(Exception):
    """Bytes that are not a batch; `fault` is magic, bounds, align or unknown."""

    def __init__(self, fault: str, what: str) -> None:
        texts = {
            "magic": "the bytes do not start with TGR1",
            "bounds": f"the batch is cut short or its {what} points outside it",
            "align": f"the batch's {what} is not a valid length or offset",
            "unknown": f"the batch holds an unknown {what}",
        }
        super().__init__(texts[fault])
        self.fault = fault


class Column(NamedTuple):
    """One entry of the column map."""

    position: int
    """Index in the table's columns."""
    slot: int
    logical: int


Value = Union[None, int, float, memoryview]
"""A value by its slot."""


class Image:
    """The values of a row before or after the change. Columns that do not exist read as NULL."""

    __slots__ = ("_batch", "_row", "_at", "_slots")

    def __init__(self, batch: Batch, row: Row, at: int) -> None:
        self._batch, self._row, self._at, self._slots = batch, row, row.at + at, None

    def __len__(self) -> int:
        return len(self._batch.columns)

    def _bit(self, at: int, col: int) -> bool:
        return self._batch.data[at + (col >> 3)] >> (col & 7) & 1 != 0

    def is_null(self, col: int) -> bool:
        """Whether the value is NULL, or there is no such column."""
        return not 0 <= col < len(self._batch.columns) or self._bit(self._at, col)

    def is_absent(self, col: int) -> bool:
        """Whether the value is not known; it reads as NULL then."""
        offset = self._batch.absent_offset
        return offset != 0 and 0 <= col < len(self._batch.columns) and self._bit(self._at + offset, col)

    def _raw(self) -> tuple:
        slots = self._slots
        if slots is None:
            slots = self._slots = self._batch.slots.unpack_from(self._batch.data, self._at + self._batch.slots_offset)
        return slots

    def nulls(self) -> int:
        """The null bitmap: bit i is column i."""
        return int.from_bytes(self._batch.data[self._at : self._at + self._batch.bitmap_len], "little")

    def value(self, col: int) -> Value:
        """int, float, or the bytes of a string in place; None for NULL."""
        if self.is_null(col):
            return None
        raw = self._raw()[col]
        return self.bytes_at(raw) if self._batch.columns[col].slot == SLOT_BYTES else raw

    def bytes_at(self, slot: int) -> memoryview:
        """The bytes a string's slot points to."""
        start = slot & 0xFFFFFFFF
        end = start + (slot >> 32)
        if end > self._row.length:
            raise FormatError("bounds", "string")
        return self._batch.data[self._row.at + start : self._row.at + end]

    def raw_values(self) -> list[Value]:
        """All values, as `value` gives them."""
        nulls = self.nulls()
        values: list[Value] = list(self._raw())
        for col in self._batch.string_columns:
            if not nulls >> col & 1:
                values[col] = self.bytes_at(values[col])
        if nulls:
            for col in range(len(values)):
                if nulls >> col & 1:
                    values[col] = None
        return values


class Row:
    """One row of a batch."""

    __slots__ = ("_batch", "at", "commit_ts", "start_ts", "op", "_images", "flags", "length", "_after", "_before", "partition", "target",
                 "lane")

    def __init__(self, batch: Batch, at: int) -> None:
        self._batch, self.at = batch, at
        (self.commit_ts, self.start_ts, self.op, self._images, self.flags, self.length, self._after, self._before, self.partition,
         self.target, self.lane) = _ROW.unpack_from(batch.data, at)

    @property
    def op_name(self) -> str:
        """`delete`, `update` or `insert`."""
        return OP_NAMES[self.op]

    @property
    def after(self) -> Image | None:
        """The row as it is now; None for a delete."""
        return Image(self._batch, self, self._after) if self._images & 1 else None

    @property
    def before(self) -> Image | None:
        """The row as it was; None for an insert."""
        return Image(self._batch, self, self._before) if self._images & 2 else None

    @property
    def current(self) -> Image | None:
        """The image that identifies the row as it is: after, or before for a delete."""
        return self.after or self.before


class Batch:
    """A checked batch over bytes. Takes O(rows + columns); rows are read where they are asked for."""

    def __init__(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        if bytes(view[:4]) != b"TGR1":
            raise FormatError("magic", "")
        if len(view) < _HEADER.size:
            raise FormatError("bounds", "header")
        (_, self.minor, self.flags, map_at, rows, columns, index_at, self.table, self.version, total, row_header, self.min_commit_ts,
         self.max_commit_ts) = _HEADER.unpack_from(view)
        if map_at < _HEADER.size or map_at % 8:
            raise FormatError("align", "header length")
        if row_header < _ROW.size or row_header % 8:
            raise FormatError("align", "row header length")
        if total > len(view):
            raise FormatError("bounds", "total length")
        if columns > 0xFFFF:
            raise FormatError("bounds", "column count")
        map_end = map_at + 8 * columns
        if map_end > index_at:
            raise FormatError("bounds", "column map")
        if index_at % 8:
            raise FormatError("align", "row index")
        if index_at + 4 * rows > total:
            raise FormatError("bounds", "row index")
        self.data = view[:total]
        self.columns = [Column(*entry) for entry in _COLUMN.iter_unpack(self.data[map_at:map_end])]
        for column in self.columns:
            if not SLOT_INT <= column.slot <= SLOT_BYTES:
                raise FormatError("unknown", f"slot kind: {column.slot}")
            if not INT <= column.logical <= VECTOR:
                raise FormatError("unknown", f"logical type: {column.logical}")
        self.bitmap_len = (columns + 63) // 64 * 8
        self.absent_offset = self.bitmap_len if self.flags & FLAG_ABSENT else 0
        self.slots_offset = self.bitmap_len + self.absent_offset
        self.slots = struct.Struct("<" + "".join(_SLOT_CODES[column.slot] for column in self.columns))
        self.string_columns = [i for i, column in enumerate(self.columns) if column.slot == SLOT_BYTES]
        self._index = struct.unpack_from(f"<{rows}I", self.data, index_at)
        for at in self._index:
            self._check_row(at, map_end, index_at, row_header)

    def _check_row(self, at: int, first: int, end: int, row_header: int) -> None:
        if at % 8 or at < first:
            raise FormatError("align", "row offset")
        room = end - at
        if room < row_header:
            raise FormatError("bounds", "row offset")
        _, _, op, images, _, length, after, before, _, _, _ = _ROW.unpack_from(self.data, at)
        if length % 8 or length < row_header:
            raise FormatError("align", "row length")
        if length > room:
            raise FormatError("bounds", "row length")
        if op > INSERT:
            raise FormatError("unknown", f"op: {op}")
        fixed = self.slots_offset + self.slots.size
        for has, image in ((images & 1, after), (images & 2, before)):
            if has:
                if image % 8 or image < row_header:
                    raise FormatError("align", "image offset")
                if image > length or length - image < fixed:
                    raise FormatError("bounds", "image")

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, i: int) -> Row:
        return Row(self, self._index[i])

    def __iter__(self) -> Iterator[Row]:
        for at in self._index:
            yield Row(self, at)
