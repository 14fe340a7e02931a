"""A small durable map of this instance's slot and lane. Changes become durable together with the next acknowledged barrier, and are
thrown away when the instance is replaced before. All keys and values together: at most 64 KiB."""

from __future__ import annotations

from .failure import Fatal

try:
    from componentize_py_types import Err
    from wit_world.imports import state as raw
except ImportError:
    raw = None

# Outside of a host the map lives in memory.
_memory: dict[str, bytes] = {}


def get(key: str) -> bytes | None:
    """The value of a key."""
    return _memory.get(key) if raw is None else raw.get(key)


def set(key: str, value: bytes) -> None:
    """Keeps a value; fatal when the map would become too large."""
    if raw is None:
        _memory[key] = value
        return
    try:
        raw.set(key, value)
    except Err as error:
        raise Fatal("state", f"keeping {key}: {error.value}") from None


def delete(key: str) -> None:
    """Forgets a key."""
    if raw is None:
        _memory.pop(key, None)
    else:
        raw.delete(key)


def keys(prefix: str = "", limit: int = 1000) -> list[str]:
    """The keys with this prefix, in order."""
    if raw is None:
        return sorted(key for key in _memory if key.startswith(prefix))[:limit]
    return raw.keys(prefix, limit)
