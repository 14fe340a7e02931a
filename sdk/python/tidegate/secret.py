"""Secrets the operator granted by name. Prefer endpoints, where the host keeps the secret to itself."""

from __future__ import annotations

from .failure import Fatal

try:
    from componentize_py_types import Err
    from wit_world.imports import secret as raw
except ImportError:
    raw = None


def get(name: str) -> str:
    """The secret of this name; fatal when it was not granted."""
    if raw is None:
        raise Fatal("secret", f"secret {name}: this runs outside of a host")
    try:
        return raw.get(name)
    except Err as error:
        raise Fatal("secret", f"secret {name}: {error.value}") from None
