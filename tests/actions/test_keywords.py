"""A mailbox has bits for so many keywords; what would need more is refused whole, wherever the keywords come from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from crockery.actions.actor import the_server
from crockery.actions.errors import Reason, Refused
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery, copy_messages, deliver, move_messages, store_flags
from crockery.actions.mailboxes import rename_mailbox
from crockery.actions.metadata import set_metadata
from crockery.events.types import Event
from crockery.projections.mailboxes import MAX_KEYWORDS, Mailbox
from tests.support.server import RunningServer, running_server

MANY = [f"k{number}" for number in range(MAX_KEYWORDS)]


def boxes(server: RunningServer, *names: str) -> list[Mailbox]:
    account = server.store.state.accounts.by_name["anna"].id
    found = [server.store.state.mailboxes.find(account, name) for name in names]
    return [box for box in found if box is not None]


async def test_no_more_than_there_are_bits(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        store, me = server.store, the_server()
        inbox, trash = boxes(server, "INBOX", "Trash")
        deliver(store, me, received(b"x\r\n"), [Delivery(inbox, b"", MANY)], via="server")
        deliver(store, me, received(b"x\r\n"), [Delivery(trash, b"", ["other"])], via="server")
        head = store.log.head
        one = np.array([1], dtype=np.uint32)
        for attempt in (
            lambda: deliver(store, me, received(b"x\r\n"), [Delivery(inbox, b"", ["one"])], via="server"),
            lambda: store_flags(store, me, inbox, one, "+", ["one"]),
            lambda: copy_messages(store, me, inbox, one, trash),
            lambda: move_messages(store, me, trash, one, inbox),
        ):
            with pytest.raises(Refused) as caught:
                attempt()
            assert caught.value.reason is Reason.LIMIT
        assert store.log.head == head
        copy_messages(store, me, inbox, one, inbox)
        deliver(store, me, received(b"x\r\n"), [Delivery(inbox, b"", ["K1", "\\Seen"])], via="server")
        assert inbox.flags_of(int(inbox.columns.flags[2])) == ["\\Seen", "k1"]


async def test_those_of_one_atom_count_together(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        store, me = server.store, the_server()
        (inbox,) = boxes(server, "INBOX")
        atom = store.atom(me)
        add_delivery(store, atom, received(b"x\r\n"), [Delivery(inbox, b"", MANY[:30])], via="append")
        add_delivery(store, atom, received(b"x\r\n"), [Delivery(inbox, b"", MANY[20:])], via="append")
        with pytest.raises(Refused):
            add_delivery(store, atom, received(b"x\r\n"), [Delivery(inbox, b"", ["one"])], via="append")


async def test_renaming_inbox_is_one_atom_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        store, me = server.store, the_server()
        (inbox,) = boxes(server, "INBOX")
        for flags in (["a", "b"], ["b", "\\Seen"]):
            deliver(store, me, received(b"x\r\n"), [Delivery(inbox, b"", flags)], via="server")
        set_metadata(store, me, inbox.account, inbox, {"/shared/comment": b"kept"})
        appended: list[int] = []
        append = store.log.append

        def counting(events: Sequence[Event]) -> int:
            appended.append(len(events))
            return append(events)

        monkeypatch.setattr(store.log, "append", counting)
        rename_mailbox(store, me, inbox.account, "INBOX", "old/mail")
        assert appended == [5], "two mailboxes, the annotations, the copy, the expunge"
        (old,) = boxes(server, "old/mail")
        assert (len(inbox), len(old), old.uidnext) == (0, 2, 3)
        assert [old.flags_of(int(word)) for word in old.columns.flags] == [["a", "b"], ["\\Seen", "b"]]
        assert store.state.metadata.of(inbox.account, old.id) == {"/shared/comment": b"kept"}
        assert store.state.metadata.of(inbox.account, inbox.id) == {"/shared/comment": b"kept"}
