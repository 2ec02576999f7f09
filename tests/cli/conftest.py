"""Each command must do the same with the server running and without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import serving
from tests.support.server import make_log


@pytest.fixture(params=["running", "stopped"])
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log with the accounts anna and ben, both ways."""
    monkeypatch.delenv("CROCKERY_LOG", raising=False)
    path = make_log(tmp_path)
    if request.param == "stopped":
        yield path
        return
    with serving(path):
        yield path
