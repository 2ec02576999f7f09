"""The transcripts under tests/dialogs/smtp, each against a fresh server."""

from pathlib import Path

import pytest

from tests.support.smtp_dialog import play
from tests.support.smtp_session import smtp_server

DIALOGS = sorted((Path(__file__).parents[1] / "dialogs" / "smtp").glob("*.txt"))


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
async def test_dialog(path: Path, tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        await play(served, path)
