"""A plugin that decides where rows go: lane, target and partition of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import _border as border
from .rows import Rows
from .table import Attrs, Context, Manifest, Table, TableRef

try:
    from wit_world.exports import dispatcher as raw
except ImportError:
    raw = None

LEAVE_OUT = 0xFFFF
"""The lane that means: leave the row out."""


@dataclass
class DispatchPlan:
    """What a dispatcher wants of one table version."""

    columns: list[int] | None = None
    """Positions of the columns needed for the decision; None: all; empty: row headers only."""
    targets: list[str] = field(default_factory=list)
    """Names that decisions point to; empty: the table itself."""
    split_key_updates: bool = False
    """An update whose row key changed comes as a delete and an insert."""
    attrs: Attrs = field(default_factory=list)


class Decisions:
    """Where each row goes: assign to `lanes[i]`, `targets[i]`, `partitions[i]`. What is left alone stays 0."""

    def __init__(self, rows: int) -> None:
        self.lanes, self.targets, self.partitions = [0] * rows, [0] * rows, [0] * rows


class Dispatcher:
    """Decides for rows. It is pure: no capabilities, the same answer for the same rows."""

    def open(self, context: Context) -> None:
        """Starts. The context says how many lanes there are."""

    def on_schema(self, table: Table) -> DispatchPlan:
        """Before the first row of a table version."""
        return DispatchPlan()

    def partition_counts(self, table: TableRef, counts: list[int]) -> None:
        """Partitions of each target of the table's plan, when the sink's side knows; before the table's first rows."""

    def dispatch(self, rows: Rows, to: Decisions) -> None:
        """Decides for every row."""
        raise NotImplementedError

    def drop_schema(self, table: TableRef) -> None:
        """A table version is not used any more."""


def export_dispatcher(implementation: type[Dispatcher], manifest: Manifest) -> tuple[type, type]:
    """The classes a component's module must have, named `Describe` and `Dispatcher`."""

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
            self.tables.put(table.ref, table)
            return raw.DispatchPlan(plan.columns, plan.targets, plan.split_key_updates, plan.attrs)

        def drop_schema(self, ref: Any) -> None:
            self.tables.drop(ref)
            self.plugin.drop_schema(TableRef(ref.table, ref.version))

        def partition_counts(self, ref: Any, counts: list[int]) -> None:
            self.plugin.partition_counts(TableRef(ref.table, ref.version), list(counts))

        @border.guarded
        def dispatch(self, batch: Any, data: bytes) -> Any:
            rows = Rows(self.tables.of(batch), data, None, border.reader(batch))
            to = Decisions(len(rows))
            self.plugin.dispatch(rows, to)
            # An empty list means 0 for every row, and is the least to copy.
            lists = [items if any(items) else [] for items in (to.lanes, to.targets, to.partitions)]
            return raw.Decisions(*lists, border.lower_bad(rows.bad))

    return border.describe_class(manifest), Export
