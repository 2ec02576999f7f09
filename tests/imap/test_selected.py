"""The view of the selected mailbox: a client that believes what it is told is right, whatever happens meanwhile."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery.events.ranges import pack_numbers, pack_ranges
from crockery.imap.features import Features
from crockery.imap.recent import Recents, add_range, in_ranges
from crockery.imap.selected import Selected, find_sorted
from crockery.imap.wire.sequence import SequenceSet
from crockery.projections.mailboxes import Mailbox


class Box:
    """A mailbox and the events that happen to it."""

    def __init__(self) -> None:
        self.mailbox = Mailbox(1, 0, "INBOX", 1, None)
        self.sequence = 1

    def receive(self) -> None:
        self.sequence += 1
        facts = {"flags": [], "size": 10, "prefix": b"", "uid": self.mailbox.uidnext, "date": 0}
        self.mailbox.receive(self.sequence, 0, facts)

    def flag(self, uid: int, name: str, sign: str) -> None:
        self.sequence += 1
        changes = {name: [uid, uid]}
        added, removed = (changes, {}) if sign == "+" else ({}, changes)
        self.mailbox.change_flags(self.sequence, {"added": added, "removed": removed})

    def expunge(self, uids: list[int]) -> None:
        self.sequence += 1
        gone = np.array(uids, dtype=np.uint32)
        self.mailbox.expunge(self.sequence, {"uids": pack_ranges(gone), "numbers": pack_numbers(gone)})


class Believer:
    """A client: it has a list of messages, and does what responses say."""

    def __init__(self, selected: Selected) -> None:
        self.selected = selected
        self.uids: list[int] = selected.uids.tolist()
        self.flags = [self.flags_now(uid) for uid in self.uids]

    def flags_now(self, uid: int) -> bytes:
        mailbox = self.selected.mailbox
        (row,) = find_sorted(mailbox.columns.uid, np.array([uid], dtype=np.uint32))
        return " ".join(mailbox.flags_of(int(mailbox.columns.flags[row]))).encode()

    def hear(self, told: bytes) -> None:
        for line in told.split(b"\r\n"):
            words = line.split(b" ", 3)
            if line.endswith(b" EXPUNGE"):
                del self.uids[int(words[1]) - 1], self.flags[int(words[1]) - 1]
            elif line.endswith(b" EXISTS"):
                count = int(words[1])
                assert count >= len(self.uids), "EXISTS never makes it less"
                new = self.selected.uids[len(self.uids) : count].tolist()
                self.uids += new
                self.flags += [self.flags_now(uid) for uid in new]  # a client fetches what is new
            elif line[:2] == b"* " and b"FETCH (FLAGS (" in line:
                text = line.partition(b"(FLAGS (")[2][:-2]
                self.flags[int(words[1]) - 1] = text.replace(b" \\Recent", b"").replace(b"\\Recent", b"")


FLAGS = ["\\Seen", "\\Flagged", "work"]
STEPS = st.lists(
    st.one_of(
        st.just(("receive",)),
        st.tuples(st.just("flag"), st.integers(0, 30), st.sampled_from(FLAGS), st.sampled_from("+-")),
        st.tuples(st.just("expunge"), st.lists(st.integers(0, 30), min_size=1, max_size=5)),
        st.tuples(st.just("tell"), st.booleans()),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_a_client_that_believes_is_right(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    box = Box()
    for _ in range(3):
        box.receive()
    selected = Selected(box.mailbox, Recents(0), read_only=False, features=Features())
    client = Believer(selected)
    for step in steps:
        there = box.mailbox.columns.uid.tolist()
        match step:
            case ("receive",):
                box.receive()
            case ("flag", which, name, sign) if there:
                box.flag(there[which % len(there)], name, sign)
            case ("expunge", which) if there:
                box.expunge(sorted({there[at % len(there)] for at in which}))
            case ("tell", expunge):
                before = len(client.uids)
                told = selected.tell(expunge=expunge)
                client.hear(told)
                assert expunge or (b"EXPUNGE" not in told and len(client.uids) >= before)
                assert client.uids == selected.uids.tolist()
    client.hear(selected.tell(expunge=True))
    assert client.uids == box.mailbox.columns.uid.tolist()
    assert client.flags == [client.flags_now(uid) for uid in client.uids]
    assert selected.tell(expunge=True) == b""


def test_messages_that_are_gone_have_no_row() -> None:
    box = Box()
    for _ in range(4):
        box.receive()
    selected = Selected(box.mailbox, Recents(0), read_only=False, features=Features())
    box.expunge([2])
    indices, rows = selected.rows(np.arange(4))
    assert indices.tolist() == [0, 2, 3]
    assert rows.tolist() == [0, 1, 2]
    assert selected.missed


def test_saved_results_lose_what_is_expunged() -> None:
    box = Box()
    for _ in range(4):
        box.receive()
    selected = Selected(box.mailbox, Recents(0), read_only=False, features=Features())
    selected.saved = selected.uids[1:]
    box.expunge([3])
    selected.tell(expunge=True)
    assert selected.uids[selected.indices(SequenceSet(saved=True), uid=True)].tolist() == [2, 4]


def test_own_changes_are_not_told_but_others_before_them_are() -> None:
    box = Box()
    box.receive()
    box.receive()
    selected = Selected(box.mailbox, Recents(9), read_only=False, features=Features())
    box.flag(1, "\\Seen", "+")
    assert selected.changed_by_others().tolist() == [0]
    assert selected.changed_by_others().tolist() == []
    box.flag(1, "\\Draft", "+")
    selected.know(box.mailbox.position)
    assert selected.tell(expunge=True) == b""
    box.flag(1, "\\Draft", "-")
    assert selected.tell(expunge=True) == b"* 1 FETCH (FLAGS (\\Seen))\r\n"


def test_recent_is_claimed_once() -> None:
    box = Box()
    box.receive()
    recents = Recents(box.sequence)
    box.receive()
    assert recents.count(box.mailbox) == 1
    looking = Selected(box.mailbox, recents, read_only=True, features=Features())
    first = Selected(box.mailbox, recents, read_only=False, features=Features())
    second = Selected(box.mailbox, recents, read_only=False, features=Features())
    assert [view.recent_count() for view in (looking, first, second)] == [1, 1, 0]
    assert recents.count(box.mailbox) == 0
    box.receive()
    assert b"* 1 RECENT" in second.tell(expunge=True)
    assert b"* 1 RECENT" in first.tell(expunge=True)
    assert b"* 1 RECENT" in looking.tell(expunge=True)


def test_ranges_grow_together() -> None:
    ranges: list[tuple[int, int]] = []
    for new in ((1, 3), (3, 3), (3, 5), (7, 9)):
        add_range(ranges, new)
    assert ranges == [(1, 5), (7, 9)]
    assert in_ranges(np.array([1, 4, 5, 8, 9], dtype=np.uint32), ranges).tolist() == [True, True, False, True, False]


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)))
def test_find_sorted(column: set[int], wanted: set[int]) -> None:
    have = np.array(sorted(column), dtype=np.uint32)
    found = find_sorted(have, np.array(sorted(wanted), dtype=np.uint32))
    assert have[found].tolist() == sorted(column & wanted)
