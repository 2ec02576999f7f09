"""What a mailbox has lost, told exactly."""

from hypothesis import given
from hypothesis import strategies as st

from crockery.projections.mailboxes import Mailbox
from crockery.projections.vanished import Vanished


def test_since() -> None:
    vanished = Vanished()
    vanished.add(10, [5, 7, 20, 20])
    vanished.add(12, [8, 9])
    vanished.add(15, [1, 1])
    assert vanished.since(0).tolist() == [[1, 1], [5, 9], [20, 20]]
    assert vanished.since(10).tolist() == [[1, 1], [8, 9]]
    assert vanished.since(12).tolist() == [[1, 1]]
    assert vanished.since(15).tolist() == []


@given(st.lists(st.integers(1, 60), unique=True), st.integers(0, 70))
def test_every_uid_once_and_exactly(gone: list[int], after: int) -> None:
    vanished = Vanished()
    for sequence, uid in enumerate(gone, 1):
        vanished.add(sequence, [uid, uid])
    other = Vanished()
    other.load(vanished.dump())
    told = [uid for low, high in other.since(after).tolist() for uid in range(low, high + 1)]
    assert told == sorted(gone[after:])


def test_resumed_history_takes_back_the_numbers_that_were_left_out() -> None:
    mailbox = Mailbox(1, 0, "INBOX", 1, None)
    facts = {"flags": [], "size": 1, "prefix": b"", "uid": 1, "date": 0}
    mailbox.receive(2, 0, facts)
    mailbox.resume(1000, 100)
    assert mailbox.uidnext == 102
    assert mailbox.vanished.since(2).tolist() == [[2, 101]]
    assert mailbox.vanished.since(1000).tolist() == []
