"""The addresses that answers are sent to: crockery+TOKEN@DOMAIN.

A token is 128 random bits in lower-case base32 (RFC 4648 §6), so that it lives through programs that fold the case of
addresses, and nobody guesses one. What it is good for, and until when, stands in the log and not in it.
"""

import re
from base64 import b32encode
from collections.abc import Callable
from typing import Final

LOCAL_PART: Final = "crockery"
"""The name Crockery writes under. Addresses with it are ours, whatever follows a plus sign."""

_OCTETS: Final = 16
_TOKEN: Final = re.compile(r"[a-z2-7]{25}[aeimquy4]")  # 26 digits hold 130 bits: two of the last are zero


def make_token(random: Callable[[int], bytes]) -> str:
    """A new token of 26 characters; `random` gives that many unguessable octets (`secrets.token_bytes`)."""
    return b32encode(random(_OCTETS)).decode().rstrip("=").lower()


def token_address(token: str, domain: str) -> str:
    """Where an answer to the question with this token goes."""
    return f"{LOCAL_PART}+{token}@{domain}"


def read_token(local: str) -> str | None:
    """The token in the local part of an address, in any case; None if there is none."""
    name, plus, token = local.lower().partition("+")
    return token if name == LOCAL_PART and plus and _TOKEN.fullmatch(token) else None


def is_crockerys(local: str) -> bool:
    """Whether a local part is Crockery's own, with a token or without: strangers cannot write there."""
    return local.lower().partition("+")[0] == LOCAL_PART
