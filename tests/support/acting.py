"""A model of mailboxes so simple that it is obviously right, and random actions done on it and on the real thing."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crockery.actions.accounts import add_account, remove_account
from crockery.actions.actor import Actor, the_server
from crockery.actions.erase import note_erased, retention_ended
from crockery.actions.errors import Refused
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, copy_messages, deliver, expunge, move_messages, store_flags
from crockery.actions.mailboxes import change_subscriptions, create_mailbox, delete_mailbox, rename_mailbox
from crockery.actions.store import Store
from crockery.events.opening import open_file
from crockery.events.types import Event, EventType
from crockery.events.types.server import HISTORY_RESUMED
from crockery.projections.mailboxes import Mailbox
from crockery.projections.state import State
from tests.support.logs import new_file, ticking

FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "Work", "later", "WORK")
NAMES = ("Work", "Work/2026", "Work/2026/May", "Räume", "Trash", "inbox", "A/B")
MONTH = 31 * 86400 * 1_000_000


class Message:
    """A message in a mailbox of the model."""

    def __init__(self, number: int, flags: set[str], size: int) -> None:
        self.number = number
        self.flags = flags
        """Folded to lower case."""
        self.size = size
        self.modseq = 0


class Acting:
    """A log in memory with an account, the events that were folded, and the model."""

    def __init__(self, folder: Path) -> None:
        self.file = new_file()
        self.state = State()
        self.events: list[tuple[int, int, EventType, Mapping[str, Any]]] = []
        self.ticks = ticking()
        self.leap = 0
        self.log = open_file(self.file, self._apply, self.clock, folder).log
        self.store = Store(self.log, self.state, self.clock)
        self.boxes: dict[int, dict[int, Message]] = {}
        """Mailbox id -> UID -> message."""
        self.actors = []
        for name in ("anna", "ben"):
            account = add_account(self.store, the_server(), name)
            self.actors.append(Actor(account.id, "imap", "192.0.2.1"))
        self._follow_mailboxes()
        self.cuts = [len(self.events)]

    def clock(self) -> int:
        return self.ticks() + self.leap

    def _apply(self, number: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
        self.events.append((number, time, kind, facts))
        self.state.apply(number, time, kind, facts)

    def act(self, seed: int) -> None:
        """Do one random action on both."""
        rng = random.Random(seed)
        verbs = (
            self._deliver, self._flags, self._copy, self._move, self._expunge, self._create, self._delete, self._rename,
            self._subscribe, self._resume, self._erase, self._remove_account,
        )  # fmt: skip
        weights = (16, 16, 8, 8, 10, 3, 2, 2, 2, 1, 2, 0.3)
        before = len(self.events)
        try:
            rng.choices(verbs, weights)[0](rng)
        except Refused:
            assert len(self.events) == before, "a refused action has left something"
        self._follow_mailboxes()
        if len(self.events) > before:
            self.cuts.append(len(self.events))
        self.check()

    def _follow_mailboxes(self) -> None:
        """Mailboxes that came and went, which is checked by their own tests."""
        ids = self.state.mailboxes.by_id.keys()
        self.boxes = {number: self.boxes.get(number, {}) for number in ids}

    def _any_box(self, rng: random.Random) -> Mailbox:
        boxes = list(self.state.mailboxes.by_id.values())
        return rng.choice(boxes[:2] if rng.random() < 0.7 else boxes)

    def _some(self, rng: random.Random, box: Mailbox) -> np.ndarray[Any, np.dtype[np.uint32]]:
        """Sorted UIDs: some that are there, some that are not."""
        uids = list(self.boxes[box.id])
        chosen = set(rng.sample(uids, rng.choice((0, len(uids), rng.randint(0, len(uids)))))) | {rng.randint(1, 30)}
        return np.array(sorted(chosen), dtype=np.uint32)

    def _actor(self, rng: random.Random) -> Actor:
        return rng.choice([a for a in self.actors if a.account in self.state.accounts.by_id])

    def _deliver(self, rng: random.Random) -> None:
        body = bytes(rng.randint(0, 50))
        boxes = [self._any_box(rng) for _ in range(rng.randint(1, 3))]
        flags = rng.sample(FLAGS[:5], rng.randint(0, 3))
        deliveries = [Delivery(box, b"T: %d\r\n" % n, flags) for n, box in enumerate(boxes)]
        uids = deliver(self.store, self._actor(rng), received(body), deliveries, via="smtp")
        first = self.log.head - len(boxes) + 1
        for n, (box, uid) in enumerate(zip(boxes, uids, strict=True)):
            assert uid > max(self.boxes[box.id], default=0)
            self.boxes[box.id][uid] = Message(first + n, {flag.lower() for flag in flags}, len(body) + 6)
            self.boxes[box.id][uid].modseq = first + n

    def _flags(self, rng: random.Random) -> None:
        box, sign = self._any_box(rng), rng.choice("+-=")
        uids, flags = self._some(rng, box), rng.sample(FLAGS, rng.randint(0, 3))
        at = store_flags(self.store, self._actor(rng), box, uids, sign, flags)
        changed = []
        for uid, message in self.boxes[box.id].items():
            if uid in uids:
                folded = {flag.lower() for flag in flags}
                new = {"+": message.flags | folded, "-": message.flags - folded, "=": folded}[sign]
                if new != message.flags:
                    message.flags, message.modseq = new, self.log.head
                    changed.append(uid)
        assert box.columns.uid[at].tolist() == changed

    def _copy(self, rng: random.Random) -> None:
        self._transfer(rng, is_move=False)

    def _move(self, rng: random.Random) -> None:
        self._transfer(rng, is_move=True)

    def _transfer(self, rng: random.Random, *, is_move: bool) -> None:
        source, destination = self._any_box(rng), self._any_box(rng)
        uids = self._some(rng, source)
        do = move_messages if is_move else copy_messages
        copied = do(self.store, self._actor(rng), source, uids, destination)
        moved = [uid for uid in self.boxes[source.id] if uid in uids]
        assert copied.source.tolist() == moved and copied.uidvalidity == destination.uidvalidity
        head = self.log.head - (1 if is_move else 0)
        taken = {uid: self.boxes[source.id][uid] for uid in moved}
        for n, message in enumerate(taken.values()):
            new = Message(message.number, set(message.flags), message.size)
            new.modseq = head
            self.boxes[destination.id][copied.first + n] = new
        if is_move:
            for uid in moved:
                del self.boxes[source.id][uid]

    def _expunge(self, rng: random.Random) -> None:
        box = self._any_box(rng)
        uids = self._some(rng, box) if rng.random() < 0.5 else None
        gone = expunge(self.store, self._actor(rng), box, uids)
        expected = [
            uid for uid, m in self.boxes[box.id].items() if "\\deleted" in m.flags and (uids is None or uid in uids)
        ]
        assert gone.tolist() == expected
        for uid in expected:
            del self.boxes[box.id][uid]

    def _create(self, rng: random.Random) -> None:
        actor = self._actor(rng)
        create_mailbox(self.store, actor, actor.account, rng.choice(NAMES))

    def _delete(self, rng: random.Random) -> None:
        actor = self._actor(rng)
        delete_mailbox(self.store, actor, actor.account, rng.choice(NAMES))

    def _rename(self, rng: random.Random) -> None:
        actor = self._actor(rng)
        old, new = rng.sample(NAMES, 2)
        inbox = self.state.mailboxes.find(actor.account, "INBOX")
        rename_mailbox(self.store, actor, actor.account, old, new)
        if old == "inbox" and inbox is not None:
            created = self.state.mailboxes.find(actor.account, new)
            assert created is not None
            messages = self.boxes[inbox.id].values()
            self.boxes[created.id] = dict(enumerate(messages, 1))
            for message in messages:
                message.modseq = self.log.head - 1
            self.boxes[inbox.id] = {}

    def _subscribe(self, rng: random.Random) -> None:
        actor = self._actor(rng)
        change_subscriptions(self.store, actor, actor.account, add=rng.choice(NAMES), remove=rng.choice(NAMES))

    def _resume(self, rng: random.Random) -> None:
        self.log.append([Event(HISTORY_RESUMED, {"reason": "", "jump": 1000, "uid_jump": 10})], jump=1000)
        for messages in self.boxes.values():
            for message in messages.values():
                message.modseq = self.log.head

    def _erase(self, rng: random.Random) -> None:
        self.leap += MONTH
        numbers = retention_ended(self.store, self.clock())
        if numbers:
            note_erased(self.store, numbers, "retention")
        assert not set(numbers) & self.needed_bodies(), "a body that is still needed was erased"
        assert set(self.state.retention.orphaned) <= self.known_bodies_of(self.needed_bodies())
        self.log.commit()

    def _remove_account(self, rng: random.Random) -> None:
        if len(self.state.accounts.by_id) > 1:
            actor = self._actor(rng)
            remove_account(self.store, the_server(), self.state.accounts.by_id[actor.account].name)

    # What must be so.

    def references(self) -> set[int]:
        """The messages that are in some mailbox."""
        return {message.number for box in self.boxes.values() for message in box.values()}

    def needed_bodies(self) -> set[int]:
        """The events with the bodies of these."""
        holders = {n: facts.get("body_of", n) for n, _, kind, facts in self.events if kind.name == "MessageReceived"}
        return {holders[number] for number in self.references()}

    def known_bodies_of(self, bodies: set[int]) -> set[int]:
        """All messages, in mailboxes or not, that share one of these bodies."""
        return {
            n
            for n, _, kind, facts in self.events
            if kind.name == "MessageReceived" and facts.get("body_of", n) in bodies
        }

    def check(self) -> None:
        """The columns and counts are the model's; orphans are the messages in no mailbox."""
        for box in self.state.mailboxes.by_id.values():
            messages = self.boxes[box.id]
            columns = box.columns
            assert columns.uid.tolist() == list(messages)
            assert columns.number.tolist() == [m.number for m in messages.values()]
            assert columns.modseq.tolist() == [m.modseq for m in messages.values()]
            assert columns.size.tolist() == [m.size for m in messages.values()]
            assert [{f.lower() for f in box.flags_of(int(word))} for word in columns.flags] == [
                m.flags for m in messages.values()
            ]
            assert box.unseen == sum("\\seen" not in m.flags for m in messages.values())
            assert box.deleted == sum("\\deleted" in m.flags for m in messages.values())
            assert box.octets == sum(m.size for m in messages.values())
            assert box.uidnext > max(messages, default=0)
            assert box.position >= max((m.modseq for m in messages.values()), default=0)
        arrived = {n for n, _, kind, _ in self.events if kind.name == "MessageReceived"}
        erased = {n for n in arrived if self.log.catalog.is_erased(n)}
        assert self.state.retention.orphaned.keys() == arrived - self.references() - erased
