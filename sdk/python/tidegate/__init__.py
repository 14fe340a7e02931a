"""What a Tidegate plugin written in Python is made of.

A plugin is a module that derives a class from `Sink`, `Dispatcher` or `Transform` and exports it:

    Describe, Sink = tidegate.export_sink(MySink, tidegate.Manifest(name="mine", version="1.0.0"))

Does: types for everything that crosses the border, typed rows, the mapping of exceptions. Capabilities are modules of their own:
`sql`, `producer`, `object_store`, `http`, `state`, `secret`, `clock`, `log`, `metrics`; import them at the top of a module, since a
component has no files to import from later.
Does not: any IO of its own. There are no files, no sockets, no environment; `time.time()` does not tell the time (`clock` does) and
`random` is not random.
"""

from . import tgr1
from .dispatcher import LEAVE_OUT, Decisions, Dispatcher, DispatchPlan, export_dispatcher
from .failure import Failure, Fatal, Fenced, Retryable, Unknown, Unsupported
from .packed import PackedTime
from .rows import BadRow, Record, Row, Rows
from .sink import Barrier, BarrierKind, Plan, Sink, export_sink
from .table import Capability, Column, Context, Ddl, DdlKind, Index, Manifest, Position, Props, Table, TableRef
from .transform import Output, Transform, TransformPlan, export_transform

__all__ = [
    "BadRow", "Barrier", "BarrierKind", "Capability", "Column", "Context", "Ddl", "DdlKind", "Decisions", "DispatchPlan", "Dispatcher",
    "Failure", "Fatal", "Fenced", "Index", "LEAVE_OUT", "Manifest", "Output", "PackedTime", "Plan", "Position", "Props", "Record",
    "Retryable", "Row", "Rows", "Sink", "Table", "TableRef", "Transform", "TransformPlan", "Unknown", "Unsupported",
    "export_dispatcher", "export_sink", "export_transform", "tgr1",
]
