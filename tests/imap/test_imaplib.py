"""Python's imaplib against the server: it gets back what it wrote, whole, in parts, and over TLS."""

import base64
import email
import imaplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trio

from tests.support.server import PASSWORD, running_server
from tests.support.waiting import PATIENCE


def large_mail() -> bytes:
    """Some 2 MB: text, an attachment that zstd cannot make small, and a mail with one itself."""
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("inner text\n" * 20_000)
    mail = EmailMessage()
    mail["Subject"] = "large"
    mail["From"] = "anna@example.test"
    mail.set_content("see there\n")
    noise = b"".join(bytes((number * number >> 5 & 255,)) for number in range(1_000_000))
    mail.add_attachment(noise, maintype="application", subtype="octet-stream", filename="noise")
    mail.add_attachment(inner)
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def smoke(port: int, mails: list[bytes]) -> None:
    """What Python's imaplib does and gets."""
    client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE)
    client.login("anna", PASSWORD)
    assert client.select()[1] == [b"0"]
    for mail in mails:
        assert client.append("INBOX", "(\\Flagged)", None, mail)[0] == "OK"
    for number, mail in enumerate(mails, 1):
        assert client.fetch(str(number), "(RFC822)")[1][0][1] == mail  # type: ignore[index]
    assert client.search(None, "SUBJECT", '"inner"')[1] == [b""]
    assert client.search(None, "TEXT", '"inner"')[1] == [b"2"]
    assert client.store("1", "+FLAGS", "\\Deleted")[1] == [b"1 (FLAGS (\\Seen \\Flagged \\Deleted \\Recent))"]
    assert client.expunge()[1] == [b"1"]
    assert client.uid("FETCH", "2", "(FLAGS)")[1] == [b"1 (UID 2 FLAGS (\\Seen \\Flagged \\Recent))"]
    assert client.copy("1", "Archive")[0] == "OK"
    assert client.status("Archive", "(MESSAGES)")[1] == [b"Archive (MESSAGES 1)"]
    assert client.list()[0] == "OK"
    client.close()
    client.logout()


async def test_imaplib_reads_back_what_it_wrote(tmp_path: Path) -> None:
    mails = [b"Subject: hi\r\n\r\nthere\r\n", large_mail()]
    async with running_server(tmp_path) as server:
        await trio.to_thread.run_sync(smoke, server.ports["imap"], mails)


def fetch_parts(port: int, mail: bytes) -> None:
    """Every kind of section of a large message, against what the stdlib makes of it."""
    client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE)
    client.login("anna", PASSWORD)
    client.append("INBOX", "", None, mail)
    client.select()

    def get(item: str) -> bytes:
        data: Any = client.fetch("1", f"({item})")[1][0]
        return data[1] if isinstance(data, tuple) else data  # type: ignore[no-any-return]

    header, _, text = mail.partition(b"\r\n\r\n")
    assert get("BODY.PEEK[]") == mail
    assert get("BODY.PEEK[]<1000000.5000>") == mail[1_000_000:1_005_000]
    assert get("BODY.PEEK[HEADER]") == header + b"\r\n\r\n"
    assert get("BODY.PEEK[TEXT]") == text
    assert get("BODY.PEEK[HEADER.FIELDS (Subject)]") == b"Subject: large\r\n\r\n"
    assert b"large" not in get("BODY.PEEK[HEADER.FIELDS.NOT (Subject)]")
    attachment, inner = [
        part for part in email.message_from_bytes(mail).walk() if part.get_filename() or part["subject"] == "inner"
    ]
    encoded = get("BODY.PEEK[2]")
    assert base64.b64decode(encoded) == attachment.get_payload(decode=True)
    assert get("BINARY.PEEK[2]<10.100>") == attachment.get_payload(decode=True)[10:110]  # type: ignore[index]
    assert get("BINARY.SIZE[2]") == b"1 (BINARY.SIZE[2] 1000000)"
    assert get("BODY.PEEK[3.1]<0.10>") == b"inner text"
    assert b"application/octet-stream" in get("BODY.PEEK[2.MIME]")
    assert b"BODY[7] NIL" in get("BODY.PEEK[7]")
    assert b'"Subject' not in get("BODYSTRUCTURE") and b'"noise"' in get("BODYSTRUCTURE")
    assert b'"large"' in get("FLAGS ENVELOPE")
    assert get("BODY").startswith(b'1 (BODY (("text" "plain"')
    assert inner["subject"] == "inner"
    client.logout()


async def test_parts_of_a_large_message(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        await trio.to_thread.run_sync(fetch_parts, server.ports["imap"], large_mail())


def tls_smoke(port: int, context: ssl.SSLContext) -> None:
    """Large answers pass through TLS."""
    client = imaplib.IMAP4_SSL("localhost", port, ssl_context=context, timeout=PATIENCE)
    client.login("anna", PASSWORD)
    mail = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 60_000
    client.append("INBOX", "", None, mail)
    client.select()
    assert client.fetch("1", "(BODY[])")[1][0][1] == mail  # type: ignore[index]
    client.logout()


async def test_imaplib_over_tls(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        await trio.to_thread.run_sync(tls_smoke, server.ports["imaps"], server.client_context)
