"""Object stores: S3 and its like, GCS, Azure, a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._border import Err, lift_failure
from .failure import Unsupported

try:
    from wit_world.imports import object_store as raw
except ImportError:
    raw = None


class Conflict(Exception):
    """A conditional put found another object, or none."""


@dataclass
class Meta:
    """Describes an object."""

    path: str
    size: int
    etag: str | None
    modified_ms: int


def _meta(value: Any) -> Meta:
    return Meta(value.path, value.size, value.etag, value.modified_ms)


def _call(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except Err as error:
        case = type(error.value).__name__
        if case == "PutError_Conflict":
            raise Conflict("the object is not as the condition says") from None
        raise lift_failure(error.value.value if case == "PutError_Other" else error.value) from None


class Bucket:
    """An endpoint the host keeps. Paths are relative to the endpoint's prefix. What fails raises a `Failure`."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is one of the context's."""
        if raw is None:
            raise Unsupported("no-host", "this runs outside of a host")
        self._raw = _call(raw.Bucket.open, endpoint)

    def put(self, path: str, data: bytes, *, create: bool = False, if_match: str | None = None) -> Meta:
        """Writes an object. With `create` only where nothing is, with `if_match` only over that version: else `Conflict`."""
        mode = raw.PutMode_Create() if create else raw.PutMode_IfMatch(if_match) if if_match is not None else raw.PutMode_Overwrite()
        return _meta(_call(self._raw.put, path, data, mode))

    def get(self, path: str, offset: int = 0, length: int = 0) -> bytes | None:
        """Reads an object; length 0: to the end. None: no such object."""
        return _call(self._raw.get, path, offset, length)

    def head(self, path: str) -> Meta | None:
        """Describes an object. None: no such object."""
        found = _call(self._raw.head, path)
        return None if found is None else _meta(found)

    def list(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[Meta]:
        """In order of path, those after `after`."""
        return [_meta(value) for value in _call(self._raw.list, prefix, after, limit)]

    def delete(self, path: str) -> None:
        """No object is no error."""
        _call(self._raw.delete, path)

    def upload(self, path: str) -> Upload:
        """An object written in parts, which appears whole when it is finished."""
        return Upload(_call(self._raw.upload, path))

    def close(self) -> None:
        """Gives the endpoint back."""
        self._raw.__exit__(None, None, None)


class Upload:
    """An object in the making."""

    def __init__(self, handle: Any) -> None:
        self._raw = handle

    def write(self, data: bytes) -> None:
        """Parts go out while the plugin makes the next one."""
        _call(self._raw.write, data)

    def finish(self) -> Meta:
        """Makes the object appear."""
        with self._raw:
            return _meta(_call(self._raw.finish))

    def abort(self) -> None:
        """Gives the object up."""
        with self._raw:
            self._raw.abort()
