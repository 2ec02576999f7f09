"""curl over imaps, imap with STARTTLS, smtps and smtp with STARTTLS."""

from tools.clients.material import MESSAGES
from tools.clients.served import DOMAIN, HOST, Served, below_trace, expect, expect_same, needs, run, with_crlf
from tools.crash import PASSWORD


def check(served: Served) -> str:
    """Upload by SMTP and APPEND, download by UID and by index, sections, commands of its own."""
    curl = [needs("curl", "curl"), "-sS", "--cacert", str(served.ca), "-u", f"curl:{PASSWORD}"]
    address = served.account("curl")
    folder = served.folder_of("curl")
    inbox = f"imaps://{HOST}:{served.port(993)}/INBOX"
    files = []
    for number, message in enumerate(MESSAGES):
        files.append(folder / f"{number}.eml")
        files[-1].write_bytes(message)
        run([*curl, "-T", str(files[-1]), inbox])
    for number, message in enumerate(MESSAGES, 1):
        for url in (f"{inbox};UID={number}", f"{inbox};MAILINDEX={number}"):
            got = folder / "got"
            run([*curl, "-o", str(got), url])
            expect_same([got.read_bytes()], [message])
    clear = f"imap://{HOST}:{served.port(143)}/INBOX"
    expect("Subject: dots" in run([*curl, "--ssl-reqd", f"{clear};UID=3;SECTION=HEADER"]), "no header section")
    found = run([*curl, f"{inbox}?SUBJECT%20attachment"])
    expect(found.strip() == "* SEARCH 9 10", f"SEARCH says {found!r}")
    expect("Drafts" in run([*curl, f"imaps://{HOST}:{served.port(993)}/"]), "LIST does not show Drafts")
    submit = [*curl, "--mail-from", address, "--mail-rcpt", address, "--ssl-reqd"]
    head = f"From: {address}\nMessage-ID: <c@{DOMAIN}>\nDate: Tue, 3 Nov 2026 10:00:00 +0100\n"
    sent = with_crlf(f"{head}\n.x\n".encode())
    (folder / "sent.eml").write_bytes(sent)
    run([*submit, "-T", str(folder / "sent.eml"), f"smtps://{HOST}:{served.port(465)}/pc.test"])
    run([*submit, "-T", str(folder / "sent.eml"), f"smtp://{HOST}:{served.port(587)}/pc.test"])
    expect_same(map(below_trace, served.stored("curl")[-2:]), [sent, sent])
    return f"{len(MESSAGES)} mails up and down octet by octet, two sent"
