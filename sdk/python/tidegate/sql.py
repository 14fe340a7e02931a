"""SQL databases. Connections, TLS, credentials, timeouts and fencing belong to the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable

from .failure import Failure, Fatal, Fenced, Retryable, Unknown, Unsupported

try:
    from componentize_py_types import Err
    from wit_world.imports import sql as raw
    from wit_world.imports import types
except ImportError:
    raw = None


@dataclass
class Result:
    """What statements did."""

    affected: int
    warnings: int


@dataclass
class ResultSet:
    """Rows of a query. Values are None, int, float, str or bytes."""

    columns: list[str]
    rows: list[list[Any]]


def _failure(error: Any) -> Failure:
    """What a plugin that does not look closer raises; `errno`, `sqlstate` and `sql_kind` tell more."""
    kind = error.kind.name.lower()
    text = f"{error.message} (errno {error.errno}, {error.sqlstate})"
    hints = {"retryable": Retryable, "unknown": Unknown, "fenced": Fenced}
    failure = hints[kind](text) if kind in hints else Fatal(f"sql-{error.errno}", text)
    failure.sql_kind, failure.errno, failure.sqlstate = kind, error.errno, error.sqlstate
    return failure


class Connection:
    """A connection the host keeps. What fails raises a `Failure` with `sql_kind` (`retryable`, `unknown`, `fenced`, `duplicate`,
    `refused`, `denied`), `errno` and `sqlstate`."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is one of the context's."""
        if raw is None:
            raise Unsupported("no-host", "this runs outside of a host")
        self._raw = self._call(raw.Connection.open, endpoint)

    @staticmethod
    def _call(function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except Err as error:
            raise _failure(error.value) from None

    @property
    def dialect(self) -> str:
        """`mysql`, `mariadb`, `tidb` or `other`."""
        return self._raw.dialect().name.lower()

    @property
    def server_version(self) -> str:
        """As the server says it."""
        return self._raw.server_version()

    @property
    def max_statement_bytes(self) -> int:
        """Largest statement the server takes."""
        return self._raw.max_statement_bytes()

    def transact(self, statements: Iterable[str]) -> Result:
        """One transaction, in as few round trips as the protocol allows. On a fenced endpoint the lane's progress goes into it."""
        blocks = [statement.encode() for statement in statements]
        ends, end = [], 0
        for block in blocks:
            end += len(block)
            ends.append(end)
        done = self._call(self._raw.transact, types.Blocks(b"".join(blocks), ends))
        return Result(done.affected, done.warnings)

    def execute(self, statement: str) -> Result:
        """One statement outside a transaction (DDL, session settings)."""
        done = self._call(self._raw.execute, statement)
        return Result(done.affected, done.warnings)

    def query(self, statement: str, max_rows: int = 1000) -> ResultSet:
        """At most `max_rows` rows."""
        found = self._call(self._raw.query, statement, max_rows)
        return ResultSet(found.columns, [[getattr(value, "value", None) for value in row] for row in found.rows])

    def close(self) -> None:
        """Gives the connection back."""
        self._raw.__exit__(None, None, None)
