"""The whole story of a held message: asked, answered in every way, undone, reminded, given up."""

import re
from collections.abc import Mapping

import pytest
import trio
from trio.testing import MockClock

from crockery.actions.actor import Actor
from crockery.actions.incoming import IncomingBody
from crockery.app.asking import AskingTask
from crockery.assistant.conversation import Answering
from crockery.delivery.header import Header, find_header_end
from crockery.delivery.intake import Message
from crockery.delivery.sending.ways import Obstacle, Wanted
from crockery.projections.queue import Leave, RecipientState
from tests.delivery.sending.conftest import Sending
from tests.support.queue import enqueue

DAY = 86400
NO_TLS = {"kind": "no-tls", "host": "mx.x.test", "reason": "the server does not offer TLS", "fault": "no-tls"}
SPKI = "ab" * 32
WRONG_NAME = {
    "kind": "certificate", "host": "mx.x.test", "reason": "nothing vouches for it", "fault": "wrong-name",
    "spki": SPKI, "names": ["other.test"], "issuer": "CN=Some CA", "not_before": 1, "not_after": 2_000_000_000,
}  # fmt: skip
POLICY = {"kind": "policy", "host": "mx.x.test", "reason": "not named", "fault": "mx-not-named", "policy": "MTA-STS"}


class Talk:
    """anna writes to a@x.test, where `problem` is in the way, and answers what she is asked."""

    def __init__(self, sending: Sending, problem: Mapping[str, object]) -> None:
        self.sending = sending
        sending.start_notices("example.test", "anna")
        sending.nursery.start_soon(AskingTask(sending.store, sending.writer).run)
        self.answering = Answering(sending.store)
        account = sending.store.state.accounts.find("anna")
        assert account is not None
        self.anna = Actor(account.id, "submission", "192.0.2.1")
        self.side = sending.world["x.test"]
        self.block(problem)

    def block(self, problem: Mapping[str, object]) -> None:
        """From now on this is in the way."""
        self.side.obstacle = Obstacle("held", enhanced="4.7.5", text=str(problem["reason"]), problem=problem)

    def open_for_insecure(self) -> None:
        """The way is as bad as before, and good enough for what may go so insecurely."""
        obstacle = self.side.obstacle
        assert obstacle is not None and obstacle.problem is not None
        is_grave = obstacle.problem["kind"] == "policy"
        dial = type(self.side).connect

        async def connect(wanted: Wanted) -> object:
            will_do = wanted is Wanted.ANY or (wanted is Wanted.UNVERIFIED and not is_grave)
            self.side.obstacle = None if will_do else obstacle
            return await dial(self.side, wanted)

        self.side.connect = connect  # type: ignore[method-assign,assignment]

    async def write(self, *recipients: str) -> int:
        """anna sends a mail; returns once she was asked."""
        number = enqueue(self.sending.store, *(recipients or ("a@x.test",)), actor=self.anna)
        await self.sending.until(lambda: bool(self.mails))
        return number

    @property
    def mails(self) -> list[str]:
        """What is in anna's INBOX."""
        return [mail.decode() for mail in self.sending.inbox("anna")]

    def answer(self, text: str, *, to: int = -1, head: str = "", path: str = "anna@example.test") -> str:
        """anna answers a mail of hers; returns the subject of what came back, "" if nothing did."""
        before = len(self.mails)
        found = re.search(r"Reply-To:.*?<([^>]+)>", self.mails[to], re.DOTALL)
        assert found is not None
        token = found[1].partition("@")[0].removeprefix("crockery+")
        question = self.sending.store.state.questions.by_token[token]
        data = f"From: anna@example.test\r\nTo: {found[1]}\r\n{head}\r\n{text}\r\n".encode()
        end = find_header_end(data)
        assert end
        body = IncomingBody(self.sending.store)
        body.write(data)
        message = Message(Header(data[:end]), body.finish(), "2@example.test", False)
        self.answering.take(self.anna, question, message, path)
        return subject(self.mails[-1]) if len(self.mails) > before else ""


def subject(mail: str) -> str:
    found = re.search(r"^Subject: (.*?)\r\n(?! )", mail, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1].replace("\r\n", "")


async def test_the_question(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, WRONG_NAME)
    number = await talk.write("a@x.test", "b@x.test", "c@good.test")
    await trio.sleep(300)
    (mail,) = talk.mails
    assert mail.startswith("Return-Path: <>\r\n")
    assert "From: Crockery <crockery@example.test>" in mail
    assert "In-Reply-To: <1@example.test>" in mail
    assert "Auto-Submitted: auto-generated" in mail
    assert "a@x.test" in mail and "b@x.test" in mail and "c@good.test" not in mail
    assert "other.test" in mail
    (question,) = sending.store.state.questions.by_id.values()
    assert question.message == number and set(question.problems) == {"x.test"}


async def test_asked_as_soon_as_the_others_are_done(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, WRONG_NAME)
    sending.world["slow.test"].dial_time = 5.0
    begin = trio.current_time()
    await talk.write("a@x.test", "c@slow.test")
    assert 5 <= trio.current_time() - begin < 10


async def test_send(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    talk.open_for_insecure()
    assert talk.answer("Yes please just send it!\r\n\r\n> quoted").startswith("Sending")
    await sending.until_empty()
    assert sending.states(number) == {"a@x.test": "RELAYED"}
    assert not sending.store.state.trust.grants
    assert talk.answer("UNDO").startswith("Too late")
    await talk_again_is_asked_again(talk)


async def talk_again_is_asked_again(talk: Talk) -> None:
    """The next mail to the same domain is a question of its own."""
    await trio.sleep(5)  # the connection is not kept
    before = len(talk.mails)
    enqueue(talk.sending.store, "a@x.test", actor=talk.anna)
    await talk.sending.until(lambda: len(talk.mails) > before)
    assert subject(talk.mails[-1]).startswith("Not sent yet")


@pytest.mark.parametrize(("text", "subject"), [("send", "Sending"), ("Don't send", "Please say it again")])
async def test_an_answer_with_much_attached(
    autojump_clock: MockClock, sending: Sending, text: str, subject: str
) -> None:
    """It is in the log, in parts, before it is read."""
    talk = Talk(sending, NO_TLS)
    await talk.write()
    attached = "\r\n".join(["A" * 76] * 40_000)
    parts = f"--b\r\n\r\n{text}\r\n--b\r\nContent-Type: image/png\r\n\r\n{attached}\r\n--b--"
    assert talk.answer(parts, head="Content-Type: multipart/mixed; boundary=b\r\n").startswith(subject)


async def test_send_undone_in_time(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    talk.side.dial_time = 10.0
    assert talk.answer("send").startswith("Sending")
    await trio.sleep(1)
    assert talk.answer("undo").startswith("Undone")
    await trio.sleep(100)
    assert sending.states(number) == {"a@x.test": "HELD_INSECURE"}
    assert len(talk.mails) == 3
    assert talk.answer("cancel", to=0).startswith("Cancelled")


async def test_cancel_and_undo(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    assert talk.answer("Cancel, please.").startswith("Cancelled")
    assert sending.states(number) == {"a@x.test": "CANCELLED"}
    assert talk.answer("send", to=0).startswith("Too late")
    assert talk.answer("undo", to=1).startswith("Undone")
    assert sending.states(number) == {"a@x.test": "DUE"}
    await sending.until(lambda: sending.states(number) == {"a@x.test": "HELD_INSECURE"})
    assert talk.answer("undo", to=1).startswith("Too late")


async def test_a_cancel_cannot_be_undone_after_seven_days(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    assert talk.answer("cancel").startswith("Cancelled: ")
    await trio.sleep(7 * DAY + 1)
    assert talk.answer("undo").startswith("Too late: ")
    assert sending.states(number) == {"a@x.test": "CANCELLED"}
    assert not sending.store.state.queue.by_id


async def test_retry(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    assert talk.answer("retry").startswith("Trying again")
    await trio.sleep(100)
    assert sending.states(number) == {"a@x.test": "HELD_INSECURE"}
    assert len(talk.mails) == 2
    talk.side.obstacle = None
    talk.answer("retry", to=0)
    assert await sending.until_empty() < 1


@pytest.mark.parametrize(("problem", "spki"), [(WRONG_NAME, SPKI), (NO_TLS, "")])
async def test_trust(autojump_clock: MockClock, sending: Sending, problem: Mapping[str, object], spki: str) -> None:
    talk = Talk(sending, problem)
    await talk.write()
    other = enqueue(sending.store, "b@x.test", actor=talk.anna)
    await sending.until(lambda: len(talk.mails) == 2)
    talk.side.obstacle = None
    assert talk.answer("trust x.test").startswith("Sending")
    assert await sending.until_empty() < 1
    assert sending.states(other) == {"b@x.test": "RELAYED"}
    (grant,) = sending.store.state.trust.of_domain("x.test")
    assert (grant.host, grant.spki, grant.is_plain) == ("mx.x.test" if spki else "", spki, not spki)
    assert talk.answer("undo").startswith("Undone")
    assert not sending.store.state.trust.grants


async def test_another_key_asks_again(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, WRONG_NAME)
    await talk.write()
    talk.side.obstacle = None
    talk.answer("trust x.test")
    await sending.until_empty()
    await trio.sleep(5)  # the connection is not kept
    talk.block({**WRONG_NAME, "kind": "changed", "spki": "cd" * 32})
    enqueue(sending.store, "a@x.test", actor=talk.anna)
    await sending.until(lambda: len(talk.mails) == 3)
    assert "trusted until now:" in talk.mails[-1] and "shown now:" in talk.mails[-1]
    talk.answer("trust x.test")
    assert [grant.spki for grant in sending.store.state.trust.of_domain("x.test")] == ["cd" * 32]


async def test_a_broken_policy_is_never_trusted(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, POLICY)
    number = await talk.write()
    assert talk.answer("trust x.test").startswith("Please say it again")
    assert not sending.store.state.trust.grants
    assert sending.states(number) == {"a@x.test": "HELD_INSECURE"}
    talk.open_for_insecure()
    assert talk.answer("send", to=0).startswith("Sending")
    await sending.until_empty()


@pytest.mark.parametrize(
    ("first", "then", "said", "counts"),
    [
        (WRONG_NAME, POLICY, "send", False),
        (WRONG_NAME, NO_TLS, "send", False),
        (NO_TLS, WRONG_NAME, "send", False),
        (WRONG_NAME, {**WRONG_NAME, "spki": "cd" * 32}, "send", True),
        (WRONG_NAME, {**WRONG_NAME, "spki": "cd" * 32}, "trust x.test", False),
        (NO_TLS, POLICY, "trust x.test", False),
        (WRONG_NAME, POLICY, "cancel", True),
        (WRONG_NAME, POLICY, "retry", True),
    ],
)
async def test_an_answer_is_for_the_question_it_was_given_to(
    autojump_clock: MockClock,
    sending: Sending,
    first: dict[str, object],
    then: dict[str, object],
    said: str,
    counts: bool,
) -> None:
    talk = Talk(sending, first)
    number = await talk.write()
    talk.block(then)
    await sending.until(lambda: len(talk.mails) == 2)
    assert subject(talk.mails[1]).startswith("Not sent yet")
    done = talk.answer(said, to=0)
    assert done.startswith("Please answer the newer question") is not counts
    leave = sending.store.state.queue.find(number).recipients[0].insecure  # type: ignore[union-attr]
    assert leave is (Leave.UNVERIFIED if counts and said == "send" else Leave.NONE)
    assert not sending.store.state.trust.grants


async def test_send_was_not_said_of_a_policy_that_breaks_later(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, WRONG_NAME)
    number = await talk.write()
    talk.block(POLICY)
    talk.open_for_insecure()
    assert talk.answer("send").startswith("Sending")
    await sending.until(lambda: len(talk.mails) == 3)
    assert subject(talk.mails[2]).startswith("Not sent yet") and "MTA-STS" in talk.mails[2]
    assert sending.states(number) == {"a@x.test": "HELD_INSECURE"}
    assert talk.answer("send", to=2).startswith("Sending")
    await sending.until_empty()
    assert sending.states(number) == {"a@x.test": "RELAYED"}


@pytest.mark.parametrize("text", ["Don't send!", "send me the bill", "", "trust other.test", "undo", "What?"])
async def test_unsure(autojump_clock: MockClock, sending: Sending, text: str) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    assert talk.answer(text).startswith("Please say it again")
    assert sending.states(number) == {"a@x.test": "HELD_INSECURE"}
    assert talk.answer("cancel").startswith("Cancelled")


@pytest.mark.parametrize(
    ("head", "path"), [("Auto-Submitted: auto-replied\r\n", "anna@example.test"), ("", ""), ("List-Id: <x>\r\n", "a@b")]
)
async def test_programs_do_not_answer(autojump_clock: MockClock, sending: Sending, head: str, path: str) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    assert talk.answer("send", head=head, path=path) == ""
    assert sending.states(number) == {"a@x.test": "HELD_INSECURE"}


async def test_reminders_and_the_end(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    number = await talk.write()
    await trio.sleep(3 * DAY + 70)
    assert len(talk.mails) == 2
    await trio.sleep(3 * DAY)
    assert len(talk.mails) == 3
    assert [subject(mail).split(":")[0] for mail in talk.mails[1:]] == ["Still not sent"] * 2
    tokens = {re.search(r"crockery\+\w+", mail)[0] for mail in talk.mails}  # type: ignore[index]
    assert len(tokens) == 1
    await trio.sleep(DAY + 70)
    assert len(talk.mails) == 4
    assert "There was no secure way to send it in time" in talk.mails[-1].replace("\r\n", " ").replace("= ", "")
    assert sending.states(number) == {"a@x.test": "FAILED"}
    assert talk.answer("send", to=0).startswith("Too late")


@pytest.mark.parametrize("origin", ["notice", "forward"])
async def test_who_is_asked(autojump_clock: MockClock, sending: Sending, origin: str) -> None:
    talk = Talk(sending, NO_TLS)
    account = talk.anna if origin == "forward" else None
    number = enqueue(sending.store, "a@x.test", actor=account, origin=origin, reverse_path="z@far.test")
    await trio.sleep(300)
    assert len(talk.mails) == (origin == "forward")
    message = sending.store.state.queue.by_id[number]
    assert message.recipients[0].state is RecipientState.HELD_INSECURE


async def test_a_restart_asks_no_second_time(autojump_clock: MockClock, sending: Sending) -> None:
    talk = Talk(sending, NO_TLS)
    await talk.write()
    sending.nursery.start_soon(AskingTask(sending.store, sending.writer).run)
    await trio.sleep(DAY)
    assert len(talk.mails) == 1
