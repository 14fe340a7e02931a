"""HTTP to origins the operator granted by name. The host adds what the grant says (authorisation headers) and follows no redirect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from .failure import Fatal, Retryable, Unsupported

try:
    from componentize_py_types import Err
    from wit_world.imports import http as raw
except ImportError:
    raw = None

_SHOWN_MAX = 200


@dataclass
class Response:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def check(self) -> Response:
        """Raises unless the status is 2xx: 408, 425, 429 and 5xx are retryable, others fatal."""
        if 200 <= self.status < 300:
            return self
        text = f"the receiver answered {self.status}: {self.body[:_SHOWN_MAX].decode('utf-8', 'replace')}"
        if self.status >= 500 or self.status in (408, 425, 429):
            raise Retryable(text)
        raise Fatal("http-status", text)


def send(endpoint: str, method: str, path: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = (),
         timeout_ms: int | None = None) -> Response:
    """Sends a request. `endpoint` is one of the context's, `path` has a leading slash, `method` is `GET`, `POST` and so on.

    No connection, and no answer, are retryable: a receiver that must not see a request twice tells by an idempotency key. What the host
    refuses, and answers it will not take, are fatal.
    """
    if raw is None:
        raise Unsupported("no-host", "this runs outside of a host")
    try:
        answer = raw.send(raw.Request(endpoint, raw.Method[method], path, list(headers), body, timeout_ms))
    except Err as error:
        kind, value = type(error.value).__name__, error.value.value
        doing = f"request to {endpoint}{path}"
        if kind == "HttpError_Refused":
            raise Fatal("http", f"{doing}: {value}") from None
        if kind == "HttpError_TooLarge":
            raise Fatal("http", f"{doing}: the answer of {value} bytes is larger than the host takes") from None
        raise Retryable(f"{doing}: {value}") from None
    return Response(answer.status, answer.headers, answer.body)
