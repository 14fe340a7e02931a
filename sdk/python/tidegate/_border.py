"""Turns what the host hands over into the types of the SDK, and back."""

from __future__ import annotations

import json
import traceback
from typing import Any, Callable

from . import failure, log
from .failure import Failure, Fatal
from .rows import BadRow
from .table import Column, Context, Ddl, DdlKind, Index, Manifest, Position, Props, Table, TableRef

try:
    from componentize_py_types import Err
    from wit_world.exports import describe as raw_describe
    from wit_world.imports import types as raw
except ImportError:
    # Outside of a component: unit tests.
    Err = raw = raw_describe = None


def _traceback(error: BaseException) -> str:
    """Where an exception came from. Without the lines of source: there are no files to read them from, and trying to is a trap."""
    frames = [f"{f.f_code.co_filename}:{line} in {f.f_code.co_name}" for f, line in traceback.walk_tb(error.__traceback__)]
    return "\n".join([*frames, f"{type(error).__name__}: {error}"])


def guarded(call: Callable) -> Callable:
    """The body of an export: exceptions become failures the host understands."""

    def export(self: Any, *args: Any) -> Any:
        try:
            return call(self, *args)
        except Failure as error:
            raise Err(lower_failure(error)) from None
        except Exception as error:
            log.error("the plugin raised an exception", traceback=_traceback(error))
            raise Err(lower_failure(Fatal("exception", f"{type(error).__name__}: {error}"))) from None

    return export


def lower_failure(error: Failure) -> Any:
    """types.failure of an exception."""
    case = getattr(raw, f"Failure_{error.kind}")
    if isinstance(error, Fatal):
        return case(raw.FatalError(error.code, error.message, error.attrs))
    return case(raw.RetryHint(error.message, error.after_ms, error.attrs))


def lift_failure(value: Any) -> Failure:
    """The exception of a types.failure."""
    kind = type(value).__name__.removeprefix("Failure_")
    inner = value.value
    if kind in ("Fatal", "Unsupported"):
        return getattr(failure, kind)(inner.code, inner.message, attrs=inner.attrs)
    return getattr(failure, kind)(inner.message, after_ms=inner.after_ms, attrs=inner.attrs)


def position(value: Any) -> Position:
    return Position(value.ts, value.stage, value.seq)


def lower_position(value: Position | None) -> Any:
    return None if value is None else raw.Position(value.ts, value.stage, value.seq)


def context(value: Any) -> Context:
    return Context(value.changefeed, value.slot, value.lane, value.lanes, tuple(value.epoch), value.config, position(value.checkpoint),
                   value.state, value.endpoints, value.tgr_minor, value.attrs)


def table(value: Any) -> Table:
    columns = [
        Column(c.id, c.name, c.logical.value + 1, c.source_type, Props(c.props.value), c.length, c.decimals, c.charset, c.collation,
               c.members, c.default_value, c.attrs)
        for c in value.columns
    ]
    indexes = [Index(i.name, list(i.columns), i.unique, i.primary) for i in value.indexes]
    return Table(TableRef(value.ref.table, value.ref.version), value.database, value.name, columns, indexes, value.row_key,
                 value.charset, value.collation, value.attrs)


def lower_table(value: Table | None) -> Any:
    if value is None:
        return None
    columns = [
        raw.Column(c.id, c.name, raw.LogicalType(c.logical - 1), c.source_type, raw.ColumnProps(int(c.props)), c.length, c.decimals,
                   c.charset, c.collation, c.members, c.default_value, c.attrs)
        for c in value.columns
    ]
    indexes = [raw.Index(i.name, i.columns, i.unique, i.primary) for i in value.indexes]
    return raw.TableSchema(raw.TableRef(value.ref.table, value.ref.version), value.database, value.name, columns, indexes,
                           value.row_key, value.charset, value.collation, value.attrs)


def ddl(value: Any) -> Ddl:
    return Ddl(position(value.at), DdlKind(value.kind.value), value.database, value.table, value.query,
               value.before and table(value.before), value.after and table(value.after), value.maybe_done, value.attrs)


def lower_ddl(value: Ddl | None) -> Any:
    if value is None:
        return None
    return raw.DdlEvent(lower_position(value.at), raw.DdlKind(int(value.kind)), value.database, value.table, value.query,
                        lower_table(value.before), lower_table(value.after), value.maybe_done, value.attrs)


def lower_bad(rows: list[BadRow]) -> list:
    return [raw.BadEvent(bad.row, bad.code, bad.message) for bad in rows]


def reader(batch: Any) -> Callable:
    """Reads more of a batch in the host."""

    def read(columns: list[int] | None, start: int, count: int) -> bytes:
        try:
            return batch.read(columns, start, count)
        except Err as error:
            raise Fatal("read", f"reading more of the batch: {error.value}") from None

    return read


class Tables:
    """Schema versions in use, by reference."""

    def __init__(self) -> None:
        self._entries: dict[TableRef, Any] = {}

    def put(self, ref: TableRef, entry: Any) -> None:
        self._entries[ref] = entry

    def drop(self, value: Any) -> None:
        self._entries.pop(TableRef(value.table, value.version), None)

    def of(self, batch: Any) -> Any:
        ref = batch.table()
        try:
            return self._entries[TableRef(ref.table, ref.version)]
        except KeyError:
            raise Fatal("schema", f"rows of table {ref.table} version {ref.version} came before its schema") from None


def describe_class(manifest: Manifest) -> type:
    """The component's `describe`."""

    class Describe:
        def describe(self) -> Any:
            capabilities = [raw_describe.Capability(c.name, c.required, c.reason) for c in manifest.capabilities]
            schema = "" if manifest.config_schema is None else json.dumps(manifest.config_schema)
            return raw_describe.Manifest(manifest.name, manifest.version, schema, capabilities, 0, manifest.attrs)

    return Describe
