"""A server that runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.server import RunningServer, running_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    """With nothing in its mailboxes."""
    async with running_server(tmp_path) as running:
        yield running
