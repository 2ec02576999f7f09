"""Which DNS servers are asked: those of the system (/etc/resolv.conf), or the one that the administrator named."""

import dataclasses
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from crockery.limits import DNS_SERVERS

SYSTEM: Final = Path("/etc/resolv.conf")


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """`is_trusted`: its word that it has validated an answer (the AD bit) is believed, for nobody is in between."""

    address: str
    port: int = 53
    is_trusted: bool = False


def parse_server(text: str) -> Server:
    """`ADDRESS[:PORT]`, an IPv6 address with a port in brackets. Trusted if on this machine. Raises ValueError."""
    address, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "53")
    parsed = ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not ADDRESS or ADDRESS:PORT")
    return Server(str(parsed), int(port), parsed.is_loopback)


def system_servers(path: Path = SYSTEM) -> Sequence[Server]:
    """The servers of the system; this machine's own where there is nothing to be read. resolv.conf(5).

    The option `trust-ad` says that the way to all of them is safe.
    """
    try:
        lines = [line.split() for line in path.read_text("utf-8", "replace").splitlines()]
    except OSError:
        lines = []
    trust = any(words[0] == "options" and "trust-ad" in words for words in lines if words)
    servers = []
    for words in lines:
        if len(words) > 1 and words[0] == "nameserver":
            try:
                address = ipaddress.ip_address(words[1])
            except ValueError:
                continue
            servers.append(Server(str(address), 53, trust or address.is_loopback))
    return servers[:DNS_SERVERS] or [Server("127.0.0.1", 53, True)]
