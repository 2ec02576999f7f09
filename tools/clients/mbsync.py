"""mbsync (isync) keeps a Maildir and the server the same, both ways: mail, flags, deletions, folders."""

import re
from pathlib import Path

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, expect, expect_same, needs, run, with_crlf
from tools.crash import PASSWORD


def check(served: Served) -> str:
    """Each kind of change, once on either side; at the end nothing is left to do."""
    mbsync = needs("mbsync", "isync")
    served.account("mbsync")
    folder = served.folder_of("mbsync")
    served.put("mbsync", MESSAGES)
    served.put("mbsync", MESSAGES[:3], "Archive")
    sync = [mbsync, "-a", "-c", str(_settings(served, folder))]
    served.app_password("mbsync", "other")  # so that SCRAM is offered, which mbsync takes and which cannot succeed
    run(sync, codes=(0, 1))
    inbox = folder / "mail" / "INBOX"
    run(sync)
    expect_same(_mail_in(inbox), MESSAGES)
    expect_same(_mail_in(folder / "mail" / "Archive"), MESSAGES[:3])
    expect((folder / "mail" / "Drafts" / "cur").is_dir(), "empty mailboxes are not made")

    own = b"Subject: from here\r\n\r\nwritten offline\r\n"
    (inbox / "new" / "1.own").write_bytes(own.replace(b"\r\n", b"\n"))
    (folder / "mail" / "T&APY-pferei" / "cur").mkdir(parents=True)
    for name in ("new", "tmp"):
        (folder / "mail" / "T&APY-pferei" / name).mkdir()
    _find(inbox, b"Subject: plain").unlink()
    _mark(_find(inbox, b"Subject: dots"), "FS")
    run(sync)
    stored = served.stored("mbsync")
    expect_same([_without_mark(mail) for mail in stored], [*MESSAGES[1:], own])
    expect(served.flags("mbsync")[1] == {"\\Flagged", "\\Seen"}, "flags do not go up")
    expect(served.stored("mbsync", '"T&APY-pferei"') == [], "a new folder does not go up")

    with served.imap("mbsync") as client:
        client.store("3", "+FLAGS", "(\\Answered)")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    run(sync)
    expect_same(_mail_in(inbox), [*MESSAGES[2:], own])
    expect(_find(inbox, b"Subject: quoted From").name.endswith(":2,R"), "flags do not come down")
    before = sorted(path.name for path in inbox.glob("cur/*"))
    said = run([*sync, "-V"])
    expect(sorted(path.name for path in inbox.glob("cur/*")) == before, "a further run changes something")
    expect_same([_without_mark(mail) for mail in served.stored("mbsync")], [*MESSAGES[2:], own])
    expect("warning" not in said.lower(), f"it warns: {said}")
    _check_conflicts(served, sync, folder)
    return f"{len(MESSAGES)} mails octet by octet; all kinds of change up and down, then nothing to do; conflicts"


def _check_conflicts(served: Served, sync: list[str], folder: Path) -> None:
    """The same mail changed on both sides: flags join, a deletion wins over a flag; a renamed mailbox is a new one."""
    inbox, archive = folder / "mail" / "INBOX", folder / "mail" / "Archive"
    _mark(_find(inbox, b"Subject: folded"), "F")
    _find(inbox, b"Subject: html").unlink()
    with served.imap("mbsync") as client:
        (number,) = client.search(None, "SUBJECT", "folded")[1][0].split()
        client.store(number, "+FLAGS", "(\\Answered)")
        (number,) = client.search(None, "SUBJECT", "html")[1][0].split()
        client.store(number, "+FLAGS", "(\\Flagged)")
        client.rename("Archive", "Lager")
    run(sync, codes=(0, 1))  # it says that Archive is gone, and does not touch what it has of it
    run(sync, codes=(0, 1))
    expect(_find(inbox, b"Subject: folded").name.partition(":2,")[2] == "FR", "flags of both sides do not join")
    with served.imap("mbsync") as client:
        expect(client.search(None, "SUBJECT", "html")[1] == [b""], "what was deleted here is still there")
        (number,) = client.search(None, "SUBJECT", "folded")[1][0].split()
        flags = str(client.fetch(number.decode(), "(FLAGS)")[1])
        expect("Flagged" in flags and "Answered" in flags, f"flags of both sides do not join: {flags!r}")
    expect_same(_mail_in(folder / "mail" / "Lager"), MESSAGES[:3])
    expect_same(_mail_in(archive), MESSAGES[:3])


def _settings(served: Served, folder: Path) -> Path:
    (folder / "mail").mkdir()
    path = folder / "mbsyncrc"
    path.write_text(
        f"IMAPStore far\nHost {HOST}\nPort {served.port(993)}\nUser mbsync\nPass {PASSWORD}\nSSLType IMAPS\n"
        f"CertificateFile {served.ca}\n\n"
        f"MaildirStore near\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\nSubFolders Verbatim\n\n"
        f"Channel all\nFar :far:\nNear :near:\nPatterns *\nSync All\nCreate Both\nExpunge Both\nSyncState *\n"
    )
    return path


def _mail_in(maildir: Path) -> list[bytes]:
    return [_without_mark(with_crlf(path.read_bytes())) for path in maildir.glob("[cn]*/*")]


def _without_mark(message: bytes) -> bytes:
    """Without the field that mbsync finds its uploads by."""
    return re.sub(rb"^X-TUID: .*\r\n", b"", message, count=1, flags=re.MULTILINE)


def _find(maildir: Path, words: bytes) -> Path:
    (found,) = (path for path in maildir.glob("[cn]*/*") if words in path.read_bytes())
    return found


def _mark(path: Path, flags: str) -> None:
    path.rename(path.parent.parent / "cur" / f"{path.name.partition(':')[0]}:2,{flags}")
