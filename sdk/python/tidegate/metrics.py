"""Counters and gauges. Make them in `open`: hot calls carry a number only."""

from __future__ import annotations

try:
    from wit_world.imports import metrics as raw
except ImportError:
    raw = None


class Counter:
    """A count that only grows."""

    def __init__(self, name: str) -> None:
        self._raw = raw and raw.Counter(name)

    def add(self, n: int = 1) -> None:
        """Adds n."""
        if self._raw is not None:
            self._raw.add(n)


class Gauge:
    """A value that goes up and down."""

    def __init__(self, name: str) -> None:
        self._raw = raw and raw.Gauge(name)

    def set(self, v: float) -> None:
        """Sets the value."""
        if self._raw is not None:
            self._raw.set(v)
