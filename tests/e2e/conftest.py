"""What the stories share: Postfix as everybody else's mail server and NSD, started once, and the clock."""

from collections.abc import Iterator

import pytest
from trio.testing import MockClock

from tests.support.dns_server import SignedDNS, skip_without_dnssec
from tests.support.far_postfix import FarPostfix, far_postfix
from tests.support.others import HOSTS, signed_zone


@pytest.fixture(scope="session")
def others() -> Iterator[FarPostfix]:
    """`tests.support.others.HOSTS`."""
    with far_postfix(HOSTS, {}) as running:
        yield running


@pytest.fixture(scope="session")
def zone(others: FarPostfix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedDNS]:
    """`tests.support.others.signed_zone`."""
    skip_without_dnssec()
    with signed_zone(others, tmp_path_factory.mktemp("dns")) as served:
        yield served


@pytest.fixture
def clock() -> MockClock:
    """At the pace of the real one; `Person.days_pass` moves it."""
    return MockClock(rate=1.0)
