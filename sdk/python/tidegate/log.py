"""The host's log. Rate-limited by the host."""

from __future__ import annotations

import sys

try:
    from wit_world.imports import log as raw
except ImportError:
    raw = None


def _log(level: str, message: str, fields: dict[str, object]) -> None:
    if raw is None:
        print(level, message, fields, file=sys.stderr)
    else:
        raw.log(raw.Level[level], message, [(name, str(value)) for name, value in fields.items()])


def enabled(level: str) -> bool:
    """Whether a message of this level (`trace`, `debug`, `info`, `warn`, `error`) is kept; ask before building a dear one."""
    return raw is None or raw.enabled(raw.Level[level.upper()])


def debug(message: str, **fields: object) -> None:
    """Logs a message with fields."""
    _log("DEBUG", message, fields)


def info(message: str, **fields: object) -> None:
    """Logs a message with fields."""
    _log("INFO", message, fields)


def warn(message: str, **fields: object) -> None:
    """Logs a message with fields."""
    _log("WARN", message, fields)


def error(message: str, **fields: object) -> None:
    """Logs a message with fields."""
    _log("ERROR", message, fields)
