"""offlineimap keeps a Maildir and the server the same, both ways."""

import re
from pathlib import Path
from typing import Final

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, expect, expect_same, needs, run, with_crlf
from tools.crash import PASSWORD

OWN: Final = re.compile(rb"^X-OfflineIMAP: .*\r\n", re.MULTILINE)
"""The field that it finds its uploads by."""


def check(served: Served) -> str:
    """Mail and flags down and up; then a deletion, flags and folders on either side; then there is nothing to do."""
    offlineimap = needs("offlineimap", "offlineimap3")
    served.account("offlineimap")
    folder = served.folder_of("offlineimap")
    served.put("offlineimap", MESSAGES)
    (folder / "offlineimaprc").write_text(
        f"[general]\naccounts = a\nmetadata = {folder}/state\n[Account a]\nlocalrepository = near\n"
        f"remoterepository = far\n[Repository near]\ntype = Maildir\nlocalfolders = {folder}/mail\n"
        f"[Repository far]\ntype = IMAP\nremotehost = {HOST}\nremoteport = {served.port(993)}\n"
        f"remoteuser = offlineimap\nremotepass = {PASSWORD}\nssl = yes\nsslcacertfile = {served.ca}\n"
    )
    command = [offlineimap, "-c", str(folder / "offlineimaprc"), "-u", "quiet"]
    run(command)
    inbox = folder / "mail" / "INBOX"
    expect_same([with_crlf(path.read_bytes()) for path in inbox.glob("[cn]*/*")], MESSAGES)
    own = b"Subject: from here\r\nMessage-ID: <own@example.test>\r\n\r\nwritten offline\r\n"
    (inbox / "cur" / "1.own:2,FS").write_bytes(own.replace(b"\r\n", b"\n"))
    run(command)
    stored = [re.sub(OWN, b"", mail) for mail in served.stored("offlineimap")]
    expect_same(stored, [*MESSAGES, own])
    expect(served.flags("offlineimap")[-1] == {"\\Flagged", "\\Seen"}, "flags do not go up")
    _find(inbox, b"Subject: plain").unlink()
    for name in ("cur", "new", "tmp"):
        (folder / "mail" / "Near" / name).mkdir(parents=True)
    with served.imap("offlineimap") as client:
        client.create("Far")
        client.store("3", "+FLAGS", "(\\Answered)")
        client.store("2", "+FLAGS", "(\\Deleted)")
        client.expunge()
    run(command)
    stored = [re.sub(OWN, b"", mail) for mail in served.stored("offlineimap")]
    expect_same(stored, [*MESSAGES[2:], own])
    kept = [re.sub(OWN, b"", with_crlf(path.read_bytes())) for path in inbox.glob("[cn]*/*")]
    expect_same(kept, [*MESSAGES[2:], own])
    expect("R" in _find(inbox, b"Subject: dots").name.partition(":2,")[2], "flags do not come down")
    expect((folder / "mail" / "Far").is_dir(), "a new folder does not come down")
    expect(served.stored("offlineimap", "Near") == [], "a new folder does not go up")
    before = sorted(path.name for path in inbox.glob("cur/*"))
    run(command)
    expect(sorted(path.name for path in inbox.glob("cur/*")) == before, "a further run changes something")
    return f"{len(MESSAGES)} mails octet by octet; mail, flags, deletions and folders up and down, then nothing to do"


def _find(maildir: Path, words: bytes) -> Path:
    (found,) = (path for path in maildir.glob("[cn]*/*") if words in path.read_bytes())
    return found
