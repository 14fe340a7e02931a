"""Message queues that speak Kafka's protocol. The client library, credentials, TLS and transactions belong to the host."""

from __future__ import annotations

from typing import Any, Iterable

from ._border import Err, lift_failure
from .failure import Unsupported

try:
    from wit_world.imports import producer as raw
    from wit_world.imports import types
except ImportError:
    raw = None


def _blocks(items: list[bytes]) -> Any:
    ends, end = [], 0
    for item in items:
        end += len(item)
        ends.append(end)
    return types.Blocks(b"".join(items), ends)


class Messages:
    """Messages to send together. Give a key to all of them or to none, and likewise a partition."""

    def __init__(self, headers: Iterable[tuple[str, bytes]] = ()) -> None:
        self.headers = list(headers)
        self._topics: dict[str, int] = {}
        self._topic_of: list[int] = []
        self._partitions: list[int] = []
        self._keys: list[bytes] = []
        self._values: list[bytes] = []

    def __len__(self) -> int:
        return len(self._values)

    def add(self, topic: str, value: bytes, key: bytes | None = None, partition: int | None = None) -> None:
        """Adds a message. Without partitions the host spreads messages by key."""
        self._topic_of.append(self._topics.setdefault(topic, len(self._topics)))
        self._values.append(value)
        if key is not None:
            self._keys.append(key)
        if partition is not None:
            self._partitions.append(partition)

    def _lower(self) -> Any:
        for name, items in (("key", self._keys), ("partition", self._partitions)):
            if items and len(items) != len(self._values):
                raise ValueError(f"{len(items)} of {len(self._values)} messages have a {name}: give it to all or to none")
        return raw.Messages(self._topic_of, list(self._topics), self._partitions, _blocks(self._keys), _blocks(self._values),
                            self.headers)


class Producer:
    """A client the host keeps. What fails raises a `Failure`."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is one of the context's."""
        if raw is None:
            raise Unsupported("no-host", "this runs outside of a host")
        self._raw = self._call(raw.TopicProducer.open, endpoint)

    @staticmethod
    def _call(function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except Err as error:
            raise lift_failure(error.value) from None

    def partitions(self, topic: str) -> int:
        """Partitions of a topic; makes the topic where the operator allows it."""
        return self._call(self._raw.partitions, topic)

    def max_message_bytes(self, topic: str) -> int:
        """Largest message, key and headers included, that this topic takes."""
        return self._call(self._raw.max_message_bytes, topic)

    def send(self, messages: Messages) -> None:
        """Takes the messages and returns; waits only while too many bytes are in flight."""
        self._call(self._raw.send, messages._lower())

    def flush(self) -> None:
        """Returns when the brokers have acknowledged everything sent. On a fenced endpoint, inside `Sink.flush`, this commits the
        transaction together with the lane's position."""
        self._call(self._raw.flush)

    def close(self) -> None:
        """Gives the client back."""
        self._raw.__exit__(None, None, None)
