"""A plugin that writes somewhere."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from . import _border as border
from .rows import Rows
from .table import Attrs, Context, Ddl, Manifest, Position, Table, TableRef

try:
    from wit_world.exports import sink as raw
except ImportError:
    raw = None

_EMPTY = (b"TGR1" + bytes(4) + (64).to_bytes(4, "little") + bytes(8) + (64).to_bytes(4, "little") + bytes(16) + (64).to_bytes(4, "little")
          + (40).to_bytes(4, "little") + bytes(16))


@dataclass
class Plan:
    """What a sink wants of one table version."""

    columns: list[int] | None = None
    """Positions of the columns wanted; None: all; empty: row headers only."""
    deliver: bool = True
    """False: `write` gets no rows; they are read on demand."""
    batch_rows: int | None = None
    batch_bytes: int | None = None
    attrs: Attrs = field(default_factory=list)


class BarrierKind(enum.IntEnum):
    """Why a barrier comes."""

    CHECKPOINT, DDL, SWAP, STOP = range(4)


@dataclass
class Barrier:
    """A demand to make everything written durable. What a sink leaves in `complete` and `state` is the answer."""

    id: int
    kind: BarrierKind
    at: Position
    complete: bool = True
    """False: not everything is durable yet; the host asks again."""
    state: bytes | None = None
    """Saved by the host in one step with the checkpoint; at most 64 KiB."""


class Sink:
    """Writes rows. One instance serves one lane of one slot, and the host makes one call at a time."""

    def open(self, context: Context) -> None:
        """Starts. Everything up to the context's checkpoint is durable already."""

    def on_schema(self, table: Table, targets: list[str]) -> Plan:
        """Before the first row of a table version."""
        return Plan()

    def write(self, rows: Rows) -> None:
        """Takes rows of one table version, in commit order; they need not be durable yet."""
        raise NotImplementedError

    def flush(self, barrier: Barrier) -> None:
        """Makes everything written so far durable."""
        raise NotImplementedError

    def on_ddl(self, ddl: Ddl) -> None:
        """Only between barriers; statements are passed over unless this is overridden."""

    def status(self) -> Position | None:
        """What the sink's own store holds: asked after `open` and after failures of unknown outcome. None: it keeps no position."""
        return None

    def on_checkpoint(self, at: Position) -> None:
        """Up to where the whole changefeed is durable; on the instance that runs DDL, about once a second."""

    def on_tick(self) -> None:
        """Every second."""

    def buffered(self) -> int:
        """Bytes held and not durable: the host may flush early."""
        return 0

    def drop_schema(self, table: TableRef) -> None:
        """A table version is not used any more."""

    def close(self) -> None:
        """The last call."""


def export_sink(implementation: type[Sink], manifest: Manifest) -> tuple[type, type]:
    """The classes a component's module must have, named `Describe` and `Sink`."""

    class Export:
        # The bindings make an object for each call: what stays is the class's.
        plugin = implementation()
        tables = border.Tables()

        @border.guarded
        def open(self, ctx: Any) -> Any:
            self.plugin.open(border.context(ctx))
            return border.lower_position(self.plugin.status())

        @border.guarded
        def on_schema(self, schema: Any, targets: list[str]) -> Any:
            table = border.table(schema)
            plan = self.plugin.on_schema(table, targets)
            self.tables.put(table.ref, (table, targets, plan.deliver))
            return raw.TablePlan(plan.columns, plan.deliver, plan.batch_rows, plan.batch_bytes, plan.attrs)

        def drop_schema(self, ref: Any) -> None:
            self.tables.drop(ref)
            self.plugin.drop_schema(TableRef(ref.table, ref.version))

        @border.guarded
        def on_ddl(self, event: Any) -> None:
            self.plugin.on_ddl(border.ddl(event))

        @border.guarded
        def write(self, batch: Any, data: bytes) -> Any:
            table, targets, deliver = self.tables.of(batch)
            rows = Rows(table, data if deliver else _EMPTY, targets, border.reader(batch))
            self.plugin.write(rows)
            return raw.WriteOutcome(border.lower_bad(rows.bad), self.plugin.buffered())

        @border.guarded
        def flush(self, demand: Any) -> Any:
            barrier = Barrier(demand.id, BarrierKind(demand.kind.value), border.position(demand.at))
            self.plugin.flush(barrier)
            return raw.Ack(barrier.id, barrier.complete, barrier.state)

        @border.guarded
        def status(self) -> Any:
            return border.lower_position(self.plugin.status())

        @border.guarded
        def on_checkpoint(self, at: Any) -> None:
            self.plugin.on_checkpoint(border.position(at))

        @border.guarded
        def on_tick(self) -> None:
            self.plugin.on_tick()

        def close(self) -> None:
            self.plugin.close()

    return border.describe_class(manifest), Export
