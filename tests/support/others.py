"""Mail servers of other domains as stories need them, what each shows, and what their domains say in the DNS.

A domain's server is its MX `mx.DOMAIN`; all are one Postfix (see `tests.support.far_postfix`). Domains below
signed.test are in a zone that is signed, with TLSA records for some; those below sts.test have MTA-STS policies.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from crockery.net.https import verifying_context
from tests.support.certificates import DAY, Made, make, tlsa
from tests.support.dns_server import ScriptedDNS, SignedDNS, scripted_dns, signed_dns
from tests.support.far_postfix import FarHost, FarPostfix
from tests.support.tls_server import tls_server

NOW = int(time.time())
ROOT = make(ca=True, common_name="Root", begin=NOW - DAY, end=NOW + 60 * DAY)


def certificate(name: str, key: ec.EllipticCurvePrivateKey | None = None, *, signer: Made | None = ROOT) -> Made:
    """Good for `name`, today and in a month; of `ROOT`, or with None of nobody."""
    return make(name, signer=signer, key=key, begin=NOW - DAY, end=NOW + 60 * DAY)


SHADY = certificate("mx.hoster.test")
HOSTS = (
    FarHost("good.test", certificate("mx.good.test")),
    # a process for each connection, so that `FarPostfix.show` is seen at once
    FarHost("shady.test", SHADY, {"max_use": "1"}),
    FarHost("plain.test"),
    FarHost("spare.signed.test", certificate("mx.spare.signed.test", signer=None)),
    FarHost("other.signed.test", certificate("mx.other.signed.test")),
    FarHost("lame.signed.test", certificate("mx.lame.signed.test")),
    FarHost("silent.signed.test", certificate("mx.silent.signed.test")),
    FarHost("useless.signed.test", certificate("mx.elsewhere.test")),
    FarHost("bare.signed.test"),
    FarHost("strict.sts.test", certificate("mx.strict.sts.test")),
    FarHost("self.sts.test", certificate("mx.self.sts.test", signer=None)),
    FarHost("unnamed.sts.test", certificate("mx.unnamed.sts.test")),
)
_SHOWN = {host.domain: host.certificate for host in HOSTS}
_LAME = ("lame.signed.test", "silent.signed.test")
"""Questions for their TLSA records fail."""


# --- DNS with signatures ---


@contextlib.contextmanager
def signed_zone(others: FarPostfix, folder: Path) -> Iterator[SignedDNS]:
    """signed.test, served by NSD. The TLSA record of `other` names another key, those of `useless` and `bare` cannot be
    used, those of `_LAME` cannot be had; `lame` has `spare`, whose record is right, as its second MX. `mixed` has the
    servers of `useless` and, second, of `other`. The server of `promising` is at 127.0.0.1, and none of `others`."""
    records = ["lame IN MX 20 mx.spare", "mixed IN MX 10 mx.useless", "mixed IN MX 20 mx.other"]
    records += ["promising IN MX 10 mail.promising", "mail.promising IN A 127.0.0.1"]
    for domain, address in others.addresses.items():
        name, _, origin = domain.partition(".")
        if origin == "signed.test":
            records += [f"{name} IN MX 10 mx.{name}", f"mx.{name} IN A {address}"]
    for name, usage in (("spare", 3), ("other", 3), ("useless", 1), ("bare", 1)):
        shown = _SHOWN["spare.signed.test"]
        assert shown is not None
        records.append(f"_{others.port}._tcp.mx.{name} IN TLSA {usage} 1 1 {tlsa(shown.der).data.hex()}")
    lame = [f"_tcp.mx.{domain}" for domain in _LAME]
    with signed_dns(folder, {"signed.test": "\n".join(records)}, {}, lame=lame) as served:
        yield served


def validating_world(others: FarPostfix, zone: SignedDNS) -> World:
    """Where DNSSEC is validated."""
    return World(
        f"127.0.0.1:{zone.server.port}", others.port, Roots.of([ROOT.der]), verifying_context(ROOT.der),
        anchors=zone.anchors,
    )  # fmt: skip


# --- DNS without, and policies ---


@dataclass
class Unsigned:
    """A world whose DNS is not signed; its MTA-STS policies can be changed at any moment."""

    world: World
    dns: ScriptedDNS
    policies: dict[str, bytes]
    """By domain."""
    fetched: list[str] = field(default_factory=list)
    """The domains whose policy was asked for."""
    _ids: int = 0

    def publish(self, domain: str, mode: str, *mx: str, max_age: int = 86_400) -> None:
        """A new policy under a new id."""
        self._ids += 1
        lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx), f"max_age: {max_age}"]
        self.policies[domain] = "\n".join(lines).encode()
        records = dict(self.dns.records)
        records["_mta-sts." + domain, "TXT"] = [f'"v=STSv1; id={self._ids}"']
        records["mta-sts." + domain, "A"] = ["127.0.0.1"]
        self.dns.records = records

    def withdraw(self, domain: str, *, record: bool) -> None:
        """The policy cannot be fetched any more, under a new id; or with `record` the DNS has none."""
        self.publish(domain, "none")
        del self.policies[domain]
        if record:
            self.dns.records = {key: value for key, value in self.dns.records.items() if key[0] != "_mta-sts." + domain}

    def respond(self, request: bytes) -> bytes:
        """What the policy server says; nothing where there is no policy."""
        host = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"host:"))
        domain = host[5:].strip().decode().partition(":")[0].removeprefix("mta-sts.")
        self.fetched.append(domain)
        body = self.policies.get(domain)
        if body is None:
            return b""
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@contextlib.asynccontextmanager
async def unsigned_world(others: FarPostfix, folder: Path) -> AsyncIterator[Unsigned]:
    """All of them but those below signed.test, and a policy server for those below sts.test."""
    records = {(domain, "MX"): [f"10 mx.{domain}."] for domain in others.addresses}
    records |= {(f"mx.{domain}", "A"): [address] for domain, address in others.addresses.items()}
    names = [f"mta-sts.{host.domain}" for host in HOSTS if host.domain.endswith(".sts.test")]
    web_certificate = make(*names, signer=ROOT, begin=NOW - DAY, end=NOW + 60 * DAY)
    async with scripted_dns(records) as dns:
        unsigned = Unsigned(World(), dns, {})
        async with tls_server(web_certificate.server_context(folder), unsigned.respond) as web:
            unsigned.world = World(
                f"127.0.0.1:{dns.server.port}", others.port, Roots.of([ROOT.der]), verifying_context(ROOT.der),
                web.port, allow_private=True, validate=False,
            )  # fmt: skip
            yield unsigned
