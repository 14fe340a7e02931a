"""Dates and times as rows carry them."""

from __future__ import annotations

import datetime


class PackedTime(int):
    """A date, datetime or timestamp, which may have zero parts."""

    @classmethod
    def of(cls, year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0) -> PackedTime:
        """Of its parts."""
        return cls((year * 13 + month) << 46 | day << 41 | hour << 36 | minute << 30 | second << 24 | micro)

    year = property(lambda self: (self >> 46) // 13)
    month = property(lambda self: (self >> 46) % 13)
    day = property(lambda self: self >> 41 & 31)
    hour = property(lambda self: self >> 36 & 31)
    minute = property(lambda self: self >> 30 & 63)
    second = property(lambda self: self >> 24 & 63)
    micro = property(lambda self: self & 0xFFFFFF)

    def date_text(self) -> str:
        """`2020-02-20`."""
        return f"{self.year:04}-{self.month:02}-{self.day:02}"

    def text(self, fsp: int = 6) -> str:
        """`2020-02-20 02:20:20.123456` with `fsp` fraction digits (at most 6; further ones are cut, not rounded)."""
        return f"{self.date_text()} {self.hour:02}:{self.minute:02}:{self.second:02}{_fraction(self.micro, fsp)}"

    def datetime(self, zone: datetime.tzinfo | None = None) -> datetime.datetime | None:
        """As the standard library has it; None when it cannot: a part of the date is zero."""
        try:
            return datetime.datetime(self.year, self.month, self.day, self.hour, self.minute, self.second, self.micro, zone)
        except ValueError:
            return None

    def __str__(self) -> str:
        return self.text(6 if self.micro else 0)

    def __repr__(self) -> str:
        return f"PackedTime({self})"


def duration_text(micros: int, fsp: int = 6) -> str:
    """A TIME of signed microseconds, `-HH:MM:SS.ffffff` with at least two hour digits."""
    seconds, micro = divmod(abs(micros), 1_000_000)
    sign = "-" if micros < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_fraction(micro, fsp)}"


def _fraction(micro: int, fsp: int) -> str:
    return f".{micro:06}"[: 1 + min(fsp, 6)] if fsp > 0 else ""
