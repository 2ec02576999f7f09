"""offlineimap keeps a Maildir and the server the same, both ways."""

import re

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, expect, expect_same, needs, run, with_crlf
from tools.crash import PASSWORD


def check(served: Served) -> str:
    """Mail and flags down, a mail and flags up."""
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
    stored = [
        re.sub(rb"^X-OfflineIMAP: .*\r\n", b"", mail, flags=re.MULTILINE) for mail in served.stored("offlineimap")
    ]
    expect_same(stored, [*MESSAGES, own])
    expect(served.flags("offlineimap")[-1] == {"\\Flagged", "\\Seen"}, "flags do not go up")
    return f"{len(MESSAGES)} mails octet by octet down, mail and flags up"
