"""QRESYNC after a restart, without the derived files, and from an older copy of the log: what is told is exact."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.dialog import Client, logged_in
from tests.support.server import RunningServer, running_server


async def ask(client: Client, line: str) -> list[str]:
    """What the server says to a command; it must be done."""
    await client.send(f"x {line}\r\n".encode())
    said = [""]
    while not said[-1].startswith("x "):
        said.append(await client.line())
    assert said[-1].startswith("x OK"), said[-1]
    return said[1:]


async def enabled(server: RunningServer) -> Client:
    client = await logged_in(server, "anna")
    await ask(client, "ENABLE QRESYNC")
    return client


async def select(client: Client, known: str = "") -> tuple[str, int, list[str]]:
    """UIDVALIDITY, HIGHESTMODSEQ, and what is told of changes since."""
    said = await ask(client, f"SELECT INBOX{known}")
    text = "\n".join(said)
    validity, modseq = (re.search(rf"\[{name} (\d+)\]", text) for name in ("UIDVALIDITY", "HIGHESTMODSEQ"))
    assert validity is not None
    assert modseq is not None
    told = [line for line in said if "VANISHED" in line or " FETCH " in line]
    return validity[1], int(modseq[1]), told


async def append(client: Client, count: int) -> None:
    for _ in range(count):
        await ask(client, "APPEND INBOX {7+}\r\nbody\r\n\r\n"[:-2])


def lose_derived(folder: Path) -> None:
    shutil.rmtree(folder / "test.crk.d", ignore_errors=True)


@pytest.mark.parametrize("between", [lambda folder: None, lose_derived], ids=["restart", "reindex"])
async def test_what_went_is_told_after_a_start(tmp_path: Path, between: object) -> None:
    async with running_server(tmp_path) as server:
        client = await enabled(server)
        await append(client, 5)
        validity, modseq, _ = await select(client)
        await ask(client, "STORE 2,4 +FLAGS.SILENT (\\Deleted)")
        await ask(client, "EXPUNGE")
        await client.close()
    assert callable(between)
    between(tmp_path)
    async with running_server(tmp_path) as server:
        client = await enabled(server)
        await append(client, 1)
        await ask(client, "SELECT INBOX")
        await ask(client, "UID STORE 5 +FLAGS.SILENT (\\Flagged)")
        same, later, told = await select(client, f" (QRESYNC ({validity} {modseq}))")
        assert same == validity
        assert later > modseq
        assert told[0] == "* VANISHED (EARLIER) 2,4"
        assert [re.sub(r"MODSEQ \(\d+\)", "", line) for line in told[1:]] == [
            "* 3 FETCH (UID 5 FLAGS (\\Flagged) )",
            "* 4 FETCH (UID 6 FLAGS () )",
        ]
        assert await select(client, f" (QRESYNC ({validity} {later}))") == (same, later, [])
        await client.close()


async def test_a_backup_knows_what_went_before_it(tmp_path: Path) -> None:
    """A copy made while the server runs, on other storage: who was away meanwhile has the mailbox as it was then."""
    async with running_server(tmp_path) as server:
        client = await enabled(server)
        await append(client, 6)
        validity, modseq, _ = await select(client)
        await ask(client, "UID STORE 2,4 +FLAGS.SILENT (\\Deleted)")
        await ask(client, "EXPUNGE")
        await ask(client, "UID STORE 5 +FLAGS.SILENT (\\Flagged)")
        await ask(client, "UID MOVE 6 Trash")
        backup = tmp_path / "backup"
        backup.mkdir()
        shutil.copy(tmp_path / "test.crk", backup / "test.crk")
        for name in ("chain.pem", "key.pem"):
            shutil.copy(tmp_path / name, backup)
        await client.close()
    async with running_server(backup) as server:
        client = await enabled(server)
        same, later, told = await select(client, f" (QRESYNC ({validity} {modseq}))")
        assert (same, later > modseq + 2**40) == (validity, True)
        assert re.fullmatch(r"\* VANISHED \(EARLIER\) 2,4,6:\d+", told[0])
        assert [re.sub(r"MODSEQ \(\d+\)", "", line) for line in told[1:]] == [
            "* 1 FETCH (UID 1 FLAGS () )", "* 2 FETCH (UID 3 FLAGS () )", "* 3 FETCH (UID 5 FLAGS (\\Flagged) )",
        ]  # fmt: skip
        assert await select(client, f" (QRESYNC ({same} {later}))") == (same, later, [])
        await client.close()


async def test_an_older_copy_takes_back_what_it_does_not_know(tmp_path: Path) -> None:
    """A client saw what came after the copy was made: it must not go on believing it."""
    async with running_server(tmp_path) as server:
        client = await enabled(server)
        await append(client, 3)
        await client.close()
    shutil.copy(tmp_path / "test.crk", tmp_path / "copy")
    async with running_server(tmp_path) as server:
        client = await enabled(server)
        await append(client, 2)
        await ask(client, "SELECT INBOX")
        await ask(client, "STORE 1 +FLAGS.SILENT (\\Deleted)")
        await ask(client, "STORE 2 +FLAGS.SILENT (\\Flagged)")
        await ask(client, "EXPUNGE")
        validity, modseq, _ = await select(client)
        await client.close()
    lose_derived(tmp_path)
    shutil.copy(tmp_path / "copy", tmp_path / "test.crk")
    async with running_server(tmp_path, restored=True) as server:
        client = await enabled(server)
        same, later, told = await select(client, f" (QRESYNC ({validity} {modseq}))")
        assert later > modseq
        if same == validity:  # else the client begins anew
            assert re.fullmatch(r"\* VANISHED \(EARLIER\) 4:\d+", told[0]), "4 and 5 are not there"
            assert [re.sub(r"MODSEQ \(\d+\)", "", line) for line in told[1:]] == [
                f"* {number} FETCH (UID {number} FLAGS () )" for number in (1, 2, 3)
            ], "1 is there again, and 2 is not flagged"
        await append(client, 1)
        _, _, told = await select(client, f" (QRESYNC ({same} {later}))")
        assert len(told) == 1
        assert int(re.findall(r"UID (\d+)", told[0])[0]) > 2**20, "no UID comes again"
        await client.close()
