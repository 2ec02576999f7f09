"""What the stories share: Postfix as everybody else's mail server, started once, and the clock."""

from collections.abc import Iterator

import pytest
from trio.testing import MockClock

from tests.support.far_postfix import FarPostfix, far_postfix
from tests.support.others import HOSTS
from tools import postfix


@pytest.fixture(scope="session")
def others() -> Iterator[FarPostfix]:
    """`tests.support.others.HOSTS`."""
    reason = postfix.missing()
    if reason:
        pytest.skip(reason)
    with far_postfix(HOSTS, {}) as running:
        yield running


@pytest.fixture
def clock() -> MockClock:
    """At the pace of the real one; `Person.days_pass` moves it."""
    return MockClock(rate=1.0)
