"""Projection: the names of what was sent lately, so that news of it finds it: Message-ID and ENVID (RFC 3461 §4.4).

A hash and a number each, sixteen octets, the latest `SENT_KEPT`.
"""

from array import array
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from crockery.limits import SENT_KEPT


class Sent:
    """Numbers of MessageQueued events by the names that their messages go by."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._numbers = array("Q")

    def find(self, message_id: str, envelope_id: str) -> list[int]:
        """The messages that may have that Message-ID (without brackets) or that ENVID; "" for none. Oldest first."""
        names = (("id", message_id), ("envid", envelope_id))
        wanted = [_key(kind, value) for kind, value in names if value]
        keys = np.frombuffer(self._keys, dtype=np.uint64) if self._keys else np.empty(0, np.uint64)
        at = np.flatnonzero(np.isin(keys, np.array(wanted, dtype=np.uint64)))
        return sorted({self._numbers[index] for index in at})

    def dump(self) -> Any:
        return [self._keys.tobytes(), self._numbers.tobytes()]

    def load(self, dumped: Any) -> None:
        self._keys, self._numbers = array("Q", dumped[0]), array("Q", dumped[1])

    def message_queued(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        if facts.get("message_id"):
            self._add(_key("id", facts["message_id"]), sequence)
        if facts.get("envid"):
            self._add(_key("envid", facts["envid"]), sequence)

    def _add(self, key: int, number: int) -> None:
        self._keys.append(key)
        self._numbers.append(number)
        if len(self._keys) >= 2 * SENT_KEPT:
            del self._keys[:-SENT_KEPT], self._numbers[:-SENT_KEPT]


def _key(kind: str, value: str) -> int:
    octets = f"{kind}:{value}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(octets, digest_size=8).digest())
