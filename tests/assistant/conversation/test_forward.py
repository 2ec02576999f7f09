"""A forward for which there is no secure way: whoever set it is asked, not the stranger who wrote."""

from trio.testing import MockClock

from crockery.actions.accounts import set_forward
from crockery.actions.actor import the_server
from crockery.app.asking import AskingTask
from crockery.delivery.sending.ways import Obstacle
from tests.assistant.conversation.test_conversation import NO_TLS
from tests.delivery.sending.conftest import Sending
from tests.delivery.sending.test_here import hand_in


async def test_the_owner_of_a_forward_is_asked(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "ben")
    sending.nursery.start_soon(AskingTask(sending.store, sending.writer).run)
    set_forward(sending.store, the_server(), "ben", "ben@far.test")
    sending.world["far.test"].obstacle = Obstacle("held", text="no TLS", problem=NO_TLS | {"host": "mx.far.test"})
    hand_in(sending, "ben@example.test", sender="c@near.test")
    await sending.until(lambda: len(sending.inbox("ben")) == 2)
    question = sending.inbox("ben")[1]
    assert b"From: Crockery <crockery@example.test>" in question and b"ben@far.test" in question
    assert b"from anna@example.test has not been sent to" in b" ".join(question.split())
    (asked,) = sending.store.state.questions.by_id.values()
    assert asked.account == sending.store.state.accounts.by_name["ben"].id
    assert not sending.world["near.test"].mails
