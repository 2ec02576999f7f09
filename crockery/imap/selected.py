"""The selected mailbox as its client knows it: the one place where sequence numbers have a meaning.

The mailbox itself changes under every session at once; a client may learn of that at certain moments only (RFC 9051
§5.2 and §7.5.1). So a view keeps the UIDs that it has told of (index i is message sequence number i + 1) and the event
up to which it has told, and when it may tell it compares that with the mailbox. There are no queues between sessions.

Invariants: `uids` changes in `tell` alone, so numbers hold still during a command; a message that another session
expunged keeps its number until `tell(expunge=True)`, and has no row in the mailbox any more. Pure: no Trio, no I/O.
"""

from bisect import bisect_left
from typing import Final

import numpy as np
import numpy.typing as npt

from crockery.events.ranges import pack_ranges
from crockery.imap.features import Features
from crockery.imap.recent import Ranges, Recents, add_range, in_ranges
from crockery.imap.wire.lines import Piece, Texts, render_lines, texts_of
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_permanent_flags
from crockery.imap.wire.responses import (
    render_exists,
    render_expunges,
    render_flags_data,
    render_recent,
    render_vanished,
)
from crockery.imap.wire.sequence import SequenceSet
from crockery.projections.mailboxes import MAX_KEYWORDS, SYSTEM_FLAGS, Mailbox

Uids = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int64]

NO_UIDS: Final = np.empty(0, dtype=np.uint32)


class FlagTexts(dict[int, bytes]):
    """Flag words of one mailbox to the text between the parentheses."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__()
        self._mailbox = mailbox

    def __missing__(self, word: int) -> bytes:
        text = self[word] = " ".join(self._mailbox.flags_of(word)).encode("ascii")
        return text


class Selected:
    """What one session has been told of its mailbox."""

    __slots__ = (
        "_flag_count", "_flag_texts", "_flags_told", "_own", "_recents", "features", "mailbox", "missed", "read_only",
        "recent", "saved", "settled", "tells_flags", "told", "uids",
    )  # fmt: skip

    def __init__(self, mailbox: Mailbox, recents: Recents, *, read_only: bool, features: Features) -> None:
        self.mailbox = mailbox
        self.read_only = read_only
        self.uids: Uids = mailbox.columns.uid
        self.features = features
        """The session's own."""
        self.told = mailbox.position
        """Changes up to this event have been told, but for expunges, which may have to wait."""
        self.settled = mailbox.position
        """Changes up to this event have been told, expunges too: HIGHESTMODSEQ as the client may keep it."""
        self.saved: Uids = NO_UIDS
        """What `$` stands for (RFC 5182)."""
        self.tells_flags = True
        """Changes of flags are told; NOTIFY can do without (RFC 5465)."""
        self.missed = False
        """A command asked for a message that is gone: EXPUNGEISSUED."""
        self.recent: Ranges = []
        self._flags_told = mailbox.position
        self._own: set[int] = set()  # later events of this session, whose effect on flags the client knows already
        self._recents = recents
        self._flag_count = len(mailbox.flag_names)
        self._flag_texts = FlagTexts(mailbox)
        self._claim_recent()

    def __len__(self) -> int:
        return len(self.uids)

    # Which messages.

    def indices(self, messages: SequenceSet, *, uid: bool) -> Indices:
        """Indices of the members of a set that the client knows of."""
        if messages.saved:
            return find_sorted(self.uids, self.saved)
        if uid:
            return messages.indices(self.uids)
        return messages.positions(len(self.uids))

    def rows(self, indices: Indices) -> tuple[Indices, Indices]:
        """Those of `indices` that are still there, and their rows in the mailbox's columns of now."""
        current = self.mailbox.columns.uid
        if self._is_aligned(current):
            return indices, indices
        wanted = self.uids[indices]
        here = np.isin(wanted, current, assume_unique=True)
        if not here.all():
            self.missed = True
        return indices[here], find_sorted(current, wanted[here])

    def _is_aligned(self, current: Uids) -> bool:
        """Both are sorted and the mailbox gets no message but at its end: if our last is in its place, all are."""
        count = len(self.uids)
        return count == 0 or (len(current) >= count and bool(current[count - 1] == self.uids[count - 1]))

    # What to tell.

    def flag_texts(self, indices: Indices, rows: Indices) -> Texts:
        """The flags of messages as between the parentheses of FLAGS, \\Recent included."""
        texts = texts_of(self.mailbox.columns.flags[rows], self._flag_texts.__getitem__)
        if not self.recent or self.features.rev2:
            return texts
        recent = in_ranges(self.uids[indices], self.recent)
        with_recent = [text + b" \\Recent" if text else b"\\Recent" for text in texts.table]
        return Texts([*texts.table, *with_recent], texts.at + recent * len(with_recent))

    def tell(self, *, expunge: bool, uid: bool = False) -> bytes:
        """What changed since the client was last told: EXPUNGE (if allowed now), FLAGS, EXISTS, RECENT.

        `uid`: within a UID command, whose FETCH responses all have the UID.
        """
        mailbox = self.mailbox
        current = mailbox.columns.uid
        aligned = self._is_aligned(current)
        if aligned or expunge:
            self.settled = mailbox.position
        if mailbox.position == self.told and (aligned or not expunge):
            return b""
        pieces: list[bytes] = []
        if not aligned and expunge:
            pieces.append(self._tell_expunges(current))
        if mailbox.position != self.told:
            pieces.append(self.tell_new_flag_names())
            pieces.append(self._tell_flags(uid=uid))
            pieces.append(self._tell_new(current))
            self.told = mailbox.position
        return b"".join(pieces)

    def _tell_flags(self, *, uid: bool) -> bytes:
        changed = self.changed_by_others()
        return self.render_flags(*self.rows(changed), uid=uid) if len(changed) else b""

    def changed_by_others(self) -> Indices:
        """Messages whose flags others changed since this was last asked: they are to be told now."""
        columns = self.mailbox.columns
        known = int(columns.uid.searchsorted(self.uids[-1], side="right")) if len(self.uids) else 0
        modseq = columns.modseq[:known]
        rows = np.flatnonzero(modseq > self._flags_told)
        if self._own:
            rows = rows[~np.isin(modseq[rows], np.array(list(self._own), dtype=np.uint64))]
            self._own.clear()
        self._flags_told = self.mailbox.position
        if not self.tells_flags:
            return rows[:0]
        indices: Indices = rows if self._is_aligned(columns.uid) else self.uids.searchsorted(columns.uid[rows])
        return indices

    def render_flags(self, indices: Indices, rows: Indices, *, uid: bool, silent: bool = False) -> bytes:
        """`* n FETCH (FLAGS (...))` of these messages; with UID and MODSEQ after CONDSTORE (RFC 7162 §3.2.4).

        `silent`: the client knows the flags and needs MODSEQ only, if at all (RFC 7162 §3.1.3).
        """
        features = self.features
        if silent and not features.condstore:
            return b""
        pieces: list[Piece] = []
        if uid or (features.condstore and not features.uid_only):
            pieces += [b"UID ", self.uids[indices]]
        if not silent:
            pieces += [b" FLAGS (" if pieces else b"FLAGS (", self.flag_texts(indices, rows), b")"]
        if features.condstore:
            pieces += [b" MODSEQ (" if pieces else b"MODSEQ (", self.mailbox.columns.modseq[rows], b")"]
        numbers = self.uids[indices] if features.uid_only else indices + 1
        head = b" UIDFETCH (" if features.uid_only else b" FETCH ("
        names = b"" if silent else self.tell_new_flag_names()
        return names + render_lines(len(indices), [b"* ", numbers, head, *pieces, b")\r\n"])

    def tell_new_flag_names(self) -> bytes:
        """`tell_flag_names` if there are keywords of which the client has not been told: before flags that use them."""
        return self.tell_flag_names() if len(self.mailbox.flag_names) != self._flag_count else b""

    def tell_flag_names(self) -> bytes:
        """FLAGS and PERMANENTFLAGS: at first, and when there are new keywords."""
        names = self.mailbox.flag_names
        self._flag_count = len(names)
        permanent = [] if self.read_only else list(names)
        if not self.read_only and len(names) - len(SYSTEM_FLAGS) < MAX_KEYWORDS:
            permanent.append("\\*")
        code = render_permanent_flags(permanent)
        return render_flags_data(names) + render_status(b"OK", "Flags that can be changed", code=code)

    def know(self, event: int) -> None:
        """The client knows what this event did to flags: it need not be told."""
        self._own.add(event)

    def recent_count(self) -> int:
        """RECENT of this session."""
        return sum(bisect_left(self.uids, high) - bisect_left(self.uids, low) for low, high in self.recent)

    def _tell_expunges(self, current: Uids) -> bytes:
        here = np.isin(self.uids, current, assume_unique=True)
        gone = np.flatnonzero(~here)
        uids = self.uids[gone]
        self.uids = self.uids[here]
        if self.features.vanishes:
            return render_vanished([(low, high) for low, high in zip(*[iter(pack_ranges(uids))] * 2, strict=True)])
        return render_expunges((gone[::-1] + 1).tolist())

    def _tell_new(self, current: Uids) -> bytes:
        new = current[current.searchsorted(self.uids[-1], side="right") :] if len(self.uids) else current
        if not len(new):
            return b""
        self.uids = current if self._is_aligned(current) else np.concatenate((self.uids, new))
        self._claim_recent()
        told = render_exists(len(self.uids))
        return told if self.features.rev2 else told + render_recent(self.recent_count())

    def _claim_recent(self) -> None:
        if self.read_only:
            add_range(self.recent, (max(self._recents.first(self.mailbox), self._above()), self.mailbox.uidnext))
        else:
            add_range(self.recent, self._recents.claim(self.mailbox))

    def _above(self) -> int:
        return self.recent[-1][1] if self.recent else 0


def find_sorted(column: Uids, wanted: Uids) -> Indices:
    """Indices into a sorted column of those of the sorted numbers that are in it."""
    at = column.searchsorted(wanted).astype(np.int64)
    at = at[: len(wanted) - int(np.count_nonzero(at == len(column)))]
    found: Indices = at[column[at] == wanted[: len(at)]]
    return found
