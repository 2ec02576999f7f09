"""The transcripts in tests/dialogs/imap, each against a server of its own."""

from pathlib import Path

import pytest

from tests.support.dialog import Player
from tests.support.server import running_server

FOLDER = Path(__file__).parent.parent / "dialogs" / "imap"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
async def test_dialog(path: Path, tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        await Player(server, path).play()
