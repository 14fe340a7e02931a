"""Rows with their tables: values by name and with their types."""

from __future__ import annotations

import datetime
import decimal
import struct
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from . import tgr1
from .failure import Fatal, Unsupported
from .packed import PackedTime
from .table import Column, Table


@dataclass
class BadRow:
    """One row a plugin will not take."""

    row: int
    code: str
    message: str


def set_text(column: Column, bits: int) -> str:
    """The members of a SET, joined by commas."""
    return ",".join(member for i, member in enumerate(column.members) if bits >> i & 1)


def enum_text(column: Column, number: int) -> str:
    """The member of an ENUM with this number: empty for 0 and for numbers the column does not have."""
    return column.members[number - 1] if 0 < number <= len(column.members) else ""


def floats(data: memoryview) -> tuple[float, ...]:
    """The elements of a vector."""
    return struct.unpack_from(f"<{len(data) // 4}f", data)


def _text(value: memoryview) -> str:
    return str(value, "utf-8", "replace")


def _same(value: Any) -> Any:
    return value


_CONVERTERS: dict[int, Callable[[Any], Any]] = {
    tgr1.DECIMAL: lambda v: decimal.Decimal(str(v, "ascii")), tgr1.TEXT: _text, tgr1.BYTES: bytes, tgr1.JSON: _text,
    tgr1.DATE: PackedTime, tgr1.DATETIME: PackedTime, tgr1.TIMESTAMP: PackedTime,
    tgr1.TIME: lambda v: datetime.timedelta(microseconds=v), tgr1.VECTOR: floats,
}


def converter(column: Column, logical: int) -> Callable[[Any], Any]:
    """Makes Python's value of a raw one that is not NULL."""
    if logical == tgr1.ENUM:
        return lambda number: enum_text(column, number)
    if logical == tgr1.SET:
        return lambda bits: set_text(column, bits)
    return _CONVERTERS.get(logical, _same)


class Record:
    """An image with the names and types of its columns.

    Values are exact: int (also for BIT and YEAR), float, Decimal, str (text, JSON, ENUM, SET), bytes, PackedTime (DATE, DATETIME,
    TIMESTAMP), timedelta (TIME), a tuple of floats (vectors), None (NULL, or not known).
    """

    __slots__ = ("image", "_rows")

    def __init__(self, image: tgr1.Image, rows: Rows) -> None:
        self.image, self._rows = image, rows

    def __getitem__(self, name: str) -> Any:
        col = self._rows.names[name]
        raw = self.image.value(col)
        return None if raw is None else self._rows.converters[col](raw)

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default when the plan left the column out."""
        return self[name] if name in self._rows.names else default

    def keys(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._rows.names)

    def values(self) -> list[Any]:
        """All values, in order."""
        return [None if v is None else convert(v) for v, convert in zip(self.image.raw_values(), self._rows.converters)]

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and values, in order."""
        return zip(self._rows.names, self.values())


class Row:
    """One row with its table."""

    __slots__ = ("raw", "_rows")

    def __init__(self, raw: tgr1.Row, rows: Rows) -> None:
        self.raw, self._rows = raw, rows

    op = property(lambda self: self.raw.op_name, doc="`delete`, `update` or `insert`.")
    commit_ts = property(lambda self: self.raw.commit_ts, doc="Commit timestamp.")
    start_ts = property(lambda self: self.raw.start_ts, doc="Start timestamp of the transaction.")

    def _record(self, image: tgr1.Image | None) -> Record | None:
        return None if image is None else Record(image, self._rows)

    after = property(lambda self: self._record(self.raw.after), doc="The row as it is now; None for a delete.")
    before = property(lambda self: self._record(self.raw.before), doc="The row as it was; None for an insert.")
    current = property(lambda self: self._record(self.raw.current), doc="After, or before for a delete.")

    @property
    def target(self) -> str:
        """Where the dispatcher sends the row: one of the targets, or the table's own name."""
        targets = self._rows.targets
        return targets[self.raw.target] if self.raw.target < len(targets) else self._rows.table.name


class Rows:
    """Rows of one version of one table, in commit order. They are good for the call they came with."""

    def __init__(self, table: Table, data: bytes, targets: list[str] | None = None, reader: Any = None) -> None:
        try:
            self.batch = tgr1.Batch(data)
        except tgr1.FormatError as error:
            raise Fatal("batch", f"{table.database}.{table.name}: {error}") from error
        self.table, self.targets, self._reader = table, targets or [], reader
        self.bad: list[BadRow] = []
        for column in self.batch.columns:
            if column.position >= len(table.columns):
                raise Fatal("batch", f"the batch of {table.database}.{table.name} has a column at position {column.position}, "
                                     f"the table has {len(table.columns)}")
        self.columns = [table.columns[column.position] for column in self.batch.columns]
        self.names = {column.name: i for i, column in enumerate(self.columns)}
        self.converters = [converter(c, spec.logical) for c, spec in zip(self.columns, self.batch.columns)]

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, i: int) -> Row:
        return Row(self.batch[i], self)

    def __iter__(self) -> Iterator[Row]:
        for raw in self.batch:
            yield Row(raw, self)

    def quarantine(self, row: int, code: str, message: str) -> None:
        """Sets a row aside: the host keeps it with the reason, and the changefeed goes on."""
        self.bad.append(BadRow(row, code, message))

    def read(self, columns: list[int] | None, start: int, count: int) -> bytes:
        """More of the batch than the plan asked for, as TGR1."""
        if self._reader is None:
            raise Unsupported("no-host", "this runs outside of a host")
        return self._reader(columns, start, count)
