"""What a delivery status notification says of each recipient (RFC 3464 §2.3)."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The Action field (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientStatus:
    """One recipient of a notice that we write. Times are Unix seconds; "" and None: not known.

    `original` is ORCPT as it came, its xtext undone ("rfc822;bob@example.com"). `remote_reply` is what the other server
    said, lines separated by LF; where no server said anything, `diagnosis` is ours. `why` and `advice` replace the
    sentences that go with the status. `confirms`: the server that it was handed on to was asked to tell of delivery,
    and can.
    """

    final: str
    action: Action
    status: str
    original: str = ""
    remote_host: str = ""
    remote_reply: str = ""
    diagnosis: str = ""
    last_attempt: int | None = None
    retry_until: int | None = None
    why: str = ""
    advice: str = ""
    confirms: bool = False
