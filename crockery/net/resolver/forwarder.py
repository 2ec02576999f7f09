"""Questions to recursive DNS servers with dnspython on Trio; validation is left to them.

RFC 1035 §4.2 (UDP, then TCP), RFC 6891 (EDNS), RFC 6840 §5.7 and §5.8 (the AD bit in questions and answers), RFC 8914
(why a server failed). Invariant: an answer is secure only if a trusted server says that it has validated it.
"""

from collections.abc import Sequence
from typing import Final

import dns.asyncbackend
import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype

from crockery import limits
from crockery.net.resolver.answers import Answer, Status, failed
from crockery.net.resolver.servers import Server

Raw = Answer[dns.rdata.Rdata]

_UNFINISHED: Final = "the alias was not followed"
_SILENCE: Final[Raw] = failed("no DNS server answered")
_PAYLOAD: Final = 1232  # octets of UDP that pass everywhere unfragmented
# Extended errors that speak of failed validation (RFC 8914 section 4)
_BOGUS: Final = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 11, 12})


class Forwarder:
    """Asks the servers in their order, each at most `limits.DNS_ROUNDS` times."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = tuple(servers)
        self._backend = dns.asyncbackend.get_backend("trio")

    async def ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Raw:
        """The answer, aliases followed. Raises nothing; the caller has a deadline."""
        answer = await self._ask(name, rdtype)
        secure = answer.secure
        for _ in range(limits.DNS_MAX_ALIASES):
            if answer.why != _UNFINISHED:
                break
            answer = await self._ask(dns.name.from_text(answer.canonical or "."), rdtype)
            secure = secure and answer.secure
        else:
            return failed("too many aliases")
        return Answer(answer.status, answer.records, answer.ttl, secure, answer.canonical, answer.why)

    async def _ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Raw:
        failure = _SILENCE
        for _ in range(limits.DNS_ROUNDS):
            for server in self._servers:
                query = dns.message.make_query(
                    name, rdtype, use_edns=0, payload=_PAYLOAD, flags=dns.flags.RD | dns.flags.AD
                )
                try:
                    response, _tcp = await dns.asyncquery.udp_with_fallback(
                        query,
                        server.address,
                        limits.DNS_SERVER_TIMEOUT,
                        server.port,
                        ignore_unexpected=True,
                        ignore_errors=True,
                        backend=self._backend,
                    )
                    answer = read_response(response, is_trusted=server.is_trusted)
                except (dns.exception.DNSException, OSError, EOFError):
                    continue
                if not answer.is_temporary:
                    return answer
                failure = answer
            if failure is not _SILENCE:
                break
        return failure


def read_response(response: dns.message.Message, *, is_trusted: bool) -> Raw:
    """What a response says. Raises dns.exception.DNSException for one that contradicts itself."""
    rcode = response.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        extended = [option for option in response.options if isinstance(option, dns.edns.EDEOption)]
        why = "; ".join([dns.rcode.to_text(rcode), *(option.to_text() for option in extended)])
        is_bogus = any(int(option.code) in _BOGUS for option in extended)
        return Answer(Status.BOGUS if is_bogus else Status.SERVFAIL, why=why)
    assert isinstance(response, dns.message.QueryMessage)
    chain = response.resolve_chaining()
    canonical = chain.canonical_name.to_text(omit_final_dot=True).lower()
    secure = is_trusted and bool(response.flags & dns.flags.AD)
    if chain.answer is not None:
        return Answer(Status.FOUND, tuple(chain.answer), chain.minimum_ttl, secure, canonical)
    if rcode == dns.rcode.NXDOMAIN:
        return Answer(Status.NXDOMAIN, (), chain.minimum_ttl, secure, canonical)
    is_denied = any(rrset.rdtype == dns.rdatatype.SOA for rrset in response.authority)
    why = _UNFINISHED if chain.cnames and not is_denied else ""
    return Answer(Status.NODATA, (), chain.minimum_ttl, secure, canonical, why)
