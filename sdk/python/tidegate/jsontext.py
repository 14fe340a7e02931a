"""Rows as JSON text: numbers with all their digits, decimals and times as SQL prints them, JSON columns embedded, bytes as base64."""

from __future__ import annotations

import base64
import json.encoder
import math
import struct
from typing import Callable

from . import tgr1
from .failure import Fatal
from .packed import PackedTime, duration_text
from .rows import Record, Rows, enum_text, floats, set_text
from .table import Column

quote = json.encoder.encode_basestring
"""A JSON string of a text."""

_FLOAT32 = struct.Struct("<f")
_FLOAT32_MAX = 3.4028234663852886e38


def float_text(value: float) -> str:
    """The shortest digits that read back."""
    return repr(value) if math.isfinite(value) else "null"


def float32_text(value: float) -> str:
    """The shortest digits that read back as a 32-bit float."""
    if not math.isfinite(value):
        return "null"
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        if abs(float(text)) <= _FLOAT32_MAX and _FLOAT32.unpack(_FLOAT32.pack(float(text)))[0] == value:
            return text
    return f"{value:.9g}"


def _quoted_bytes(value: memoryview) -> str:
    return quote(str(value, "utf-8", "replace"))


def encoder(column: Column, logical: int) -> Callable:
    """Makes the text of a raw value that is not NULL."""
    fsp = column.decimals or 0
    special: dict[int, Callable] = {
        tgr1.FLOAT32: float32_text, tgr1.FLOAT64: float_text, tgr1.JSON: lambda v: str(v, "utf-8", "replace"),
        tgr1.BYTES: lambda v: f'"{base64.b64encode(v).decode()}"',
        tgr1.VECTOR: lambda v: "[" + ",".join(map(float32_text, floats(v))) + "]",
        tgr1.DATE: lambda v: f'"{PackedTime(v).date_text()}"', tgr1.DATETIME: lambda v: f'"{PackedTime(v).text(fsp)}"',
        tgr1.TIMESTAMP: lambda v: f'"{PackedTime(v).text(fsp)}"', tgr1.TIME: lambda v: f'"{duration_text(v, fsp)}"',
        tgr1.ENUM: lambda v: quote(enum_text(column, v)), tgr1.SET: lambda v: quote(set_text(column, v)),
        tgr1.DECIMAL: _quoted_bytes, tgr1.TEXT: _quoted_bytes,
    }
    return special.get(logical, str)


class JsonObjects:
    """Writes records of one batch as JSON objects, with what can be prepared done once."""

    def __init__(self, rows: Rows) -> None:
        self._columns = [
            (("{" if i == 0 else ",") + quote(column.name) + ":", encoder(column, spec.logical))
            for i, (column, spec) in enumerate(zip(rows.columns, rows.batch.columns))
        ]

    def text(self, record: Record) -> str:
        """One JSON object."""
        try:
            values = record.image.raw_values()
        except tgr1.FormatError as error:
            raise Fatal("batch", error) from error
        parts = []
        for (key, encode), value in zip(self._columns, values):
            parts.append(key)
            parts.append("null" if value is None else encode(value))
        return "".join(parts) + "}" if parts else "{}"
