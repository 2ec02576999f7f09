"""What a remote server offers: its answer to EHLO.

RFC 5321 §4.1.1.1 (`ehlo-ok-rsp`), RFC 1870 (SIZE), RFC 4954 (AUTH), RFC 9422 (LIMITS). Keywords are read in any letter
case; what is malformed counts as not offered, since it serves only to use less.
"""

import dataclasses
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from crockery.smtp.wire.replies import Reply

_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_LIMIT: Final = re.compile(r"([A-Z0-9-]{1,20})=([0-9]{1,9})", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Capabilities:
    """Keyword in capitals to its parameters as sent; empty after HELO."""

    keywords: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def max_size(self) -> int | None:
        """Octets of the largest message taken; None where there is no fixed limit (SIZE 0, RFC 1870 §4)."""
        arguments = self.keywords.get("SIZE", ())
        if not arguments or not _NUMBER.fullmatch(arguments[0]):
            return None
        return int(arguments[0]) or None

    @property
    def min_by_time(self) -> int:
        """The least seconds that a deadline of mode R may leave (RFC 2852 §3); 0: any."""
        arguments = self.keywords.get("DELIVERBY", ())
        return int(arguments[0]) if arguments and _NUMBER.fullmatch(arguments[0]) else 0

    @property
    def auth_mechs(self) -> tuple[str, ...]:
        """SASL mechanisms in capitals."""
        return tuple(mechanism.upper() for mechanism in self.keywords.get("AUTH", ()))

    def limit(self, name: str) -> int | None:
        """MAILMAX, RCPTMAX or RCPTDOMAINMAX (RFC 9422 §4), or None. Zero is no limit that could be meant."""
        for argument in self.keywords.get("LIMITS", ()):
            match = _LIMIT.fullmatch(argument.upper())
            if match and match[1] == name:
                return int(match[2]) or None
        return None


def parse_capabilities(reply: Reply) -> Capabilities:
    """The capabilities in a positive reply to EHLO; its first line is the server's greeting.

    `AUTH=PLAIN LOGIN`, an old form that some servers still send beside the right one, is read as AUTH.
    """
    keywords: dict[str, tuple[str, ...]] = {}
    for line in reply.text.split("\n")[1:]:
        words = line.split()
        if words and words[0].upper().startswith("AUTH="):
            words[:1] = ["AUTH", words[0][5:]]
        if words:
            keyword = words[0].upper()
            keywords[keyword] = (*keywords.get(keyword, ()), *words[1:])
    return Capabilities(MappingProxyType(keywords))
