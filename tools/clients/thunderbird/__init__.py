"""Thunderbird does a day's work, without a screen; `CLIENTS_SCREENSHOTS` names a folder for pictures of its window."""

import base64
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from crockery.cli.demo.files import attachments
from crockery.cli.demo.mails import draft_of, read_mails
from crockery.message.compose import compose
from tools.clients.material import MESSAGES
from tools.clients.served import Differs, Served, below_trace, expect, expect_same, needs
from tools.clients.thunderbird.marionette import ScriptFailed
from tools.clients.thunderbird.profile import Thunderbird, make_profile, thunderbird

NAME: Final = "thunderbird"
NOW: Final = 1_795_000_000
OFFLINE: Final = 0x80
"""nsMsgMessageFlags.Offline: the message is kept here."""
OWN: Final = re.compile(rb"^X-Mozilla-[^\n]*\n", re.MULTILINE)
PHOTO: Final = "The kiln, now with a photo"
LARGE: Final = "T&APY-pfe/Gro&AN8-e"
FOLDERS: Final = ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "Töpfe", "Töpfe/Große"]


def check(served: Served) -> str:
    """Three starts on one profile; the last two with CONDSTORE, and with changes made elsewhere between them."""
    program = needs("thunderbird", "thunderbird")
    served.account(NAME)
    folder = served.folder_of(NAME)
    profile = folder / "profile"
    _fill(served)
    make_profile(served, profile, NAME)
    try:
        with thunderbird(program, served, profile, NAME) as running:
            _read(served, running)
            _look(running)
            _work(served, running)
            _send(served, running)
            _wait_for_news(served, running)
        with (profile / "user.js").open("a") as settings:
            settings.write('user_pref("mail.server.server1.use_condstore", true);\n')
        with thunderbird(program, served, profile, NAME) as running:
            _compare(served, running, "INBOX")
        _change_elsewhere(served)
        with thunderbird(program, served, profile, NAME) as running:
            _compare(served, running, "INBOX")
    except (ScriptFailed, TimeoutError) as error:
        raise Differs(f"{error} {(profile / 'output.txt').read_text()[-0:0]}") from error
    return (
        "mailboxes, threads, files, mail kept; flags, tags, move, copy, delete, search, folders, Sent, IDLE, CONDSTORE"
    )


def _fill(served: Served) -> None:
    """The demo's mail of anna, and the material in a mailbox whose name is not ASCII."""
    with served.imap(NAME) as client:
        for mailbox in ("T&APY-pfe", LARGE):
            client.create(mailbox)
            client.subscribe(mailbox)
        for mailbox, flags, message in _demo_mails():
            client.append(mailbox, " ".join(flags), "", message)
    served.put(NAME, MESSAGES, LARGE)


def _demo_mails() -> Iterator[tuple[str, tuple[str, ...], bytes]]:
    """Mailbox, flags, message."""
    known = attachments()
    for mail in read_mails():
        for place in mail.places:
            if place.account == "anna":
                draft = draft_of(mail, NOW - 3600 * mail.hours, known)
                yield place.mailbox, place.flags, bytes(compose(draft))
                if mail.fields["subject"] == "Re: The kiln":
                    answer = replace(draft, subject=PHOTO, message_id="<photo@example.test>", date=draft.date + 3600)
    answer = replace(answer, in_reply_to=answer.references[-1], attachments=[known["plate.png"]])
    yield "INBOX", (), bytes(compose(answer))


def _read(served: Served, running: Thunderbird) -> None:
    """All mailboxes are there, and all mail of one is kept as it is."""
    running.run("server().getNewMessages(root(), null, null)")
    found = running.run(
        "await until('folders', () => root().descendants.length >= args[0]); return root().descendants.map(f => f.URI)",
        len(FOLDERS),
    )
    expect(len(found) == len(FOLDERS), f"the mailboxes are {found}")
    uses = running.run(
        "return ['Archive Archive', 'Drafts Drafts', 'Junk Junk', 'Sent SentMail', 'Trash Trash'].filter(pair =>"
        " !folder(pair.split(' ')[0]).getFlag(Ci.nsMsgFolderFlags[pair.split(' ')[1]]))"
    )
    expect(uses == [], f"special uses are not known: {uses}")
    keep = (
        "await update(args[0]);"
        "await url('download', listener => folder(args[0]).downloadAllForOffline(listener, null));"
        "await until('all kept', () => count(args[0]) && messages(args[0]).every(header => header.flags & args[1]));"
        "return messages(args[0]).map(kept)"
    )
    kept = map(base64.b64decode, running.run(keep, "Töpfe/Große", OFFLINE))
    expect_same((re.sub(OWN, b"", message) for message in kept), MESSAGES, lf=True)


def _look(running: Thunderbird) -> None:
    """A thread, opened; a mail with its file."""
    levels = running.run("await update('INBOX'); return await show('INBOX', args[0])", PHOTO)
    expect(max(levels) >= 1, f"no threads: {levels}")
    if "CLIENTS_SCREENSHOTS" in os.environ:
        running.screenshot(Path(os.environ["CLIENTS_SCREENSHOTS"]) / "thunderbird.png")


def _work(served: Served, running: Thunderbird) -> None:
    """Each on its own mail of the material; the server is asked what came of it."""
    place = "Töpfe/Große"
    running.run(
        "const f = folder(args[0]); f.markMessagesRead([message(args[0], 'plain')], true);"
        "f.markMessagesFlagged([message(args[0], 'dots')], true);"
        "f.addKeywordsToMessages([message(args[0], 'folded')], '$label1');"
        "await carry('html', args[0], 'Archive', false); await carry('8 bit', args[0], 'Archive', true);"
        "await remove(args[0], 'long line'); await update(args[0]);",
        place,
    )
    expect(
        running.run("return await search(args[0], args[1])", place, "From there on") == ["quoted From"],
        "the server's search finds something else",
    )
    running.run(
        "root().createSubfolder('Glasuren & Öfen', null);"
        "await until('created', () => root().containsChildNamed('Glasuren & Öfen'));"
        "await carry('dots', args[0], 'Glasuren & Öfen', false);"
        "folder('Glasuren & Öfen').rename('Öfen', null);"
        "await until('renamed', () => root().containsChildNamed('Öfen'));"
        "root().createSubfolder('short', null); await until('created', () => folder('short')"
        ".QueryInterface(Ci.nsIMsgImapMailFolder).verifiedAsOnlineFolder);"
        "",
        place,
    )
    expect(_subjects(served, '"&ANY-fen"') == ["dots"], "the renamed folder has other mail")
    expect("&ANY-fen" in _mailboxes(served), f"folders are {_mailboxes(served)}")
    running.run("await url('delete', listener => MailServices.imap.deleteFolder(folder('short'), listener, null))")
    expect("short" not in _mailboxes(served), "a deleted folder is still there")
    expect(sorted(_subjects(served, "Archive"))[:1] == ["8 bit"], "a moved mail is not there")
    expect("long line" in _subjects(served, "Trash"), "a deleted mail is not in Trash")
    flags = dict(zip(_subjects(served, LARGE), served.flags(NAME, LARGE), strict=True))
    expect("8 bit" not in flags and "long line" not in flags, f"what was moved is still there: {flags}")
    expect(flags["plain"] == {"\\Seen"} and flags["dots"] == {"\\Flagged"}, f"flags are {flags}")
    expect("$label1" in {flag.lower() for flag in flags["folded"]}, f"the tag is not there: {flags}")


def _send(served: Served, running: Thunderbird) -> None:
    """To itself; what Sent has is what arrived."""
    before = len(served.stored(NAME, "Sent"))
    running.run("await send(args[0], 'Eine Grüße aus dem Ofen', 'Hello.\\r\\n.\\r\\nDots.')", f"{NAME}@example.test")
    running.run("await update('INBOX'); await until('arrival', () => message('INBOX', 'Eine Grüße aus dem Ofen'))")
    sent = served.stored(NAME, "Sent")
    expect(len(sent) == before + 1, "nothing was filed into Sent")
    arrived = below_trace(served.stored(NAME)[-1]).partition(b"\r\n\r\n")[2]
    expect(b"glaze.txt" in arrived and arrived == sent[-1].partition(b"\r\n\r\n")[2], "Sent has another body")


def _wait_for_news(served: Served, running: Thunderbird) -> None:
    """In IDLE: mail from elsewhere comes, flags change, mail goes, and nobody asked."""
    before = running.run("await update('INBOX'); return count('INBOX')")
    served.put(NAME, [b"Subject: news\r\nFrom: a@b.example\r\nMessage-ID: <news@b.example>\r\n\r\nnow\r\n"])
    running.run("await until('news', () => count('INBOX') == args[0] && message('INBOX', 'news'))", before + 1)
    with served.imap(NAME) as client:
        client.store(str(before + 1), "+FLAGS", "(\\Flagged)")
        running.run("await until('the flag', () => message('INBOX', 'news').isFlagged)")
        client.store(str(before + 1), "+FLAGS", "(\\Deleted)")
        client.expunge()
        running.run("await until('it is gone', () => count('INBOX') == args[0])", before)


def _change_elsewhere(served: Served) -> None:
    """Mail comes and goes, flags change."""
    served.put(NAME, MESSAGES[:2])
    with served.imap(NAME) as client:
        client.store("2:3", "+FLAGS", "(\\Flagged)")
        client.store("4", "-FLAGS", "(\\Seen)")
        client.store("1,5:6", "+FLAGS", "(\\Deleted)")
        client.expunge()


def _compare(served: Served, running: Thunderbird, mailbox: str) -> None:
    """Subjects, and who is seen and flagged."""
    shown = running.run(
        "await update(args[0]); return messages(args[0]).map(h => [h.mime2DecodedSubject, h.isRead, h.isFlagged])",
        mailbox,
    )
    there = [["\\Seen" in flags, "\\Flagged" in flags] for flags in served.flags(NAME, mailbox)]
    expect([row[1:] for row in shown] == there, f"it shows {shown}; there is {there}")


def _subjects(served: Served, mailbox: str) -> list[str]:
    return [
        message.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode("latin-1")
        for message in served.stored(NAME, mailbox)
    ]


def _mailboxes(served: Served) -> str:
    with served.imap(NAME) as client:
        return str(client.list()[1])
