"""`crockery demo`: made once, gone on with, stopped by Ctrl-C; its mail is what it should be."""

import imaplib
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from crockery.cli.demo.mails import read_mails
from tests.support.commands import crockery
from tests.support.ports import free_port_offset
from tests.support.waiting import PATIENCE


@pytest.fixture(scope="module")
def offset() -> int:
    """Of the demo's ports."""
    return free_port_offset()


@contextmanager
def demo(folder: Path, offset: int) -> Iterator[list[str]]:
    """The running demo, as a program; what it printed."""
    command = [sys.executable, "-c", "from crockery.cli.main import main; main()", "demo", str(folder)]
    command += ["--port-offset", str(offset)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        printed = []
        for line in server.stdout:
            printed.append(line)
            if line.startswith("Ctrl-C"):
                break
        try:
            yield printed
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(PATIENCE) == 0


def login(folder: Path, offset: int) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client = imaplib.IMAP4_SSL("127.0.0.1", offset + 993, ssl_context=context, timeout=PATIENCE)
    client.login("anna", "anna-secret")
    return client


def test_demo(tmp_path: Path, offset: int) -> None:
    folder = tmp_path / "demo"
    with demo(folder, offset) as printed:
        text = "".join(printed)
        for word in ("anna@example.test", "anna-secret", str(offset + 993), str(folder / "ca.pem"), "swaks", "mutt"):
            assert word in text
        client = login(folder, offset)
        assert int(client.select("INBOX")[1][0] or 0) >= 15
        fetched = client.fetch("1:*", "(BODY.PEEK[])")[1]
        messages = [part[1] for part in fetched if isinstance(part, tuple)]
        for data in messages:
            parsed = message_from_bytes(data, policy=policy.default)
            assert parsed["subject"]
            assert not parsed.defects
        client.store("1", "+FLAGS", "kept")
        client.logout()
    assert crockery("verify", str(folder / "demo.crk")).code == 0
    with demo(folder, offset):
        client = login(folder, offset)
        client.select("INBOX")
        assert "kept" in str(client.fetch("1", "(FLAGS)")[1])
        client.logout()


def test_demo_says_why_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = crockery("demo", str(tmp_path / "file"))
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "takes another folder" in result.err


def test_demo_mail_is_what_a_mailbox_holds() -> None:
    mails = list(read_mails())
    assert 30 <= len(mails) <= 60
    assert [mail.hours for mail in mails] == sorted((mail.hours for mail in mails), reverse=True)
    assert any(len(mail.thread) > 4 for mail in mails)
    assert any("html" in mail.fields for mail in mails)
    assert any("attached" in mail.fields for mail in mails)


@pytest.mark.parametrize("script", ["CYRILLIC", "CJK", "ARABIC", "HEBREW", "GREEK", "HANGUL", "DEVANAGARI", "HIRAGANA"])
def test_demo_mail_is_in_many_scripts(script: str) -> None:
    import unicodedata

    text = "".join(mail.fields["text"] for mail in read_mails())
    assert any(script in unicodedata.name(character, "") for character in text)
