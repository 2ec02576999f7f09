"""The addresses that answers are sent to: crockery+TOKEN@DOMAIN.

A token is 128 random bits in lower-case base32 (RFC 4648 §6), so that it lives through programs that fold the case of
addresses, and nobody guesses one. What it is good for, and until when, stands in the log and not in it.
"""

from base64 import b32encode
from collections.abc import Callable
from typing import Final

from crockery.projections.accounts import CROCKERYS_NAME

_OCTETS: Final = 16


def make_token(random: Callable[[int], bytes]) -> str:
    """A new token of 26 characters; `random` gives that many unguessable octets (`secrets.token_bytes`)."""
    return b32encode(random(_OCTETS)).decode().rstrip("=").lower()


def token_address(token: str, domain: str) -> str:
    """Where an answer to the question with this token goes."""
    return f"{CROCKERYS_NAME}+{token}@{domain}"
