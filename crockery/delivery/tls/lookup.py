"""Finding what a domain says of TLS for its mail: TLSA records and the MTA-STS policy.

RFC 7672 §2.2 (which names are asked for TLSA, and when not), RFC 8461 §3 and §5.1 (the record, the fetch, the cache).
Asks others and keeps nothing: who calls gives the policy kept, and keeps the one that comes back.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Protocol

from crockery.delivery.routes import Host
from crockery.delivery.tls import dane, mta_sts
from crockery.delivery.tls.dane import Dane
from crockery.net.https import FetchFailed, Page
from crockery.net.resolver import TLSA, Answer, Status


class Resolver(Protocol):
    """The part of the resolver that is needed."""

    async def txt(self, name: str) -> Answer[bytes]:
        """TXT records."""

    async def tlsa(self, name: str) -> Answer[TLSA]:
        """TLSA records."""

    async def alias(self, name: str) -> Answer[str]:
        """The CNAME of a name itself."""


async def find_dane(host: Host, resolver: Resolver, port: int = 25) -> Dane:
    """What the DNS says of DANE for `host`, whose addresses are known.

    Where the host's addresses are not validated no TLSA is asked for: its zone is not signed, and asking would only
    stumble over servers that choke on it (section 2.2.2). An alias whose target is not signed may still have records
    under its own name.
    """
    names = list(dict.fromkeys((host.canonical or host.name, host.name)))
    if not host.secure:
        if len(names) == 1:
            return Dane()
        alias = await resolver.alias(host.name)
        if alias.is_temporary:
            return Dane(dane.State.FAILED, base=host.name, why=alias.why or alias.status.value)
        if not alias.secure:
            return Dane()
        names = [host.name]
    for name in names:
        answer = await resolver.tlsa(f"_{port}._tcp.{name}")
        if answer.is_temporary:
            return Dane(dane.State.FAILED, base=name, why=answer.why or answer.status.value)
        if answer.is_found and answer.secure:
            return dane.from_records(answer.records, name)
    return Dane()


@dataclasses.dataclass(frozen=True, slots=True)
class Sts:
    """`kept` is to be kept from now on; `policy` is in force; `failure` is a result type of TLS-RPT (RFC 8460 section
    4.3) or "", `why` its words."""

    kept: mta_sts.Kept | None
    policy: mta_sts.Policy | None
    failure: str = ""
    why: str = ""


Fetch = Callable[[str, str], Awaitable[Page]]
"""Fetches host and path over verified HTTPS; raises FetchFailed."""


async def find_sts(domain: str, kept: mta_sts.Kept | None, resolver: Resolver, fetch: Fetch, now: int) -> Sts:
    """The MTA-STS policy of `domain` (A-labels); `kept` is the one known, `now` unix time. Raises nothing.

    A fetch that fails changes nothing: a policy that is kept and not too old goes on counting, and a domain that has
    none yet is served as any other. The caller should not ask again at once.
    """
    answer = await resolver.txt(f"_mta-sts.{domain}")
    found_id = mta_sts.parse_record(answer.records) if answer.status is Status.FOUND else None
    if found_id is None or not mta_sts.wants_fetch(kept, found_id, now):
        return Sts(kept, mta_sts.in_force(kept, now))
    try:
        page = await fetch(f"mta-sts.{domain}", mta_sts.PATH)
        if page.media_type != mta_sts.MEDIA_TYPE:
            raise mta_sts.PolicyError(f"its media type is {page.media_type!r}, not {mta_sts.MEDIA_TYPE}")
        kept = mta_sts.Kept(mta_sts.parse_policy(page.body), found_id, now)
    except FetchFailed as error:
        failure = "sts-webpki-invalid" if error.is_certificate else "sts-policy-fetch-error"
        return Sts(kept, mta_sts.in_force(kept, now), failure, str(error))
    except mta_sts.PolicyError as error:
        return Sts(kept, mta_sts.in_force(kept, now), "sts-policy-invalid", str(error))
    return Sts(kept, mta_sts.in_force(kept, now))
