"""SELECT finds the first unseen message wherever it is, without a look at all of a large mailbox."""

import pytest

from crockery import limits
from crockery.imap.verbs.select import _first_unseen
from crockery.projections.columns import Row
from crockery.projections.mailboxes import SEEN, Mailbox


@pytest.mark.parametrize("first", range(1, 25))
def test_the_first_unseen_message_is_told(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_SLICE", 2)
    box = Mailbox(1, 1, "a", 1, None)
    for uid in range(1, 25):
        seen = uid < first or uid > first + 3
        box.columns.append(Row(uid, uid, SEEN if seen else 0, 1, 1, 1, 1))
    assert _first_unseen(box) == first
