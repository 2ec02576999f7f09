"""Transcripts of SMTP as tests: files of lines that client and server say.

# a comment; `# role: submission`, `# login: anna`, `# port: 465` and `# remote` set the scene
C: MAIL FROM:<a@b>          the client's line; CRLF is added, \\x00 and the like are octets
S: 250 2.1.0 Sender OK      the server's line, exactly
S~ 250 2\\.6\\.0 .*           the server's line, a regular expression for all of it
S* 250.*                    the rest of a reply, all of its lines by this expression
S! end                      the server closes
"""

import re
from pathlib import Path

from tests.support.smtp_session import Peer, Role, Served

_SCENE = re.compile(r"# (role|login|port|remote)(?:: (.*))?")


async def play(served: Served, path: Path) -> None:
    """Play one file; an AssertionError names file and line where the server said something else."""
    lines = path.read_text("utf-8").splitlines()  # noqa: ASYNC240 (a test may wait for its file)
    scene = {match[1]: match[2] for line in lines if (match := _SCENE.fullmatch(line))}
    peer = await served.connect(
        Role(scene.get("role", "mx")),
        loopback="remote" not in scene,
        login=scene.get("login") or "",
        tls=scene.get("port") == "465",
    )
    pending: list[str] = []
    for number, line in enumerate(lines, 1):
        mark, text = line[:3], line[3:]
        if mark == "C: ":
            await peer.send(text.encode("utf-8").decode("unicode_escape").encode("latin-1") + b"\r\n")
        elif mark in ("S: ", "S~ ", "S* ", "S! "):
            pending = pending or await _lines(peer) or ["end"]
            count = len(pending) if mark == "S* " else 1
            said, pending = pending[:count], pending[count:]
            for one in said:
                fits = re.fullmatch(text, one) is not None if mark in ("S~ ", "S* ") else one == text
                assert fits, f"{path.name}:{number}: expected {text!r}, the server said {one!r}"
    assert not pending, f"{path.name}: the server also said {pending}"


async def _lines(peer: Peer) -> list[str]:
    return (await peer.reply()).decode().split("\r\n")[:-1]
