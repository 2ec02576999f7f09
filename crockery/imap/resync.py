"""What changed in a mailbox while a client was away (RFC 7162 §3.2.5 and §3.2.6)."""

from collections.abc import Iterable, Sequence

from crockery.imap.selected import Indices, Selected
from crockery.imap.wire.responses import render_vanished
from crockery.imap.wire.sequence import SequenceSet

Range = Sequence[int]


def tell_vanished(selected: Selected, since: int, known: SequenceSet | None) -> bytes:
    """VANISHED (EARLIER) of those of the `known` UIDs (None: all) that went after event `since`; b"" if none did."""
    mailbox = selected.mailbox
    gone = mailbox.vanished.since(since).tolist()
    if known is not None and known.saved:
        among: Iterable[Range] = [(uid, uid) for uid in selected.saved.tolist()]
    else:
        among = [(1, mailbox.uidnext)] if known is None else known.resolve(mailbox.uidnext - 1)
    both = intersect(gone, list(among))
    return render_vanished(both, earlier=True) if both else b""


def changed_since(selected: Selected, indices: Indices, since: int) -> Indices:
    """Those of the messages whose MODSEQ is above `since`, and that are still there."""
    here, rows = selected.rows(indices)
    changed: Indices = here[selected.mailbox.columns.modseq[rows] > since]
    return changed


def intersect(first: Sequence[Range], second: Sequence[Range]) -> list[tuple[int, int]]:
    """What two ascending lists of ranges share; linear in both."""
    shared: list[tuple[int, int]] = []
    a = b = 0
    while a < len(first) and b < len(second):
        low, high = max(first[a][0], second[b][0]), min(first[a][1], second[b][1])
        if low <= high:
            shared.append((low, high))
        if first[a][1] < second[b][1]:
            a += 1
        else:
            b += 1
    return shared
