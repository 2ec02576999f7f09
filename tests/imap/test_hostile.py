"""What clients with a login can ask for that is much: refused with its code, or done in small steps; all or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from crockery import limits
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.actions.settings import change_setting
from crockery.imap import fetching, streaming
from crockery.imap.errors import Refusal
from crockery.imap.matching import Matching
from crockery.imap.sorting import Keys
from crockery.message.structure import Part
from tests.support.dialog import logged_in, say
from tests.support.server import RunningServer, running_server
from tests.support.waiting import PATIENCE

LARGE = b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 100_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as running:
            account = running.store.state.accounts.by_name["anna"].id
            for name, body in (
                ("INBOX", b"Subject: a\r\n\r\nx\r\n"),
                ("INBOX", b"Subject: b\r\n\r\ny\r\n"),
                ("Sent", LARGE),
            ):
                mailbox = running.store.state.mailboxes.find(account, name)
                assert mailbox is not None
                deliver(running.store, the_server(), received(body), [Delivery(mailbox, b"")], via="server")
            yield running


def many(text: str, count: int, between: str = " ") -> str:
    """The text with each of the numbers from 1 in it."""
    return between.join(text.replace("#", str(number)) for number in range(1, count + 1))


QUOTED = '"t#"'
ENTRY = '/private/e# "x"'
ANSWERS = {
    "sets that overlap": (f"UID FETCH {many('1:4294967295', 5000, ',')} UID", "x OK UID FETCH completed"),
    "sets of single numbers": (f"UID FETCH {many('#', 9000, ',')} UID", "x OK UID FETCH completed"),
    "sets in many keys": (f"SEARCH {many('UID 1:*,5,9:*,#:4294967295', 900)}", "x OK SEARCH completed"),
    "NOTs": (f"SEARCH {'NOT ' * 1000}SEEN", "x OK SEARCH completed"),
    "ORs": (f"SEARCH {'OR SEEN ' * 1000}SEEN", "x OK SEARCH completed"),
    "ORs to the left": (f"SEARCH {'OR ' * 1000}{'SEEN ' * 1001}", "x BAD"),
    "lists in lists": (f"SEARCH {'(' * 1000}SEEN{')' * 1000}", "x BAD Nested too deeply"),
    "parameters in lists": (f"SELECT INBOX (QRESYNC {'(' * 1000}1{')' * 1000})", "x BAD Nested too deeply"),
    "filters in lists": (f"ESEARCH IN ({'(' * 1000}", "x BAD"),
    "sections": (f"FETCH 1 ({many('BODY.PEEK[HEADER.FIELDS (X#)]', 101)})", "x BAD Too many sections"),
    "pieces": (f"FETCH 1 ({many('BODY.PEEK[]<#.1>', 101)})", "x BAD Too many sections"),
    "items of NOTIFY": (
        f"NOTIFY SET (personal (MessageNew MessageExpunge)){many(' (mailboxes b# NONE)', 1001, '')}",
        "x BAD",
    ),
    "keywords": (f"STORE 1 +FLAGS ({many('k#', 60)})", "x NO [LIMIT]"),
    "sort keys": (f"SORT ({many('SUBJECT REVERSE DATE', 500)}) UTF-8 ALL", "x OK SORT completed"),
    "patterns": (f'LIST "" ({many("x#", 101)})', "x BAD Too many patterns"),
    "long patterns": (
        f'LIST (SUBSCRIBED RECURSIVEMATCH) "" ({many("*" + "x*" * 40 + "#", 100)})',
        "x OK LIST completed",
    ),
    "entries": (f"GETMETADATA (DEPTH infinity) INBOX ({many('/private/e#', 1900)})", "x OK"),
    "tags": (f"CANCELUPDATE {many(QUOTED, 1900)}", "x BAD"),
}


@pytest.mark.parametrize(("command", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_much_is_answered(server: RunningServer, command: str, answer: str) -> None:
    client = await logged_in(server, "anna")
    await say(client, "SELECT INBOX")
    assert (await say(client, command))[-1].startswith(answer)
    assert (await say(client, "NOOP"))[-1] == "x OK NOOP completed"
    await client.close()


async def test_annotations_have_an_end(server: RunningServer) -> None:
    """RFC 5464 §4.3: TOOMANY, and nothing of a command that does not fit."""
    client = await logged_in(server, "anna")
    set_all = f"SETMETADATA INBOX ({many(ENTRY, limits.METADATA_ENTRIES_MAX)})"
    assert (await say(client, set_all))[-1] == "x OK SETMETADATA completed"
    assert (await say(client, 'SETMETADATA INBOX (/private/e1 "y" /private/one "x")'))[-1].startswith(
        "x NO [METADATA TOOMANY]"
    )
    assert (await say(client, "GETMETADATA INBOX /private/e1"))[0] == '* METADATA INBOX (/private/e1 "x")'
    assert (await say(client, 'SETMETADATA INBOX (/private/e1 NIL /private/one "x")'))[-1].startswith("x OK")
    await client.close()


async def test_urls_have_an_end(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """CATENATE reads a whole message for each URL: so many octets, then no more, and nothing is there."""
    monkeypatch.setattr(limits, "IMAP_URLS_OCTETS_MAX", 3 * len(LARGE))
    client = await logged_in(server, "anna")
    piece = 'URL "/Sent/;UID=1/;PARTIAL=0.5"'
    assert (await say(client, f"APPEND Trash CATENATE ({' '.join([piece] * 3)})"))[-1].startswith("x OK [APPENDUID")
    assert (await say(client, f"APPEND Trash CATENATE ({' '.join([piece] * 4)})"))[-1].startswith("x NO [LIMIT]")
    two = f"CATENATE ({' '.join([piece] * 2)})"
    assert (await say(client, f"APPEND Trash {two} {two}"))[-1].startswith("x NO [LIMIT]")
    assert "MESSAGES 1)" in (await say(client, "STATUS Trash (MESSAGES)"))[0]
    await client.close()


async def test_what_urls_make_has_an_end(server: RunningServer) -> None:
    """APPENDLIMIT holds for a message put together of others too (RFC 7889)."""
    change_setting(server.store, the_server(), "max-message-size", "64K")
    client = await logged_in(server, "anna")
    piece = 'URL "/Sent/;UID=1/;PARTIAL=0.40000"'
    assert (await say(client, f"APPEND Trash CATENATE ({piece})"))[-1].startswith("x OK [APPENDUID")
    assert (await say(client, f"APPEND Trash CATENATE ({piece} {piece})"))[-1] == "x NO [TOOBIG] Message too large"
    assert "MESSAGES 1)" in (await say(client, "STATUS Trash (MESSAGES)"))[0]
    await client.close()


@pytest.mark.parametrize(
    "command", ["SEARCH RETURN (SAVE) ALL", "SORT RETURN (SAVE) (SUBJECT) UTF-8 ALL", "ESEARCH RETURN (SAVE) ALL"]
)
@pytest.mark.parametrize("fails", [(Matching, "search"), (Keys, "load")], ids=["searching", "sorting"])
async def test_a_no_empties_what_it_was_to_be_saved_into(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, command: str, fails: tuple[type, str]
) -> None:
    """RFC 5182 §2.1; a BAD leaves it."""

    async def fail(*arguments: object) -> None:
        raise Refusal("try again later", b"UNAVAILABLE")

    client = await logged_in(server, "anna")
    await say(client, "SELECT INBOX")
    await say(client, "SEARCH RETURN (SAVE) ALL")
    assert (await say(client, command.replace("ALL", "NONSENSE")))[-1].startswith("x BAD")
    assert "* SEARCH 1 2" in await say(client, "SEARCH $")
    refuses = fails[0] is Matching or command.startswith("SORT")
    with monkeypatch.context() as broken:
        broken.setattr(*fails, fail)
        assert (await say(client, command))[-1].startswith("x NO [UNAVAILABLE]" if refuses else "x OK")
    assert ("* SEARCH 1 2" in await say(client, "SEARCH $")) != refuses
    await client.close()


async def test_a_part_in_many_pieces_is_decoded_once(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    decode = fetching.decode_part

    def counting(data: bytes, part: Part) -> bytes:
        decoded.append(len(data))
        return decode(data, part)

    monkeypatch.setattr(streaming, "decode_part", counting)
    client = await logged_in(server, "anna")
    await say(client, "SELECT Sent")
    lines = await say(client, f"FETCH 1 ({many('BINARY.PEEK[1]<#.2>', 50)})")
    assert lines[-1] == "x OK FETCH completed"
    assert len(decoded) == 1
    await client.close()
