"""Projection: the server that all outgoing mail is handed to, if there is one, and what is wrong with it.

Its password is the body of the event that set it, never here.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Final

LOGIN: Final = "login"
"""`why` of an outcome: the server wants to know who we are, or refused to believe it."""
TLS: Final = "smart-host-tls"
"""There is no verified TLS to it."""
UNKNOWN: Final = "smart-host-unknown"
"""Its name cannot be found."""

VERIFIED: Final = "smart-host"
"""`verified` in the facts of its TLS (`events.types.queue.TLSFacts`)."""

_TROUBLES: Final = frozenset((LOGIN, TLS, UNKNOWN))


@dataclass(frozen=True, slots=True)
class SmartHost:
    """`id` is the event whose body is the password, if there is a `user`; `tls` is "implicit" or "starttls"."""

    id: int
    time: int
    host: str
    port: int
    tls: str
    user: str

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why it takes no mail: a word of those above and what was said, since `time` (microseconds)."""

    time: int
    why: str
    text: str


class SmartHosts:
    """The one in force."""

    def __init__(self) -> None:
        self.current: SmartHost | None = None
        self.trouble: Trouble | None = None
        """What the owner must see to; None once a mail got through, or another was set."""
        self.told = 0
        """When the owner was told of it (microseconds); 0: not yet."""
        self.position = 0

    def dump(self) -> Any:
        current = None if self.current is None else astuple(self.current)
        trouble = None if self.trouble is None else astuple(self.trouble)
        return [current, trouble, self.told, self.position]

    def load(self, dumped: Any) -> None:
        current, trouble, self.told, self.position = dumped
        self.current = None if current is None else SmartHost(*current)
        self.trouble = None if trouble is None else Trouble(*trouble)

    # Folding: one method an event type.

    def smart_host_set(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        self.trouble, self.told = None, 0
        self.current = None
        if facts["host"]:
            self.current = SmartHost(sequence, time, facts["host"], facts["port"], facts["tls"], facts["user"])

    def smart_host_told(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        self.told = time

    def recipients_attempted(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        if self.current is None:
            return
        for outcome in facts["outcomes"]:
            why = outcome.get("why", "")
            if why in _TROUBLES:
                since = self.trouble.time if self.trouble is not None and self.trouble.why == why else time
                reply = (outcome["code"], outcome.get("enhanced", "")) if "code" in outcome else ()
                said = (*reply, outcome.get("text", ""))
                self.trouble = Trouble(since, why, " ".join(str(word) for word in said if word))
                self.position = sequence
            elif self.trouble is not None and outcome["result"] in ("delivered", "relayed") and not why:
                self.trouble, self.told = None, 0
                self.position = sequence
