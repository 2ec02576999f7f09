"""What tests of this room share."""

from pathlib import Path

import pytest

from tests.support.store import TestStore


@pytest.fixture
def store(tmp_path: Path) -> TestStore:
    """An empty log."""
    return TestStore(tmp_path / "log.crk")
