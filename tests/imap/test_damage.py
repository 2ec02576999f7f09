"""Damaged input at the whole server: every answer is an answer, no handler fails, and the server lives on."""

import random
from pathlib import Path

import trio

from tests.support.dialog import Client, connect, put_mail
from tests.support.server import RunningServer, running_server
from tests.support.waiting import PATIENCE

FOLDER = Path(__file__).parent.parent / "dialogs" / "imap"
ROUNDS = 500
SPICE = (b"\x00", b"\xff", b"(", b")", b'"', b"{3}\r\n", b"{3+}\r\nabc", b"*", b":", b",", b"[", b"<0.1>", b"\r\n", b" ", b"$", b"\\", b"0", b"4294967295", b"&", b"~{9+}\r\n")  # fmt: skip  # noqa: E501


def lines() -> list[bytes]:
    """All that clients say in the transcripts."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        found += [line[3:].encode() for line in path.read_text("utf-8").split("\n") if line.startswith("C: ")]
    return [line for line in found if b"<<" not in line]


def damage(chance: random.Random, line: bytes) -> bytes:
    """The line with something cut out, doubled or put in."""
    at, to = sorted((chance.randrange(len(line) + 1), chance.randrange(len(line) + 1)))
    match chance.randrange(4):
        case 0:
            return line[:at] + line[to:]
        case 1:
            return line[:at] + line[at:to] * 2 + line[to:]
        case 2:
            return line[:at] + chance.choice(SPICE) + line[at:]
    return line


async def say(server: RunningServer, data: bytes) -> str:
    """All that the server answers to `data` on a connection of its own."""
    client: Client = await connect(server)
    await client.send(b"l LOGIN anna secret\r\ns SELECT INBOX\r\n" + data)
    await client.close(half=True)
    said = [await client.line()]
    while said[-1] != "end":
        said.append(await client.line())
    await client.close()
    return "\n".join(said)


async def test_damaged_commands(tmp_path: Path) -> None:
    chance = random.Random(3501)
    all_lines = [line for line in lines() if line]
    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as server:
            for name in ("plain.eml", "reply.eml", "multi.eml"):
                put_mail(server, "anna", f"INBOX {name}", FOLDER / "mail")
            for _ in range(ROUNDS):
                data = b"".join(damage(chance, line) + b"\r\n" for line in chance.choices(all_lines, k=4))
                said = await say(server, data)
                assert "s OK [READ-WRITE]" in said, data
                assert "SERVERBUG" not in said, (data, said)
