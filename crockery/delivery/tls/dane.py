"""DANE for SMTP: which TLSA records count, and whether a chain matches one.

RFC 6698 §2.1 (the record), RFC 7671 §5 and §9 (usages, digest agility), RFC 7672 §3.1 and §3.2 (what of it counts
for SMTP). Pure. Invariant: no record, however malformed, raises; what cannot be used is not used.

- DANE-EE(3) matches the server's own certificate or key. Neither names nor dates count then (§3.1.1): the record says
  all that need be known.
- DANE-TA(2) matches a CA certificate on the way; from it on names and dates count as ever (§3.1.2).
- PKIX-TA(0) and PKIX-EE(1) are unusable for SMTP (§3.1.3): which CAs a sender trusts is nobody's to know.
"""

import dataclasses
import enum
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.hazmat.primitives import hashes

from crockery.delivery.tls.certificates import Roots, check, load, public_key_info
from crockery.delivery.tls.faults import Fault
from crockery.net.resolver import TLSA

DANE_TA: Final = 2
DANE_EE: Final = 3
_CERTIFICATE: Final = 0
_PUBLIC_KEY: Final = 1
_FULL: Final = 0
_HASHES: Final[dict[int, hashes.HashAlgorithm]] = {1: hashes.SHA256(), 2: hashes.SHA512()}


class State(enum.Enum):
    """What the DNS says of DANE for a host (RFC 7672 §2.1 and §2.2)."""

    NONE = "none"  # no validated TLSA records: DANE does not apply
    USABLE = "usable"  # they alone decide
    UNUSABLE = "unusable"  # TLS is a must, and authenticated otherwise if at all
    FAILED = "failed"  # bogus, or no answer: this host must not be used now


@dataclasses.dataclass(frozen=True, slots=True)
class Dane:
    """`records` are the usable ones, under `base`, the name that the server goes by (RFC 7672 §2.2.3)."""

    state: State = State.NONE
    records: tuple[TLSA, ...] = ()
    base: str = ""
    why: str = ""


def from_records(records: Iterable[TLSA], base: str) -> Dane:
    """The state that validated `records` of `base` make."""
    usable = strongest(record for record in records if is_usable(record))
    return Dane(State.USABLE, usable, base) if usable else Dane(State.UNUSABLE, (), base, "no usable TLSA record")


def is_usable(record: TLSA) -> bool:
    """Whether a record has known parameters and data that can be matched."""
    if record.usage not in (DANE_TA, DANE_EE) or record.selector not in (_CERTIFICATE, _PUBLIC_KEY):
        return False
    if record.matching in _HASHES:
        return len(record.data) == _HASHES[record.matching].digest_size
    if record.matching != _FULL or not record.data:
        return False
    return record.selector == _PUBLIC_KEY or load(record.data) is not None


def strongest(records: Iterable[TLSA]) -> tuple[TLSA, ...]:
    """Without SHA-256 where SHA-512 is given for the same usage and selector (RFC 7671 section 9)."""
    found = tuple(dict.fromkeys(records))
    best = {(record.usage, record.selector) for record in found if record.matching == 2}
    return tuple(r for r in found if r.matching != 1 or (r.usage, r.selector) not in best)


def match(records: Sequence[TLSA], chain: Sequence[bytes], names: Sequence[str], now: int) -> TLSA | Fault:
    """The record that `chain` (DER, leaf first) matches, or what is wrong.

    `names` are those that a certificate under a DANE-TA record may be for: the base, and where the MX records are
    validated the recipients' domain too (RFC 7672 section 3.2.2). `now` is unix time.
    """
    if not chain:
        return Fault.UNREADABLE
    fault = Fault.DANE_MISMATCH
    for record in sorted(records, key=lambda record: -record.usage):
        if record.usage == DANE_EE:
            if _matches(record, chain[0]):
                return record
            continue
        anchors = [der for der in chain[1:] if _matches(record, der)]
        if not anchors and (record.selector, record.matching) == (_CERTIFICATE, _FULL):
            anchors = [record.data]  # RFC 7672 section 3.1.2: it need not be sent, for it is here
        if anchors:
            found = check(chain, names, Roots.of(anchors), now)
            if found is None:
                return record
            fault = found
    return fault


def _matches(record: TLSA, der: bytes) -> bool:
    selected = der if record.selector == _CERTIFICATE else public_key_info(der)
    if selected is None:
        return False
    if record.matching == _FULL:
        return selected == record.data
    hashed = hashes.Hash(_HASHES[record.matching])
    hashed.update(selected)
    return hashed.finalize() == record.data
