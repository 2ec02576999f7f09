"""mutt reads and flags over IMAP, sends over SMTP, files into Sent; with an account's password and an app password."""

import os
from pathlib import Path

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, below_trace, expect, expect_same, needs, run
from tools.clients.terminal import drive
from tools.crash import PASSWORD


def check(served: Served, program: str = "mutt", mechanism: str = "SCRAM-SHA-256") -> str:
    """All mails of the material out, twice; one with an attachment in. App passwords log in by `mechanism`."""
    mutt = needs(program, program)
    address = served.account(program)
    folder = served.folder_of(program)
    served.put(program, MESSAGES)
    _read_all(served, mutt, folder / "account", program, PASSWORD)
    flags = served.flags(program)
    expect(flags == [{"\\Flagged"} if n == 2 else set() for n in range(len(MESSAGES))], f"flags are {flags}")
    app_password = served.app_password(program, "terminal")
    shown = _read_all(served, mutt, folder / "app", f"{program}/terminal", app_password)
    expect(mechanism in shown, f"an app password does not log in by {mechanism}: {shown}")
    _send(served, mutt, folder, address, app_password)
    received = below_trace(served.stored(program)[-1])
    expect(b"kiln.bin" in received, "the attachment did not arrive")
    sent = [_body(message) for message in served.stored(program, "Sent")]
    expect(sent == ([_body(received)] if program == "mutt" else []), "Sent has another body than what arrived")
    return f"{len(MESSAGES)} mails read octet by octet by both kinds of password; one sent with a file, and filed"


def _read_all(served: Served, mutt: str, folder: Path, user: str, password: str) -> str:
    """Flag the third, and pipe every message into a file of its own. Returns what was shown."""
    folder.mkdir()
    save = f"cat > $(mktemp -p {folder} --suffix .eml)"
    keys = f"3<enter><flag-message><tag-pattern>~A<enter><tag-prefix><pipe-message>{save}<enter><sync-mailbox><quit>"
    settings = _settings(served, folder, user, password, f"push '{keys}'")
    shown = drive([mutt, "-n", "-F", str(settings)], _environment(folder))
    expect_same([path.read_bytes() for path in folder.glob("*.eml")], MESSAGES, lf=True)
    return shown


def _send(served: Served, mutt: str, folder: Path, address: str, password: str) -> None:
    attached = folder / "kiln.bin"
    attached.write_bytes(bytes(range(256)) * 100)
    name = address.partition("@")[0]
    settings = _settings(served, folder, f"{name}/terminal", password, f"set from={address}")
    command = [mutt, "-n", "-F", str(settings), "-s", "Ein schöner Topf", "-a", str(attached), "--", address]
    run(command, env=_environment(folder), data="Here it is.\n.\nDots too.\n")


def _settings(served: Served, folder: Path, user: str, password: str, last: str) -> Path:
    """A muttrc."""
    smtp_user = user.replace("/", "%2F")
    lines = (
        f'set ssl_ca_certificates_file="{served.ca}" ssl_starttls=yes',
        f'set imap_user="{user}" imap_pass="{password}" smtp_pass="{password}"',
        f"set folder=imaps://{HOST}:{served.port(993)}/ spoolfile=+INBOX record=+Sent",
        f"set smtp_url=smtps://{smtp_user}@{HOST}:{served.port(465)}/",
        "set pipe_split=yes pipe_sep='' wait_key=no sleep_time=0 mark_old=no quit=yes sort=mailbox-order",
        last,
    )
    path = folder / "muttrc"
    path.write_text("\n".join(lines) + "\n")
    return path


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TMPDIR": str(folder)}


def _body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]
