"""The Sender Rewriting Scheme: reverse-paths of forwarded mail become ours, and bounces find their way back.

    SRS0=HASH=DAY=domain=local@us            what we forward for local@domain
    SRS1=HASHDAY=first==HASH=DAY=...@us      what we forward of a mail that `first` forwarded: the chain grows no longer

HASH is 40 bits of an HMAC-SHA256 with a key of ours, DAY the day number modulo 1024, both in base32, which survives
programs that fold the case of local parts (the restored local part then comes back folded too). The second form is
read by every other implementation, which takes HASHDAY for a hash; we check its day as well. An address that we did not
make, or made more than `limits.SRS_MAX_AGE` days ago, is refused, so nobody relays through us; the caller lets them
be used from the null reverse-path alone.
"""

import hmac
import re
from hashlib import sha256
from typing import Final

from crockery.limits import SRS_MAX_AGE
from crockery.projections.accounts import REWRITTEN
from crockery.smtp.wire import AddressError, Mailbox, parse_domain

_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_HASH: Final = 8  # base32 digits
_DAYS: Final = 1024  # day numbers before they repeat: two base32 digits

_OURS_0: Final = re.compile(r"srs0=([a-z2-7]{8})=([a-z2-7]{2})=([^=]+)=(.+)", re.IGNORECASE | re.DOTALL)
_OURS_1: Final = re.compile(r"srs1=([a-z2-7]{8})([a-z2-7]{2})=([^=]+)=(.+)", re.IGNORECASE | re.DOTALL)
_FOREIGN_0: Final = re.compile(r"srs0([=+-].+)", re.IGNORECASE | re.DOTALL)
_FOREIGN_1: Final = re.compile(r"srs1[=+-][^=]*=([^=]+)=([=+-].+)", re.IGNORECASE | re.DOTALL)


class SRSError(ValueError):
    """An address in one of our forms that we did not make, or made too long ago."""


def is_rewritten(local: str) -> bool:
    """Whether a local part at our domain has one of the two forms; `restore` tells if it is genuine."""
    return local[:5].lower() in REWRITTEN


def rewrite(sender: Mailbox, domain: str, key: bytes, day: int) -> Mailbox:
    """The reverse-path under which mail from `sender` is forwarded by `domain`, which is ours.

    Args:
        key: the secret of the HMAC, 16 octets or more.
        day: days since 1970.

    What is already of our domain stays as it is.
    """
    if sender.domain == domain:
        return sender
    stamp = _encode_day(day)
    first: str | None = None
    opaque = ""
    if match := _FOREIGN_1.fullmatch(sender.local):
        first, opaque = match.groups()
    elif match := _FOREIGN_0.fullmatch(sender.local):
        first, opaque = sender.domain, match[1]
    if first is not None:
        return Mailbox(f"SRS1={_mac(key, 'srs1', stamp, first, opaque)}{stamp}={first}={opaque}", domain)
    local = sender.local
    return Mailbox(f"SRS0={_mac(key, 'srs0', stamp, sender.domain, local)}={stamp}={sender.domain}={local}", domain)


def restore(local: str, key: bytes, day: int) -> Mailbox:
    """Where a bounce to the local part `local` at our domain goes next: the sender, or the first forwarder.

    Raises:
        SRSError: not one of our two forms, another key, too old, or changed on its way (beyond its case).
    """
    if match := _OURS_0.fullmatch(local):
        digest, stamp, domain, rest = match.groups()
        _check(key, "srs0", digest, stamp, domain, rest, day)
        return Mailbox(rest, _domain(domain))
    if match := _OURS_1.fullmatch(local):
        digest, stamp, first, opaque = match.groups()
        _check(key, "srs1", digest, stamp, first, opaque, day)
        return Mailbox(f"SRS0{opaque}", _domain(first))
    raise SRSError("not a rewritten address")


def _check(key: bytes, form: str, digest: str, stamp: str, domain: str, rest: str, day: int) -> None:
    expected = _mac(key, form, stamp.lower(), domain, rest)
    if not hmac.compare_digest(digest.lower().encode(), expected.encode()):
        raise SRSError("not a rewritten address of ours")
    made = _DIGITS.index(stamp[0].lower()) * 32 + _DIGITS.index(stamp[1].lower())
    if (day - made) % _DAYS > SRS_MAX_AGE:
        raise SRSError("a rewritten address that is too old")


def _mac(key: bytes, form: str, stamp: str, domain: str, rest: str) -> str:
    """The first 40 bits, in base32. No "=" can be in the parts before the last, so nothing reads two ways."""
    text = f"{form}={stamp}={domain}={rest}".lower().encode("utf-8", "surrogatepass")
    number = int.from_bytes(hmac.digest(key, text, sha256)[:5])
    return "".join(_DIGITS[number >> shift & 31] for shift in range(35, -1, -5))


def _encode_day(day: int) -> str:
    return _DIGITS[day % _DAYS >> 5] + _DIGITS[day % 32]


def _domain(text: str) -> str:
    try:
        return parse_domain(text)
    except AddressError as error:  # a forwarder's name in a form of his own
        raise SRSError("a rewritten address without a domain") from error
