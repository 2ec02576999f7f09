"""Mail servers of other domains as stories need them, and what each shows.

A domain's server is its MX `mx.DOMAIN`; all are one Postfix (see `tests.support.far_postfix`).
"""

import contextlib
import ssl
import time
from collections.abc import AsyncIterator

from cryptography.hazmat.primitives.asymmetric import ec

from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from tests.support.certificates import DAY, Made, make
from tests.support.dns_server import scripted_dns
from tests.support.far_postfix import FarHost, FarPostfix

NOW = int(time.time())
_VALID = {"begin": NOW - DAY, "end": NOW + 60 * DAY}
ROOT = make(ca=True, common_name="Root", **_VALID)


def certificate(name: str, key: ec.EllipticCurvePrivateKey | None = None, *, signer: Made | None = ROOT) -> Made:
    """Good for `name`, today and in a month; of `ROOT`, or with None of nobody."""
    return make(name, signer=signer, key=key, **_VALID)


SHADY = certificate("mx.hoster.test")
_TURNS = {"max_use": "1"}  # a process for each connection, so that `FarPostfix.show` is seen at once
HOSTS = (
    FarHost("good.test", certificate("mx.good.test")),
    FarHost("shady.test", SHADY, _TURNS),
    FarHost("plain.test"),
    FarHost("dane.signed.test", certificate("mx.dane.signed.test", signer=None)),
    FarHost("spare.signed.test", certificate("mx.spare.signed.test", signer=None)),
    FarHost("other.signed.test", certificate("mx.other.signed.test")),
    FarHost("forged.signed.test", certificate("mx.forged.signed.test")),
    FarHost("lame.signed.test", certificate("mx.lame.signed.test")),
    FarHost("unusable.signed.test", certificate("mx.unusable.signed.test")),
    FarHost("useless.signed.test", certificate("mx.elsewhere.test")),
    FarHost("bare.signed.test"),
    FarHost("strict.sts.test", certificate("mx.strict.sts.test")),
    FarHost("self.sts.test", certificate("mx.self.sts.test", signer=None)),
    FarHost("unnamed.sts.test", certificate("mx.unnamed.sts.test")),
    FarHost("testing.sts.test", certificate("mx.elsewhere.test")),
    FarHost("none.sts.test", certificate("mx.none.sts.test")),
    FarHost("lost.sts.test", certificate("mx.lost.sts.test", signer=None)),
)


@contextlib.asynccontextmanager
async def world_of(far: FarPostfix) -> AsyncIterator[World]:
    """DNS without signatures that names all of them, and the CA."""
    records = {(domain, "MX"): [f"10 mx.{domain}."] for domain in far.addresses}
    records |= {(f"mx.{domain}", "A"): [address] for domain, address in far.addresses.items()}
    async with scripted_dns(records) as dns:
        yield World(
            f"127.0.0.1:{dns.server.port}", far.port, Roots.of([ROOT.der]), ssl.create_default_context(), validate=False
        )
