"""What the standard library's `email` reads in a mail, in the form that our readings are compared in.

Not compared, because there `email` is not right:

- it cuts the last line end off a multipart that is never closed (the part goes to the end of the message);
- it takes message/delivery-status apart into messages, which RFC 3464 does not say;
- it has no type for "text/plain charset=us-ascii" (a missing semicolon);
- it keeps a multipart without any part as one, which BODYSTRUCTURE cannot say: ours is text/plain;
- damaged address lists have no right reading: they are compared only where our strict reading finds no fault.
"""

import re
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Any, TypeAlias

EmailMessage: TypeAlias = "Message[str, str]"


def read_mail(data: bytes) -> EmailMessage:
    """The whole mail."""
    return message_from_bytes(data, policy=compat32)


def children_of(theirs: EmailMessage) -> list[Any]:
    """The parts of a multipart, or the message in a message/rfc822."""
    payload: Any = theirs.get_payload()
    return payload if isinstance(payload, list) else []


def encoding_of(theirs: EmailMessage) -> str | None:
    """The Content-Transfer-Encoding; None where it is damaged."""
    encoding = str(theirs.get("content-transfer-encoding", "7bit")).strip().lower()
    return None if re.search(r"[\s(;]", encoding) else encoding


def body_of(theirs: EmailMessage) -> bytes:
    """The octets of a leaf, as they are in the mail."""
    return str(vars(theirs)["_payload"]).encode("ascii", "surrogateescape")  # get_payload would decode it


def header_octets(theirs: EmailMessage, name: str) -> bytes | None:
    """The value of the first field of that name, unfolded; None: there is none."""
    for key, value in theirs.raw_items():
        if key.lower() == name:
            return re.sub(rb"[\r\n]+", b"", str(value).encode("ascii", "surrogateescape")).strip(b" \t")
    return None


def is_comparable(our_type: str, theirs: EmailMessage) -> bool:
    """Whether `email` is right about this part: where it is not, nothing is compared."""
    their_type = theirs.get_content_type()
    if their_type.startswith("multipart/") and not children_of(theirs):
        return our_type != "text/plain"
    return our_type != "message/delivery-status" and " " not in their_type


def compare_kinds(our_type: str, our_children: int, theirs: EmailMessage) -> str:
    """How type and number of parts differ; "" if they do not."""
    their_type, their_children = theirs.get_content_type(), len(children_of(theirs))
    if our_type != their_type:
        return f"type {our_type}, email {their_type}"
    return "" if our_children == their_children else f"{our_children} parts, email {their_children}"
