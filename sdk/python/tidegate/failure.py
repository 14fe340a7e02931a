"""How a call fails as a whole: an exception a plugin raises decides what the host does next.

Any other exception is fatal, with the code `exception`; its traceback goes to the log.
"""

from __future__ import annotations


class Failure(Exception):
    """A call that failed as a whole."""

    kind = ""

    def __init__(self, message: object, *, attrs: list[tuple[str, str]] | None = None) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.attrs = attrs or []


class _Hint(Failure):
    def __init__(self, message: object, *, after_ms: int | None = None, attrs: list[tuple[str, str]] | None = None) -> None:
        super().__init__(message, attrs=attrs)
        self.after_ms = after_ms


class Retryable(_Hint):
    """Nothing of the call took effect: the host hands the same input over again, later."""

    kind = "Retryable"


class Unknown(_Hint):
    """Whether it took effect is not known: the host asks `status` before anything else."""

    kind = "Unknown"


class Fenced(_Hint):
    """Another writer has taken over: this instance must never write again."""

    kind = "Fenced"


class Fatal(Failure):
    """The changefeed stops in state `failed` and a person looks. `code` is a short name, stable for this plugin."""

    kind = "Fatal"

    def __init__(self, code: str, message: object, *, attrs: list[tuple[str, str]] | None = None) -> None:
        super().__init__(message, attrs=attrs)
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class Unsupported(Fatal):
    """This build of the plugin lacks what the input needs."""

    kind = "Unsupported"
