"""Python's own imaplib."""

import imaplib
import ssl

from tools.clients.material import MESSAGES, STRANGE
from tools.clients.served import HOST, Served, expect, expect_same
from tools.crash import PASSWORD, TIMEOUT


def check(served: Served) -> str:
    """Append, fetch in each way, flags, copy, search, STARTTLS."""
    served.account("imaplib")
    served.put("imaplib", [*MESSAGES, *STRANGE])
    expect_same(served.stored("imaplib"), [*MESSAGES, *STRANGE])
    with served.imap("imaplib") as client:
        for item in ("RFC822", "BODY[]", "BODY.PEEK[]"):
            _, data = client.fetch("1:*", f"({item})")
            expect_same([part[1] for part in data if isinstance(part, tuple)], [*MESSAGES, *STRANGE])
        expect(client.search(None, "SUBJECT", "dots")[1] == [b"3"], "SEARCH SUBJECT does not find the mail")
        expect(client.search(None, "SINCE", "1-Jan-2026", "LARGER", "1000000")[1] == [b"10"], "SEARCH LARGER fails")
        expect(client.uid("COPY", "1:5", "Archive")[0] == "OK", "COPY is refused")
        client.store("2:4", "+FLAGS", "(\\Deleted)")
        told = client.expunge()[1]
        expect(told in ([b"2", b"2", b"2"], [b"4", b"3", b"2"]), f"EXPUNGE tells {told}")
    expect_same(served.stored("imaplib", "Archive"), MESSAGES[:5])
    with imaplib.IMAP4(HOST, served.port(143), timeout=TIMEOUT) as client:
        client.starttls(ssl.create_default_context(cafile=str(served.ca)))
        client.authenticate("PLAIN", lambda _: b"\0imaplib\0" + PASSWORD.encode())
        expect(client.select("INBOX")[1] == [b"%d" % (len(MESSAGES) + len(STRANGE) - 3)], "another number of mails")
    return f"{len(MESSAGES) + len(STRANGE)} mails appended and read octet by octet, search, copy, expunge, STARTTLS"
