"""The DNS records that a domain's mail needs, and how they are written (RFC 1035 §5.1). Pure.

MX (RFC 5321 §5.1), A and AAAA of the mail server, SPF (RFC 7208), the keys of DKIM (RFC 6376 §3.6.1), DMARC (RFC 7489).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from crockery.projections.settings import Settings
from crockery.projections.signing import Signing
from crockery.trust.dkim import record_name, split_strings

TTL: Final = 3600
"""Seconds that others keep a record: a mistake is over within the hour."""


class Kind(StrEnum):
    """What a record is for."""

    MX = "mx"
    ADDRESS = "address"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"


class Record(NamedTuple):
    """One record; `name` is whole, without its final dot. An address that is not known is ""."""

    kind: Kind
    name: str
    type: str
    value: str
    why: str


def wanted_records(
    settings: Settings, signing: Signing, addresses: Sequence[str] = (), smart_host: str = ""
) -> list[Record]:
    """All records to publish for our domain; `addresses` are those that the machine has to others.

    `smart_host`: the server that mail leaves by, a name or an address; "": it leaves from this machine.
    """
    domain, hostname = settings.domain, settings.hostname
    records = [Record(Kind.MX, domain, "MX", f"10 {hostname}.", "mail for the domain goes to this machine")]
    records += [
        Record(Kind.ADDRESS, hostname, "AAAA" if ":" in address else "A", address, "where this machine is")
        for address in addresses or ("",)
    ]
    records.append(_sender_policy(domain, smart_host))
    records += [
        Record(Kind.DKIM, record_name(key.selector, domain), "TXT", key.record, "the signature on it is genuine")
        for key in signing.of_domain(domain)
    ]
    why = "mail that fails both is not ours: treat it as junk"
    records.append(Record(Kind.DMARC, f"_dmarc.{domain}", "TXT", "v=DMARC1; p=quarantine", why))
    return records


def _sender_policy(domain: str, smart_host: str) -> Record:
    """Where a smart host sends from is its provider's to know, who has a term `include:...` for it as a rule."""
    if not smart_host:
        return Record(Kind.SPF, domain, "TXT", "v=spf1 mx -all", "only this machine sends mail of the domain")
    try:
        term = f"ip{ipaddress.ip_address(smart_host).version}:{smart_host}"
    except ValueError:
        term = f"a:{smart_host}"
    why = f"this machine and {smart_host} send mail of the domain; if its provider names an include:, take that instead"
    return Record(Kind.SPF, domain, "TXT", f"v=spf1 mx {term} ~all", why)


def zone_line(record: Record) -> str:
    """The record as a line of a zone file; one whose value is not known is a comment."""
    value = record.value
    if record.type == "TXT":
        value = " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in split_strings(value))
    line = f"{record.name}. {TTL} IN {record.type}"
    return f"{line} {value}" if value else f"; {line} <the public address of this machine>"


def form_name(record: Record, domain: str) -> str:
    """The record's name as the forms of DNS companies want it: without the domain, which itself is "@"."""
    if record.name == domain:
        return "@"
    return record.name.removesuffix(f".{domain}")


def public_addresses(addresses: Iterable[str]) -> list[str]:
    """Those of a machine's addresses that others can reach."""
    return [address for address in addresses if ipaddress.ip_address(address).is_global]
