"""The time, in sinks that were granted it."""

from __future__ import annotations

import datetime
import time

try:
    from wit_world.imports import clock as raw
except ImportError:
    raw = None


def wall_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000 if raw is None else raw.wall_ms()


def monotonic_ns() -> int:
    """Nanoseconds since some moment; never goes back."""
    return time.monotonic_ns() if raw is None else raw.monotonic_ns()


def now() -> datetime.datetime:
    """The wall clock in UTC."""
    return datetime.datetime.fromtimestamp(wall_ms() / 1000, datetime.timezone.utc)
