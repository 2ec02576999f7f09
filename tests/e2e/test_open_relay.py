"""What people try to make a mail server relay: nothing leaves, nobody writes in another's name."""

import base64
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from crockery.actions.accounts import add_alias, set_wildcard
from crockery.actions.actor import the_server
from crockery.actions.questions import NewQuestion, add_question
from crockery.actions.store import Store
from crockery.assistant.tokens import make_token
from crockery.delivery.forwarding import rewrite_path
from crockery.delivery.srs import rewrite
from crockery.smtp.wire import Mailbox
from tests.support.server import RunningServer, running_server
from tests.support.smtp_session import Peer
from tests.support.waiting import PATIENCE

TOKEN = make_token(lambda count: bytes(range(count)))
TEXT = b"From: Anna <anna@example.test>\r\nSubject: x\r\n\r\nHello\r\n"

SENDERS = (
    "<>", "<victim@far.test>", "<anna@example.test>", "<ANNA@EXAMPLE.TEST>", "<postmaster@example.test>",
    "<@example.test:victim@far.test>", '<"anna@example.test"@far.test>',
)  # fmt: skip

ELSEWHERE = (
    "<victim@far.test>", "<Victim@FAR.test>", '<"victim"@far.test>', "<postmaster@far.test>",
    "<@example.test:victim@far.test>", "<@example.test,@mail.example.test:victim@far.test>",
    "<@far.test,@example.test:victim@far.test>", "<victim@example.test@far.test>", '<"anna@example.test"@far.test>',
    "<anna%example.test@far.test>", "<example.test!anna@far.test>", "<anna@example.test.far.test>",
    "<anna@far.test.example.test>", "<anna@notexample.test>", "<victim@[127.0.0.1]>", "<victim@[IPv6:::1]>",
    "<victim@localhost>", "<victim@mail.example.test>", "<anna@[example.test]>", "<victim@127.0.0.1>",
    "<anna@example.test%far.test>", "<victim@far.test,anna@example.test>", "<victim@far.test> <anna@example.test>",
    "<victim@far\uff0etest>", "<victim@xn--far-test>",
)  # fmt: skip
"""Other domains, whatever stands before them."""

NAMES = (
    "<victim%far.test@example.test>", "<victim%far.test@EXAMPLE.test>", "<victim%far.test%example.test@example.test>",
    '<"victim@far.test"@example.test>', '<"victim%far.test"@example.test>', '<"victim@far.test>"@example.test>',
    "<far.test!victim@example.test>", "<example.test!far.test!victim@example.test>", '<"far.test!victim"@example.test>',
    "<@far.test:victim%far.test@example.test>", "<victim=far.test@example.test>", "<victim+far.test@example.test>",
    "<victim/far.test@example.test>", '<"|victim@far.test"@example.test>', '<"victim%[192.0.2.1]"@example.test>',
)  # fmt: skip
"""Names that are nobody's here."""

MALFORMED = (
    "<victim%far.test>", "<far.test!victim>", '<"victim@far.test">', "<>", "<@far.test>", "victim@far.test", "<@>",
    "<victim@>", "<victim@far.test\x00@example.test>", "<victim@far.test@>", "<victim@far.test.>",
)  # fmt: skip

SRS = (
    "SRS0=aaaaaaaa=aa=far.test=victim", "srs0=aaaaaaaa=aa=far.test=victim", "SRS1=aaaaaaaaaa=far.test==aaaa=aa=x=v",
    "SRS0+aaaa=aa=far.test=victim", '"SRS0=aaaaaaaa=aa=far.test=victim@far.test"',
)  # fmt: skip


@contextlib.asynccontextmanager
async def connected(server: RunningServer, port: str, login: str = "") -> AsyncIterator[Peer]:
    """A connection that said EHLO; with `login`, that account logged in."""
    peer = Peer(socket.create_connection(("127.0.0.1", server.ports[port])))
    async with peer.stream:
        await peer.reply()
        assert await peer.codes("EHLO client.test") == [250]
        if login:
            assert await peer.codes(b"AUTH PLAIN " + base64.b64encode(f"\0{login}\0secret".encode())) == [235]
        yield peer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as running:
            yield running


def held(store: Store) -> int:
    """Messages in all mailboxes."""
    return sum(len(box) for box in store.state.mailboxes.by_id.values())


def left(store: Store) -> list[str]:
    """Whoever elsewhere was ever to get mail."""
    queue = store.state.queue
    waiting = [*queue.by_id.values(), *queue.finished.values()]
    return [recipient.address for message in waiting for recipient in message.recipients]


async def try_recipients(peer: Peer, sender: str, recipients: tuple[str, ...]) -> list[str]:
    """One transaction for all; the recipients that were taken, after the message was sent to them."""
    assert (await peer.codes(f"MAIL FROM:{sender}"))[0] == 250, sender
    taken = [to for to in recipients if (await peer.codes(f"RCPT TO:{to}"))[0] == 250]
    if taken:
        assert await peer.codes("DATA") == [354]
        await peer.send(TEXT + b".\r\n")
        await peer.last_line()
    else:
        assert await peer.codes("RSET") == [250]
    return taken


@pytest.mark.parametrize("sender", SENDERS)
async def test_port_25(server: RunningServer, sender: str) -> None:
    store = server.store
    for start in range(0, len(ELSEWHERE + NAMES + MALFORMED), 15):  # a connection ends after 20 errors
        async with connected(server, "smtp") as peer:
            assert await try_recipients(peer, sender, (ELSEWHERE + NAMES + MALFORMED)[start : start + 15]) == []
    assert (held(store), left(store)) == (0, [])


async def test_port_25_with_a_wildcard(server: RunningServer) -> None:
    store = server.store
    set_wildcard(store, the_server(), "ben")
    for start in range(0, len(ELSEWHERE + MALFORMED), 15):
        async with connected(server, "smtp") as peer:
            assert await try_recipients(peer, "<>", (ELSEWHERE + MALFORMED)[start : start + 15]) == []
    async with connected(server, "smtp") as peer:
        assert await try_recipients(peer, "<victim@far.test>", NAMES) == [*NAMES]
    assert (held(store), left(store)) == (1, [])


@pytest.mark.parametrize("sender", ["<>", "<victim@far.test>", "<anna@example.test>"])
async def test_forged_bounces_of_forwards(server: RunningServer, sender: str) -> None:
    store = server.store
    set_wildcard(store, the_server(), "ben")
    add_alias(store, the_server(), "out", ["friend@far.test"])
    genuine = rewrite_path(store, Mailbox("c", "near.test"))
    other = str(rewrite(Mailbox("victim", "far.test"), "example.test", bytes(32), store.now // 86400))
    changed = genuine.replace("near.test", "far.test")
    forged = (*(f"<{local}@example.test>" for local in SRS), f"<{other}>", f"<{changed}>", f"<{changed.upper()}>")
    # the fourth is no form of ours and so a name like any other, the fifth as well: the wildcard's
    async with connected(server, "smtp") as peer:
        taken = await try_recipients(peer, sender, forged)
    assert taken == [forged[3]] if sender != "<>" else set(taken) <= {forged[3]}
    assert left(store) == []
    if sender != "<>":
        async with connected(server, "smtp") as peer:
            assert await try_recipients(peer, sender, (f"<{genuine}>",)) == []


async def test_tokens(server: RunningServer) -> None:
    store = server.store
    set_wildcard(store, the_server(), "ben")
    anna = store.state.accounts.by_name["anna"]
    atom = store.atom(the_server())
    add_question(atom, NewQuestion(1, anna.id, TOKEN, store.now + 1000, {}), 1, "q@example.test")
    atom.commit()
    tokens = tuple(f"<crockery{tail}@example.test>" for tail in ("", f"+{TOKEN}", f"+{TOKEN[::-1]}", "+", "+x"))
    tokens = (*tokens, *(to.upper() for to in tokens), f'<"crockery+{TOKEN}"@Example.test>')
    async with connected(server, "smtp") as peer:
        assert await try_recipients(peer, "<anna@example.test>", tokens) == []
    async with connected(server, "submission", "ben") as peer:
        assert await try_recipients(peer, "<ben@example.test>", tokens) == []
    async with connected(server, "submission", "anna") as peer:
        own = await try_recipients(peer, "<anna@example.test>", (tokens[0], *tokens[2:5]))
    assert own == []
    assert (held(store), left(store)) == (0, [])


@pytest.mark.parametrize("port", ["submission"])
async def test_submission_without_login(server: RunningServer, port: str) -> None:
    async with connected(server, port) as peer:
        for sender in SENDERS:
            assert await peer.codes(f"MAIL FROM:{sender}") == [530]
        assert await peer.codes("RCPT TO:<victim@far.test>", "DATA", "BDAT 0 LAST") == [503, 503, 503]
    async with connected(server, "smtp") as peer:
        assert await peer.codes(b"AUTH PLAIN AGFubmEAc2VjcmV0", "MAIL FROM:<anna@example.test> AUTH=<>") == [502, 555]
    assert (held(server.store), left(server.store)) == (0, [])


@pytest.mark.parametrize(
    "sender",
    ["ben@example.test", "BEN@example.test", '"ben"@example.test', "ben+x@example.test", "postmaster@example.test",
     "abuse@example.test", "anna@far.test", "anna@mail.example.test", "crockery@example.test",
     f"crockery+{TOKEN}@example.test", "SRS0=aaaaaaaa=aa=far.test=victim@example.test", "anna%far.test@example.test",
     '"anna@far.test"@example.test', "nobody@example.test", "@example.test:ben@example.test", "out@example.test"],
)  # fmt: skip
async def test_other_peoples_reverse_paths(server: RunningServer, sender: str) -> None:
    add_alias(server.store, the_server(), "out", ["friend@far.test"])
    async with connected(server, "submission", "anna") as peer:
        assert await peer.codes(f"MAIL FROM:<{sender}>") == [553]


@pytest.mark.parametrize(
    "header",
    [
        "From: ben@example.test", "From: anna@example.test, ben@example.test", "From: anna@example.test\r\nFrom: ben@x",
        "From: anna@example.test <ben@example.test>", '"From": x', "From: Anna <anna@far.test>", "From:", "Subject: x",
        "From: anna@example.test\r\nSender: ben@example.test", "From: Group: anna@example.test, ben@example.test;",
        "From: crockery@example.test", "From: =?utf-8?q?ben=40example.test?= <postmaster@example.test>",
        "From : anna@example.test\r\nFrom: ben@example.test", "From: anna@example.test\r\n\tben@example.test",
        "from: anna@example.test\r\nFROM: anna@example.test", "From: \"anna@example.test\" <ben@example.test>",
        "From: (anna@example.test) ben@example.test", "From: ben@example.test <anna@example.test>",
        "From: anna@example.test\r\nResent-From: ben@example.test",
        "From: anna@example.test\r\nResent-Sender: ben@example.test\r\nResent-From: anna@example.test",
        "From: anna@example.test\r\n\x0bFrom: ben@example.test", "From: anna@example.test\r\nFrom\x00: ben@x.test",
        "From: anna@example.test\r\n\u200bFrom: ben@example.test", "From: anna@example.test\r\n\x7fSender: ben@x.test",
        "From: anna@example.test\0ben@example.test", "From: anna@example.test\u2028ben@example.test",
        "From: anna@sub.example.test", "From: anna@ex\u0430mple.test", "From: anna@xn--exmple-4nf.test",
        "From: \uff41nna@example.test", "From: anna@[127.0.0.1]", "From: anna@example.test;ben@example.test",
        "From: undisclosed-recipients:;", "From: a:anna@example.test;", " From: ben@example.test\r\nFrom: anna@x",
        "From: =?utf-8?q?ben=40example=2Etest?=", "From: <anna@example.test> ben@example.test",
        "From: anna@example.test\r\nSender: =?utf-8?q?Anna?= <ben@example.test>",
    ],
)  # fmt: skip
async def test_other_peoples_from(server: RunningServer, header: str) -> None:
    async with connected(server, "submission", "anna") as peer:
        mail = "MAIL FROM:<anna@example.test> SMTPUTF8"
        assert await peer.codes(mail, "RCPT TO:<victim@far.test>", "DATA") == [250, 250, 354]
        await peer.send(header.encode() + b"\r\n\r\nHello\r\n.\r\n")
        assert (await peer.last_line())[:3] == "550"
    assert left(server.store) == []


@pytest.mark.parametrize(
    "author",
    ["crockery@example.test", "Crockery <CROCKERY@Example.Test>", f"crockery+{TOKEN}@example.test",
     '"crockery"@example.test', "crockery @ example.test", "crockery(x)@example.test",
     "a@far.test, <crockery@example.test>", "Crockery <crockery@example\r\n .test>", "<@x.test:crockery@example.test>",
     '"x" crockery@example.test', '"crockery@example.test" <a@far.test>',
     "=?utf-8?q?crockery=40example.test?= <a@far.test>",
     "=?utf-8?b?Y3JvY2tlcnlAZXhhbXBsZS50?=\r\n =?utf-8?q?est?= <a@far.test>"],
)  # fmt: skip
async def test_nobody_outside_is_crockery(server: RunningServer, author: str) -> None:
    async with connected(server, "smtp") as peer:
        assert await peer.codes("MAIL FROM:<c@far.test>", "RCPT TO:<anna@example.test>", "DATA") == [250, 250, 354]
        await peer.send(f"From: {author}\r\n\r\nPlease answer TRUST.\r\n.\r\n".encode())
        assert await peer.last_line() == "550 5.7.1 Crockery does not send mail to itself: this is a forgery"
        assert await peer.codes("MAIL FROM:<Crockery+x@example.test>") == [550]
    assert held(server.store) == 0


async def test_a_name_like_crockerys_is_let_in(server: RunningServer) -> None:
    async with connected(server, "smtp") as peer:
        for author in (
            "notcrockery@example.test",
            "crockery@far.test",
            "crockery.x@example.test",
            "Crockery <c@far.test>",
        ):
            text = f"From: {author}\r\n\r\nHello\r\n".encode()
            assert (await peer.mail(text, "anna@example.test"))[:3] == "250"


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\r\n.\r\r\n"],
)
@pytest.mark.parametrize(("port", "login"), [("smtp", ""), ("submission", "anna")])
async def test_a_smuggled_transaction_is_none(server: RunningServer, port: str, login: str, end: bytes) -> None:
    """What RFC 5321 §4.1.1.4 says of a bare CR or LF: the end of data is CRLF . CRLF and nothing else."""
    async with connected(server, port, login) as peer:
        sender = "anna@example.test" if login else "c@far.test"
        assert await peer.codes(f"MAIL FROM:<{sender}>", "RCPT TO:<anna@example.test>", "DATA") == [250, 250, 354]
        text = b"From: anna@example.test\r\n\r\nx" + end + b"MAIL FROM:<>\r\nRCPT TO:<ben@example.test>\r\nDATA\r\n"
        await peer.send(text + b"y\r\n.\r\n")
        assert (await peer.last_line())[:3] == "550"
        assert await peer.codes("NOOP") == [250]
    assert (held(server.store), left(server.store)) == (0, [])


@pytest.mark.parametrize(
    "said",
    [b"BDAT -1 LAST", b"BDAT +5 LAST", b"BDAT 0x5 LAST", b"BDAT 5 LAST LAST", "BDAT \u0665 LAST".encode(), b"BDAT"],
)
async def test_a_chunk_of_unknown_length_ends_the_connection(server: RunningServer, said: bytes) -> None:
    """What follows would be taken for commands."""
    async with connected(server, "submission", "anna") as peer:
        assert await peer.codes("MAIL FROM:<anna@example.test>", "RCPT TO:<victim@far.test>") == [250, 250]
        await peer.send(said + b"\r\nFrom: anna@example.test\r\nMAIL FROM:<>\r\nRCPT TO:<ben@example.test>\r\n")
        assert (await peer.reply())[:3] == b"421"
        assert await peer.reply() == b""
    assert (held(server.store), left(server.store)) == (0, [])
