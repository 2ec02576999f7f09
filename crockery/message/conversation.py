"""Which mails belong together: keys of a mail and of those that it answers (RFC 8621 §3, RFC 8474 §5.2).

Two mails are of one conversation if one names the other, or both name a third, in Message-ID, In-Reply-To or
References, and their subjects are the same but for prefixes such as "Re:" and "AW:". So a key is a hash of a message id
and that subject: whoever shares a key shares the conversation. Linear in the header, never raises.
"""

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from crockery.limits import THREAD_REFERENCES
from crockery.message.headers import read_fields, unfold
from crockery.message.subjects import base_subject, message_ids
from crockery.message.text import fold
from crockery.message.words import decode_words

_PREFIXES: Final = re.compile(r"(?:[^\W\d_]{1,5}(?:\[\d{1,3}\])?\s?[:\uff1a]\s*)+")
"""Marks of replies in any language, "AW:", "SV:", "Antw:": the subject alone never joins two mails."""


class Conversation(NamedTuple):
    """What a mail says of its conversation."""

    message_id: str
    """Without its brackets; "" if there is none to be read."""
    keys: tuple[int, ...]
    """64 bits each: the mail's own, then those of what it answers, nearest first."""


NO_CONVERSATION: Final = Conversation("", ())


def read_conversation(data: bytes) -> Conversation:
    """What the header at the top of `data` says."""
    fields = read_fields(data)
    return conversation(lambda name: fields.get(name))


def conversation(field: Callable[[bytes], bytes | None]) -> Conversation:
    """What a header says; `field` gives the value of the first field of a lower-case name, folded or not."""
    own = _ids(field(b"message-id"))[:1]
    answered = [*_ids(field(b"in-reply-to"))[:1], *reversed(_ids(field(b"references")))]
    names = list(dict.fromkeys((*own, *answered[:THREAD_REFERENCES], *answered[-1:])))
    message_id = own[0][1:-1].decode("utf-8", "replace") if own else ""
    if not names:
        return NO_CONVERSATION
    subject = _subject(field(b"subject"))
    return Conversation(message_id, tuple(_keys(names, subject)))


def _ids(value: bytes | None) -> tuple[bytes, ...]:
    return () if value is None else message_ids(unfold(value))


def _subject(value: bytes | None) -> bytes:
    if value is None:
        return b""
    raw = unfold(value)
    text = decode_words(raw) if raw.isascii() else raw.decode("utf-8", "replace")  # guessing a charset takes long
    base, _ = base_subject(text)
    prefixes = _PREFIXES.match(base)
    if prefixes is not None:
        base, _ = base_subject(base[prefixes.end() :])
    return fold(base).encode("utf-8", "surrogatepass")


def _keys(names: Iterable[bytes], subject: bytes) -> Iterable[int]:
    for name in names:
        yield int.from_bytes(blake2b(name + b"\0" + subject, digest_size=8).digest(), "little")
