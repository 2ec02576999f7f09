"""A log in a real file."""

from pathlib import Path

import pytest

from crockery.events.opening import create_log
from tests.support.logs import ticking


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of an empty log."""
    path = tmp_path / "a.crk"
    create_log(path, ticking())
    return path
