"""aerc, driven by its commands on a terminal: mail in full, flags, folders, mail sent and filed."""

import os
from pathlib import Path
from typing import Final

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, below_trace, expect, expect_same, needs
from tools.clients.terminal import Terminal, on_terminal
from tools.crash import PASSWORD

NEWEST: Final = "html"  # the subject of the last of MESSAGES


def check(served: Served) -> str:
    """Each command, then a look at what the server has."""
    aerc = needs("aerc", "aerc")
    address = served.account("aerc")
    folder = served.folder_of("aerc")
    served.put("aerc", MESSAGES)
    environment = os.environ | {
        "HOME": str(folder), "XDG_CONFIG_HOME": str(_settings(served, folder, address)), "LC_ALL": "C.UTF-8",
        "SSL_CERT_FILE": str(served.ca), "XDG_DATA_HOME": str(folder), "XDG_CACHE_HOME": str(folder), "EDITOR": "true",
    }  # fmt: skip
    with on_terminal([aerc], environment) as terminal:
        terminal.wait("the list", lambda: terminal.shows("no body") and terminal.shows(NEWEST))
        _read(terminal, folder)
        _work(terminal, served)
        _send(terminal, served, address)
        terminal.type(":quit -f\r")
        terminal.wait("its end", terminal.has_ended)
    return f"{len(MESSAGES)} mails read octet by octet; flags, copy, move, delete, folders, one sent and filed"


def _read(terminal: Terminal, folder: Path) -> None:
    """Pipe every message into a file."""
    for number in range(len(MESSAGES)):
        saved = folder / f"{number}.eml"
        terminal.type(f":select {number}\r")
        terminal.type(f":pipe -b -m sh -c 'cat > {saved}.part; mv {saved}.part {saved}'\r")
        terminal.wait(saved.name, saved.exists)
    expect_same([path.read_bytes() for path in folder.glob("*.eml")], MESSAGES, lf=True)


def _work(terminal: Terminal, served: Served) -> None:
    """The newest mail is on top: it was put in last."""
    terminal.type(":mkdir Töpfe\r")
    terminal.wait("a folder", lambda: _has(served, "T&APY-pfe"))
    terminal.wait_for("(no messages)")  # it goes there
    terminal.type(":cf INBOX\r")
    terminal.wait_for(NEWEST)
    commands = (
        ("flag", "flag", lambda: {"\\Flagged"} <= served.flags("aerc")[-1]),
        ("a copy", "copy Archive", lambda: len(served.stored("aerc", "Archive")) == 1),
        ("a move", "move Töpfe", lambda: served.stored("aerc", "T&APY-pfe") == [MESSAGES[-1]]),
        ("a deletion", "delete", lambda: len(served.stored("aerc")) == len(MESSAGES) - 2),
    )
    for what, command, truth in commands:
        terminal.type(":select 0\r")
        terminal.type(f":{command}\r")
        terminal.wait(what, truth)
        if what == "a move":  # the server has moved it before aerc has taken it off its list
            terminal.wait_without(NEWEST)
    expect(served.stored("aerc", "Archive") == [MESSAGES[-1]], "another mail was copied")


def _send(terminal: Terminal, served: Served, address: str) -> None:
    """To itself, filed into Sent."""
    before = len(served.stored("aerc"))
    terminal.type(f":compose -H 'To: {address}' -H 'Subject: from aerc'\r")
    terminal.wait_for("Send this email?")
    terminal.type(":send\r")
    terminal.wait("what was sent", lambda: len(served.stored("aerc")) > before)
    terminal.wait("a copy in Sent", lambda: len(served.stored("aerc", "Sent")) == 1)
    arrived = below_trace(served.stored("aerc")[-1])
    expect(_body(served.stored("aerc", "Sent")[0]) == _body(arrived), "Sent has another body")


def _has(served: Served, mailbox: str) -> bool:
    with served.imap("aerc") as client:
        return mailbox in str(client.list()[1])


def _body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


def _settings(served: Served, folder: Path, address: str) -> Path:
    """The folder of its settings."""
    place = folder / "config" / "aerc"
    place.mkdir(parents=True)
    accounts = place / "accounts.conf"
    accounts.write_text(
        f"[pottery]\nsource = imaps://aerc:{PASSWORD}@{HOST}:{served.port(993)}\n"
        f"outgoing = smtps+plain://aerc:{PASSWORD}@{HOST}:{served.port(465)}\n"
        f"from = Anna <{address}>\ndefault = INBOX\ncopy-to = Sent\narchive = Archive\ncheck-mail = 0\n"
    )
    accounts.chmod(0o600)
    (place / "aerc.conf").write_text(
        "[general]\nunsafe-accounts-conf = true\n[ui]\nsort = arrival -r\nthreading-enabled = false\n"
        "[compose]\neditor = true\n"
    )
    return place.parent
