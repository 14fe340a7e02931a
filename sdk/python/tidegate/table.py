"""Tables, positions and DDL as a plugin sees them."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any

from .failure import Fatal

Attrs = list[tuple[str, str]]


@dataclass(frozen=True, order=True)
class Position:
    """Everything below ts and `seq` rows at it (stage 0), rows at ts (1), the DDL at ts (2), the syncpoint at ts (3)."""

    ts: int
    stage: int
    seq: int


@dataclass(frozen=True)
class TableRef:
    """One immutable version of one table's schema."""

    table: int
    version: int


class Props(enum.IntFlag):
    """Properties of a column."""

    NULLABLE = 1
    PRIMARY_KEY = 2
    ROW_KEY = 4
    UNIQUE = 8
    GENERATED = 16
    AUTO_INCREMENT = 32
    UNSIGNED = 64


@dataclass
class Column:
    """A column of a table."""

    id: int
    name: str
    logical: int
    """As `tgr1.INT` and so on."""
    source_type: str = ""
    """As SQL spells it in lower case, for example `decimal(18,4) unsigned`."""
    props: Props = Props(0)
    length: int | None = None
    decimals: int | None = None
    charset: str = ""
    collation: str = ""
    members: list[str] = field(default_factory=list)
    """Of ENUM and SET."""
    default_value: bytes | None = None
    attrs: Attrs = field(default_factory=list)


@dataclass
class Index:
    """An index of a table."""

    name: str
    columns: list[int]
    unique: bool
    primary: bool


@dataclass
class Table:
    """One version of a table's schema. Columns generated on read are left out."""

    ref: TableRef
    database: str
    name: str
    columns: list[Column]
    indexes: list[Index] = field(default_factory=list)
    row_key: int | None = None
    """Index that identifies a row; None: the whole row does."""
    charset: str = ""
    collation: str = ""
    attrs: Attrs = field(default_factory=list)

    def key_columns(self) -> list[int]:
        """Positions of the columns that identify a row: those of the row key, or all."""
        if self.row_key is not None and self.row_key < len(self.indexes):
            return self.indexes[self.row_key].columns
        return list(range(len(self.columns)))


class DdlKind(enum.IntEnum):
    """What a DDL does."""

    (CREATE_SCHEMA, DROP_SCHEMA, ALTER_SCHEMA, CREATE_TABLE, DROP_TABLE, TRUNCATE_TABLE, RENAME_TABLE, RECOVER_TABLE, CREATE_VIEW,
     DROP_VIEW, ADD_COLUMN, DROP_COLUMN, MODIFY_COLUMN, ADD_INDEX, DROP_INDEX, ALTER_INDEX, ADD_FOREIGN_KEY, DROP_FOREIGN_KEY,
     ADD_PARTITION, DROP_PARTITION, TRUNCATE_PARTITION, EXCHANGE_PARTITION, REORGANIZE_PARTITION, ALTER_PARTITIONING, ALTER_TABLE,
     MULTI_SCHEMA_CHANGE) = range(26)


@dataclass
class Ddl:
    """One statement that changes schemas."""

    at: Position
    kind: DdlKind
    database: str
    table: str
    query: str
    """One statement in the source's dialect that names its objects in full."""
    before: Table | None = None
    after: Table | None = None
    maybe_done: bool = False
    """Handed over before with an outcome that is not known: look before doing it again."""
    attrs: Attrs = field(default_factory=list)


@dataclass
class Context:
    """What an instance was started for."""

    changefeed: str
    slot: int
    lane: int
    """This instance writes lane `lane` of `lanes`. The instance that runs DDL has lane = lanes."""
    lanes: int
    epoch: tuple[int, int]
    """Fencing token; greater means newer."""
    config: str
    """JSON text of the plugin's part of the changefeed's configuration, checked against the manifest's schema."""
    checkpoint: Position
    """Everything up to here is durable already."""
    state: bytes | None
    """What this plugin (or the version before it) returned with its last acknowledged barrier."""
    endpoints: list[str]
    tgr_minor: int = 0
    attrs: Attrs = field(default_factory=list)

    def settings(self, **defaults: Any) -> dict[str, Any]:
        """The configuration over these defaults (`_` in their names stands for `-`), with values of the defaults' types."""
        found = json.loads(self.config) if self.config else {}
        out = dict(defaults)
        for name, default in defaults.items():
            value = found.get(name.replace("_", "-"), default)
            if default is not None and type(value) is not type(default):
                raise Fatal("config", f"{name.replace('_', '-')!r} is {value!r}, where {type(default).__name__} is wanted")
            out[name] = value
        return out


@dataclass
class Capability:
    """A capability the plugin asks for."""

    name: str
    reason: str
    """What it is needed for, for the operator who grants it."""
    required: bool = True


@dataclass
class Manifest:
    """What a plugin says of itself before anything else runs."""

    name: str
    version: str
    config_schema: dict | None = None
    """JSON Schema of the configuration; None: takes none."""
    capabilities: list[Capability] = field(default_factory=list)
    attrs: Attrs = field(default_factory=list)
