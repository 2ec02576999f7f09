"""Projection: every account's mailboxes and the messages in them.

Names are Unicode with "/" between levels, compared exactly, except that INBOX is always spelled "INBOX". Flags are 64
bits: the five system flags, then up to MAX_KEYWORDS keywords per mailbox in order of first use.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crockery.events.ranges import unpack_numbers, unpack_ranges
from crockery.projections.columns import Columns, Row
from crockery.projections.references import References
from crockery.projections.vanished import Vanished

SYSTEM_FLAGS: Final = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
SEEN: Final = 1
ANSWERED: Final = 2
FLAGGED: Final = 4
DELETED: Final = 8
DRAFT: Final = 16
MAX_KEYWORDS: Final = 64 - len(SYSTEM_FLAGS)


class Mailbox:
    """One mailbox: its names and numbers, its flags, and its messages as columns."""

    __slots__ = (
        "account", "columns", "deleted", "flag_bits", "flag_names", "id", "name", "octets", "position", "special_use",
        "uidnext", "uidvalidity", "unseen", "vanished",
    )  # fmt: skip

    def __init__(self, number: int, account: int, name: str, uidvalidity: int, special_use: str | None) -> None:
        self.id = number
        self.account = account
        self.name = name
        self.uidvalidity = uidvalidity
        self.uidnext = 1
        self.special_use = special_use
        self.position = number
        """Sequence number of the last event that touched it: HIGHESTMODSEQ, and the stamp of what is rendered."""
        self.columns = Columns()
        self.flag_names: list[str] = list(SYSTEM_FLAGS)
        self.flag_bits: dict[str, int] = {name.lower(): 1 << bit for bit, name in enumerate(SYSTEM_FLAGS)}
        self.unseen = 0
        self.deleted = 0
        self.octets = 0
        self.vanished = Vanished()

    def __len__(self) -> int:
        return len(self.columns)

    def flag_word(self, names: Iterable[str]) -> int:
        """The bits of these flags; keywords that are new get one, while there are bits left."""
        word = 0
        for name in names:
            bit = self.flag_bits.get(name.lower())
            if bit is None:
                bit = self._add_keyword(name)
            word |= bit
        return word

    def flags_of(self, word: int) -> list[str]:
        """The names of the bits in a flag word."""
        return [name for bit, name in enumerate(self.flag_names) if word >> bit & 1]

    def _add_keyword(self, name: str) -> int:
        if len(self.flag_names) >= 64:
            return 0
        bit = 1 << len(self.flag_names)
        self.flag_names.append(name)
        self.flag_bits[name.lower()] = bit
        return bit

    # Folding.

    def receive(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """MessageReceived."""
        word = self.flag_word(facts["flags"])
        size = facts["size"] + len(facts["prefix"])
        uid = facts["uid"]
        thread = facts.get("thread", sequence)
        self.columns.append(Row(uid, sequence, word, sequence, size, facts["date"], time // 1_000_000, thread))
        self.uidnext = uid + 1
        self.unseen += not word & SEEN
        self.deleted += bool(word & DELETED)
        self.octets += size
        self.position = sequence

    def copy_from(self, source: "Mailbox", sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """MessagesCopied into this mailbox."""
        at = source.columns.find(unpack_ranges(facts["uids"]))
        numbers = unpack_numbers(facts["numbers"])[: len(at)]
        first = facts["first"]
        words = self._translate(source, source.columns.flags[at])
        sizes = source.columns.size[at]
        self.columns.extend(
            {
                "uid": np.arange(first, first + len(at), dtype=np.uint32),
                "number": numbers,
                "flags": words,
                "modseq": np.full(len(at), sequence, dtype=np.uint64),
                "size": sizes,
                "date": source.columns.date[at],
                "saved": np.full(len(at), time // 1_000_000, dtype=np.uint32),
                "thread": source.columns.thread[at],
            }
        )
        self.uidnext = first + len(at)
        self._count(words, sizes, 1)
        self.position = sequence

    def change_flags(self, sequence: int, facts: Mapping[str, Any]) -> None:
        """FlagsChanged."""
        for sign, changes in ((1, facts["added"]), (-1, facts["removed"])):
            for name, uids in changes.items():
                self._change_flag(self.flag_word((name,)), uids, sign, sequence)
        self.position = sequence

    def _change_flag(self, bit: int, uids: list[int], sign: int, sequence: int) -> None:
        if len(uids) == 2 and uids[0] == uids[1]:
            really = int(self.columns.change_flag(uids[0], bit, sign > 0, sequence))
        else:
            at = self.columns.find(unpack_ranges(uids))
            words = self.columns.flags[at]
            mask = np.uint64(bit)
            changed = words | mask if sign > 0 else words & ~mask
            really = int(np.count_nonzero(changed != words))
            self.columns.set_flags(at, changed, sequence)
        if bit == SEEN:
            self.unseen -= sign * really
        elif bit == DELETED:
            self.deleted += sign * really

    def expunge(self, sequence: int, facts: Mapping[str, Any]) -> None:
        """MessagesExpunged."""
        at = self.columns.find(unpack_ranges(facts["uids"]))
        self._count(self.columns.flags[at], self.columns.size[at], -1)
        self.columns.remove(at)
        self.vanished.add(sequence, facts["uids"])
        self.position = sequence

    def resume(self, sequence: int, uid_jump: int) -> None:
        """HistoryResumed: no number seen by anyone may come again with another meaning.

        The UIDs left out may have been given in the history that is lost: whoever saw them is told that they are gone.
        """
        first, self.uidnext = self.uidnext, min(self.uidnext + uid_jump, 0xFFFFFFFE)
        if first < self.uidnext:
            self.vanished.add(sequence, [first, self.uidnext - 1])
        self.columns.touch(sequence)
        self.position = sequence

    _PLAIN: Final = (
        "id", "account", "name", "uidvalidity", "special_use", "uidnext", "position", "flag_names", "unseen",
        "deleted", "octets",
    )  # fmt: skip

    def dump(self) -> Any:
        return [[getattr(self, name) for name in self._PLAIN], self.columns.dump(), self.vanished.dump()]

    @classmethod
    def loaded(cls, dumped: Any) -> "Mailbox":
        """The mailbox of a dump."""
        plain, columns, vanished = dumped
        mailbox = cls(*plain[:5])
        for name, value in zip(cls._PLAIN, plain, strict=True):
            setattr(mailbox, name, value)
        mailbox.flag_bits = {name.lower(): 1 << bit for bit, name in enumerate(mailbox.flag_names)}
        mailbox.columns.load(columns)
        mailbox.vanished.load(vanished)
        return mailbox

    def _translate(self, source: "Mailbox", words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Flag words of another mailbox in this one's bits."""
        if source.flag_names == self.flag_names:
            return words
        system = np.uint64((1 << len(SYSTEM_FLAGS)) - 1)
        result = words & system
        for bit in range(len(SYSTEM_FLAGS), len(source.flag_names)):
            mask = np.uint64(1 << bit)
            having = (words & mask) != 0
            if having.any():
                result[having] |= np.uint64(self.flag_word((source.flag_names[bit],)))
        return result

    def _count(self, words: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint32], sign: int) -> None:
        self.unseen += sign * int(np.count_nonzero((words & np.uint64(SEEN)) == 0))
        self.deleted += sign * int(np.count_nonzero(words & np.uint64(DELETED)))
        self.octets += sign * int(sizes.sum(dtype=np.int64))


class Mailboxes:
    """All mailboxes by id and by (account, name); subscriptions; references to messages beyond the first."""

    def __init__(self) -> None:
        self.by_id: dict[int, Mailbox] = {}
        self.by_name: dict[int, dict[str, Mailbox]] = {}
        """account id -> name -> mailbox."""
        self.subscriptions: dict[int, set[str]] = {}
        self.references = References()
        self.last_uidvalidity = 0
        self.accounts_position: dict[int, int] = {}
        """account id -> the last event that changed its list of mailboxes or subscriptions."""

    def find(self, account: int, name: str) -> Mailbox | None:
        """The account's mailbox of that name."""
        return self.by_name.get(account, {}).get(name)

    def of_account(self, account: int) -> dict[str, Mailbox]:
        """The account's mailboxes by name."""
        return self.by_name.get(account, {})

    def with_special_use(self, account: int, use: str) -> Mailbox | None:
        """The account's mailbox of that special use (RFC 6154), if any."""
        return next((m for m in self.of_account(account).values() if m.special_use == use), None)

    def orphans(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Those of the messages that nobody refers to when these references go (a number may come several times)."""
        return self.references.orphans(numbers)

    def dump(self) -> Any:
        return [
            [mailbox.dump() for mailbox in self.by_id.values()],
            [[account, sorted(names)] for account, names in self.subscriptions.items()],
            self.references.dump(),
            self.last_uidvalidity,
            list(self.accounts_position.items()),
        ]

    def load(self, dumped: Any) -> None:
        mailboxes, subscriptions, references, self.last_uidvalidity, positions = dumped
        self.by_id = {box.id: box for box in map(Mailbox.loaded, mailboxes)}
        self.by_name = {}
        for box in self.by_id.values():
            self.by_name.setdefault(box.account, {})[box.name] = box
        self.subscriptions = {account: set(names) for account, names in subscriptions}
        self.references.load(references)
        self.accounts_position = dict(positions)

    # Folding: one method an event type.

    def mailbox_created(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account, name = facts["account"], facts["name"]
        mailbox = Mailbox(sequence, account, name, facts["uidvalidity"], facts.get("special_use"))
        self.by_id[sequence] = mailbox
        self.by_name.setdefault(account, {})[name] = mailbox
        self.last_uidvalidity = max(self.last_uidvalidity, facts["uidvalidity"])
        if facts.get("subscribed"):
            self.subscriptions.setdefault(account, set()).add(name)
        self.accounts_position[account] = sequence

    def mailboxes_renamed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        names = self.by_name.setdefault(facts["account"], {})
        moved = [(self.by_id[number], old, new) for number, old, new in facts["names"] if number in self.by_id]
        for _, old, _ in moved:
            names.pop(old, None)
        for mailbox, _, new in moved:
            mailbox.name = new
            names[new] = mailbox
        self.accounts_position[facts["account"]] = sequence

    def mailbox_deleted(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        mailbox = self.by_id.pop(facts["mailbox"], None)
        if mailbox is not None:
            self.by_name.get(facts["account"], {}).pop(mailbox.name, None)
            self.references.drop(mailbox.columns.number)
        self.accounts_position[facts["account"]] = sequence

    def account_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        for mailbox in self.by_name.pop(facts["account"], {}).values():
            self.by_id.pop(mailbox.id, None)
            self.references.drop(mailbox.columns.number)
        self.subscriptions.pop(facts["account"], None)
        self.accounts_position[facts["account"]] = sequence

    def subscriptions_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        names = self.subscriptions.setdefault(facts["account"], set())
        names.difference_update(facts["removed"])
        names.update(facts["added"])
        self.accounts_position[facts["account"]] = sequence

    def special_uses_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        for number, use, _ in facts["uses"]:
            mailbox = self.by_id.get(number)
            if mailbox is not None:
                mailbox.special_use = use
                mailbox.position = sequence
        self.accounts_position[facts["account"]] = sequence

    def metadata_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """HIGHESTMODSEQ rises when an annotation changes (RFC 7162 section 3.2)."""
        mailbox = self.by_id.get(facts["box"])
        if mailbox is not None:
            mailbox.position = sequence

    def message_received(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        mailbox = self.by_id.get(facts["mailbox"])
        if mailbox is not None:
            mailbox.receive(sequence, time, facts)

    def flags_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        mailbox = self.by_id.get(facts["mailbox"])
        if mailbox is not None:
            mailbox.change_flags(sequence, facts)

    def messages_copied(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        source, mailbox = self.by_id.get(facts["source"]), self.by_id.get(facts["mailbox"])
        if source is None or mailbox is None:
            return
        mailbox.copy_from(source, sequence, time, facts)
        self.references.add(unpack_numbers(facts["numbers"]))

    def messages_expunged(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        mailbox = self.by_id.get(facts["mailbox"])
        if mailbox is None:
            return
        mailbox.expunge(sequence, facts)
        self.references.drop(unpack_numbers(facts["numbers"]))

    def history_resumed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        for mailbox in self.by_id.values():
            mailbox.resume(sequence, facts["uid_jump"])
        self.last_uidvalidity += facts.get("uidvalidity_jump", 0)
