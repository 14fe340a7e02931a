"""A plugin that turns rows to rows, before dispatch: reshape, mask, rename, leave out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Sequence

from . import _border as border
from . import tgr1
from .rows import Row, Rows
from .table import Attrs, Context, Ddl, Manifest, Table, TableRef
from .writer import BatchFull, Writer

try:
    from wit_world.exports import transform as raw
except ImportError:
    raw = None


@dataclass
class TransformPlan:
    """What becomes of one table version."""

    active: bool = False
    """`transform` is called for rows of this table."""
    columns: list[int] | None = None
    """Positions of the columns wanted; None: all."""
    output: Table | None = None
    """What the table is to everyone behind, with the same ref; None: as it was."""
    attrs: Attrs = field(default_factory=list)


class Output:
    """Takes the rows of the answer, with values as `tgr1.Image.raw_values` gives them and bytes for strings."""

    def __init__(self, table: Table, like: tgr1.Batch) -> None:
        columns = [tgr1.Column(i, tgr1.SLOT_OF[c.logical], c.logical) for i, c in enumerate(table.columns)]
        self.writer = Writer(table.ref.table, table.ref.version, columns, bool(like.flags & tgr1.FLAG_ABSENT))
        self.origins: list[int] = []

    def row(self, number: int, source: Row, after: Sequence | None, before: Sequence | None) -> None:
        """Adds a row that comes from row `number` of the input, with its timestamps, op, flags and route."""
        origin = source.raw
        try:
            self.writer.row(origin.commit_ts, origin.start_ts, origin.op, after, before, flags=origin.flags, partition=origin.partition,
                            target=origin.target, lane=origin.lane)
        except BatchFull as error:
            raise border.Fatal("batch", error) from error
        self.origins.append(number)


class Transform:
    """Changes rows. It is pure: no capabilities, the same answer for the same rows."""

    def open(self, context: Context) -> None:
        """Starts."""

    def on_schema(self, table: Table) -> TransformPlan:
        """Before the first row of a table version: what becomes of the table."""
        return TransformPlan()

    def transform(self, rows: Rows, out: Output) -> None:
        """Writes rows, in the order of the input, each with the images of the row it came from."""
        raise NotImplementedError

    def on_ddl(self, ddl: Ddl) -> Ddl | None:
        """The statement as everyone behind is to see it; None: not at all."""
        return ddl

    def drop_schema(self, table: TableRef) -> None:
        """A table version is not used any more."""


def export_transform(implementation: type[Transform], manifest: Manifest) -> tuple[type, type]:
    """The classes a component's module must have, named `Describe` and `Transform`."""

    class Export:
        # The bindings make an object for each call: what stays is the class's.
        plugin = implementation()
        tables = border.Tables()

        @border.guarded
        def open(self, ctx: Any) -> None:
            self.plugin.open(border.context(ctx))

        @border.guarded
        def on_schema(self, schema: Any) -> Any:
            table = border.table(schema)
            plan = self.plugin.on_schema(table)
            self.tables.put(table.ref, (table, plan.output or table))
            return raw.TransformPlan(plan.active, plan.columns, border.lower_table(plan.output), plan.attrs)

        def drop_schema(self, ref: Any) -> None:
            self.tables.drop(ref)
            self.plugin.drop_schema(TableRef(ref.table, ref.version))

        @border.guarded
        def transform(self, batch: Any, data: bytes) -> Any:
            table, output = self.tables.of(batch)
            rows = Rows(table, data, None, border.reader(batch))
            out = Output(output, rows.batch)
            self.plugin.transform(rows, out)
            answer = out.writer.finish() if out.origins else b""
            return raw.Transformed(answer, out.origins, border.lower_bad(rows.bad))

        @border.guarded
        def on_ddl(self, event: Any) -> Any:
            return border.lower_ddl(self.plugin.on_ddl(border.ddl(event)))

    return border.describe_class(manifest), Export
