"""What the DNS says, as values.

RFC 1034 §3.6 and §5, RFC 2308 (negative answers), RFC 4035 §4.3 (secure, insecure, bogus), RFC 6698 §2.1 (TLSA).
Invariant: `records` is empty unless the status is FOUND, and `secure` is true only of what DNSSEC has validated: for
FOUND every alias on the way and the records, for NODATA and NXDOMAIN the proof that there is nothing.
"""

import dataclasses
import enum
from typing import Generic, NamedTuple, TypeVar

R = TypeVar("R")
S = TypeVar("S")


class Status(enum.Enum):
    """The kinds of answer."""

    FOUND = "found"
    NODATA = "no such records"  # the name exists, perhaps with other records
    NXDOMAIN = "no such name"
    SERVFAIL = "no answer"  # servers refused, failed or were silent: ask again later
    BOGUS = "bogus"  # an answer that DNSSEC proves wrong: never to be used, ask again later


@dataclasses.dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """One RRset or why there is none.

    `ttl` in seconds as received, bounded by the limits; `canonical` is the name that has the records, behind all
    aliases (CNAME); `why` is for people, where the status is SERVFAIL or BOGUS.
    """

    status: Status
    records: tuple[R, ...] = ()
    ttl: int = 0
    secure: bool = False
    canonical: str = ""
    why: str = ""

    @property
    def is_found(self) -> bool:
        """There are records."""
        return self.status is Status.FOUND

    @property
    def is_temporary(self) -> bool:
        """Nothing is known; asking again may help."""
        return self.status in (Status.SERVFAIL, Status.BOGUS)

    def of(self, records: tuple[S, ...]) -> "Answer[S]":
        """The same answer with its records in another form."""
        return Answer(self.status, records, self.ttl, self.secure, self.canonical, self.why)


class MX(NamedTuple):
    """`host` is in lower case without final dot; "" is the root, which says: no mail (RFC 7505)."""

    preference: int
    host: str


class TLSA(NamedTuple):
    """The fields of RFC 6698 section 2.1 as they came; `data` is the certificate association data."""

    usage: int
    selector: int
    matching: int
    data: bytes


def failed(why: str) -> Answer[R]:
    """SERVFAIL, in our words."""
    return Answer(Status.SERVFAIL, why=why)
