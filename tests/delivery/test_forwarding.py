"""Mail that goes on elsewhere: what leaves, under which reverse-path, and how its bounces come back."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from crockery.actions.accounts import add_alias, set_forward
from crockery.actions.actor import Actor
from crockery.actions.incoming import received
from crockery.actions.signing import ensure_srs_key
from crockery.actions.store import Store
from crockery.assistant.forward_letter import ForwardLetters
from crockery.delivery.accept import Assistance, accept
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.forwarding import sender_behind
from crockery.delivery.header import Header
from crockery.delivery.inbound import INBOUND
from crockery.delivery.intake import Message
from crockery.delivery.policy import KeptBack
from crockery.delivery.submission import SUBMISSION
from crockery.events.types.queue import FORWARD_KEPT
from crockery.limits import FORWARD_TOLD_AGAIN, SRS_MAX_AGE
from crockery.projections.accounts import Forward
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox, Reply, parse_mailbox, replies
from tests.support.smtp_session import make_store, the_server
from tests.support.store import messages

DATA = b"From: c@client.test\r\nSubject: x\r\nTLS-Required: No\r\n\r\nHello\xff\r\n"
MESSAGE = Message(Header(DATA), received(DATA), "1@client.test", True)
STRANGER = Client("192.0.2.7", "client.test", True, "")
FRIEND = "friend@elsewhere.test"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path / "x.crk")
    add_alias(store, the_server(), "info", ["anna", FRIEND])
    add_alias(store, the_server(), "out", [FRIEND])
    yield store
    store.log.file.close()


def envelope(*recipients: str, sender: str = "c@client.test", client: Client = STRANGER, **more: Any) -> Envelope:
    path = parse_mailbox(sender) if sender else None
    return Envelope(client, path, recipients=[parse_mailbox(recipient) for recipient in recipients], **more)


def queued(store: Store) -> list[Mapping[str, Any]]:
    """The facts of what waits in the queue."""
    return [store.log.read_facts(number) for number in store.state.queue.by_id]


def come_in(store: Store, mail: Envelope, message: Message = MESSAGE) -> int | Reply:
    """Through all checks of the MX port."""
    for recipient in mail.recipients:
        refusal = INBOUND.check_recipient(store, mail, recipient)
        if refusal is not None:
            return refusal
    return INBOUND.check_content(store, mail, message.header) or accept(store, INBOUND, the_server(), mail, message)


def test_a_forward_and_a_copy_here(store: Store) -> None:
    number = come_in(store, envelope("info@example.test", "anna@example.test"))
    assert isinstance(number, int)
    (copy,) = messages(store, "anna")
    (facts,) = queued(store)
    postmaster = store.state.accounts.postmaster
    assert postmaster is not None
    assert (facts["account"], facts["origin"], facts["recipients"]) == (postmaster.id, "forward", [FRIEND])
    assert facts["reverse_path"].startswith("SRS0=") and facts["reverse_path"].endswith("=client.test=c@example.test")
    assert (facts["body"], facts["body_of"]) == ("8BITMIME", number)
    assert "tls_optional" not in facts
    prefix, body = store.log.read_message(next(iter(store.state.queue.by_id)))
    assert body == DATA and copy.endswith(DATA)
    assert prefix.startswith(b"Delivered-To: info@example.test\r\nReceived: from client.test ([192.0.2.7]) by ")
    assert b"Return-Path" not in prefix
    assert facts["options"] == {FRIEND: {"orcpt": "rfc822;info@example.test"}}


def test_a_forward_alone(store: Store) -> None:
    set_forward(store, the_server(), "ben", "ben@elsewhere.test", keep=False)
    assert isinstance(come_in(store, envelope("ben+x@example.test")), int)
    assert messages(store, "ben") == []
    (facts,) = queued(store)
    ben = store.state.accounts.by_name["ben"]
    assert (facts["account"], facts["recipients"]) == (ben.id, ["ben@elsewhere.test"])
    assert "body_of" not in facts
    assert facts["prefix"].startswith(b"Delivered-To: ben@example.test\r\n")


def test_each_address_gets_it_once(store: Store) -> None:
    set_forward(store, the_server(), "anna", FRIEND)
    come_in(store, envelope("info@example.test", "out@example.test", "anna@example.test"))
    assert len(messages(store, "anna")) == 1
    assert [facts["recipients"] for facts in queued(store)] == [[FRIEND]]


def test_own_and_null_reverse_paths_stay(store: Store) -> None:
    anna = store.state.accounts.by_name["anna"]
    inside = Client("192.0.2.7", "pc", True, "", anna.id)
    mail = envelope("out@example.test", sender="anna@example.test", client=inside)
    accept(store, SUBMISSION, Actor(anna.id, "submission"), mail, MESSAGE)
    come_in(store, envelope("out@example.test", sender=""))
    assert [facts["reverse_path"] for facts in queued(store)] == ["anna@example.test", ""]


def test_requiretls_and_notifications_go_along(store: Store) -> None:
    asked: Any = {"info@example.test": {"notify": ["SUCCESS", "DELAY"], "orcpt": "rfc822;i@old.test"}}
    come_in(store, envelope("info@example.test", options=asked, requiretls=True, envid="E", ret="HDRS"))
    forward, arrived = queued(store)
    assert (forward["requiretls"], forward["envid"], forward["ret"]) == (True, "E", "HDRS")
    assert forward["options"] == {FRIEND: {"notify": ["DELAY"], "orcpt": "rfc822;i@old.test"}}
    assert (arrived["origin"], arrived["recipients"]) == ("received", ["info@example.test"])
    asked = {"out@example.test": {"notify": ["SUCCESS"]}}
    come_in(store, envelope("out@example.test", options=asked))
    assert queued(store)[-1]["options"][FRIEND]["notify"] == ["SUCCESS"]


def test_a_loop_dies(store: Store) -> None:
    for address in ("info", "out", "anna"):
        again = b"Delivered-To: %s@Example.test\r\n%s" % (address.encode(), DATA)
        message = MESSAGE._replace(header=Header(again), body=received(again))
        assert come_in(store, envelope(f"{address}@example.test"), message) is replies.MAIL_LOOP
    hops = b"Received: x\r\n" * 101 + DATA
    message = MESSAGE._replace(header=Header(hops), body=received(hops))
    assert come_in(store, envelope("out@example.test"), message) is replies.MAIL_LOOP


DMARC = KeptBack("dmarc", "client.test asks all servers to refuse mail that is not signed by it, and this is not.")


class Holding:
    """A policy of the MX port with an `OnwardCheck` that lets nothing from client.test go on."""

    def __init__(self) -> None:
        self.policy = dataclasses.replace(INBOUND, onward=(self._anything_goes, self._hold))
        self.asked: list[tuple[str, str]] = []

    def _anything_goes(self, store: Store, envelope: Envelope, header: Header, forward: Forward) -> KeptBack | None:
        return None

    def _hold(self, store: Store, envelope: Envelope, header: Header, forward: Forward) -> KeptBack | None:
        self.asked.append((header.values(b"from")[0].decode(), forward.address))
        return DMARC if b"client.test" in header.values(b"from")[0] else None

    def come_in(self, store: Store, *to: str, message: Message = MESSAGE) -> int | Reply:
        return accept(
            store, self.policy, the_server(), envelope(*to), message, Assistance(letters=ForwardLetters(store))
        )


def test_what_must_not_go_on_stays_with_the_owner_who_is_told_once_a_day(store: Store) -> None:
    holding = Holding()
    number = holding.come_in(store, "out@example.test")
    kept, letter = messages(store, "postmaster")
    assert kept.endswith(DATA) and not store.state.queue.by_id
    assert holding.asked == [("c@client.test", FRIEND)]
    text = letter.decode()
    assert f"Subject: A mail was not forwarded to {FRIEND}" in text
    assert f"Mail to out@example.test is forwarded to {FRIEND}. This one was not:" in " ".join(text.split())
    assert "  From: c@client.test\r\n  Subject: x\r\n" in text
    assert DMARC.reason in " ".join(text.split())
    batch = store.log._batch
    assert batch is not None
    told = batch.appended[-1]
    assert (told.type, told.facts["message"], told.facts["why"]) == (FORWARD_KEPT, number, "dmarc")
    assert told.facts["told"] == store.log.head - 1
    holding.come_in(store, "out@example.test")
    assert len(messages(store, "postmaster")) == 3
    tomorrow = Store(store.log, store.state, lambda: store.clock() + (FORWARD_TOLD_AGAIN + 60) * 1_000_000)
    holding.come_in(tomorrow, "out@example.test")
    assert len(messages(store, "postmaster")) == 5


def test_what_stays_for_an_account_and_beside_others(store: Store) -> None:
    set_forward(store, the_server(), "ben", "ben@there.test", keep=False)
    holding = Holding()
    holding.come_in(store, "ben@example.test", "info@example.test")
    assert len(messages(store, "ben")) == 2  # the mail and the letter
    assert len(messages(store, "anna")) == 1
    assert len(messages(store, "postmaster")) == 2  # it answers for the alias
    assert not store.state.queue.by_id
    again = State()
    again.load(store.state.dump())
    assert again.forwards.told == store.state.forwards.told and len(again.forwards.told) == 2


def test_others_go_on(store: Store) -> None:
    data = b"From: d@other.test\r\n\r\nHello\r\n"
    Holding().come_in(store, "out@example.test", message=Message(Header(data), received(data), "", False))
    assert [facts["recipients"] for facts in queued(store)] == [[FRIEND]]
    assert not messages(store, "postmaster")


def bounce_path(store: Store) -> str:
    come_in(store, envelope("out@example.test"))
    path: str = queued(store)[0]["reverse_path"]
    return path


def test_a_bounce_goes_back_to_the_sender(store: Store) -> None:
    path = bounce_path(store)
    before = len(store.state.queue.by_id)
    assert isinstance(come_in(store, envelope(path, path.upper(), "anna@example.test", sender="")), int)
    back = queued(store)[before:]
    assert [(facts["reverse_path"], facts["recipients"]) for facts in back] == [
        ("", ["c@client.test", "C@client.test"])
    ]
    assert len(messages(store, "anna")) == 1
    assert sender_behind(store, parse_mailbox(path)) == Mailbox("c", "client.test")
    assert sender_behind(store, parse_mailbox("d@other.test")) == Mailbox("d", "other.test")


def test_forged_old_and_sent_on_bounces_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bounce_path(store)
    local = path.partition("@")[0]
    assert come_in(store, envelope(path)) is replies.BOUNCES_ONLY
    for forged in (
        local.replace("client", "victim"),
        "SRS0=aaaaaaaa=aa=victim.test=v",
        "srs1=aaaaaaaaaa=v.test==x=y=z",
    ):
        assert come_in(store, envelope(f"{forged}@example.test", sender="")) is replies.NOT_OUR_BOUNCE
        assert sender_behind(store, Mailbox(forged, "example.test")) == Mailbox(forged, "example.test")
    late = Store(store.log, store.state, lambda: store.clock() + (SRS_MAX_AGE + 2) * 86_400_000_000)
    assert come_in(late, envelope(path, sender="")) is replies.NOT_OUR_BOUNCE
    mail = envelope(path, sender="")
    assert accept(late, INBOUND, the_server(), mail, MESSAGE) is replies.RECIPIENT_GONE


def test_before_the_first_forward_there_are_no_bounces(tmp_path: Path) -> None:
    store = make_store(tmp_path / "y.crk")
    mail = envelope("SRS0=aaaaaaaa=aa=victim.test=v@example.test", sender="")
    assert come_in(store, mail) is replies.NOT_OUR_BOUNCE
    assert not store.state.signing.srs_key
    ensure_srs_key(store)
    store.log.file.close()


def test_a_bounce_to_a_domain_that_became_ours_is_delivered(store: Store) -> None:
    from crockery.actions.settings import change_setting

    come_in(store, envelope("out@example.test", sender="anna@new.test"))
    path = queued(store)[0]["reverse_path"]
    change_setting(store, the_server(), "domain", "new.test")
    assert isinstance(come_in(store, envelope(path, sender="")), int)
    assert len(messages(store, "anna")) == 1
