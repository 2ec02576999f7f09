"""Response codes with arguments (RFC 9051 section 7.1); those without are octets as b"NONEXISTENT"."""

from collections.abc import Iterable

from crockery.imap.wire.render import Numbers, render_flags, render_quoted, render_sequence_set


def render_capability(names: Iterable[str]) -> bytes:
    """`capability-data = "CAPABILITY" *(SP capability) SP "IMAP4rev1" *(SP capability)`"""
    return b"CAPABILITY " + " ".join(names).encode("ascii")


def render_uid_validity(number: int) -> bytes:
    """`"UIDVALIDITY" SP nz-number`"""
    return b"UIDVALIDITY %d" % number


def render_uid_next(number: int) -> bytes:
    """`"UIDNEXT" SP nz-number`"""
    return b"UIDNEXT %d" % number


def render_unseen(number: int) -> bytes:
    """`"UNSEEN" SP nz-number`: the first unseen message's sequence number (RFC 3501 only)."""
    return b"UNSEEN %d" % number


def render_permanent_flags(flags: Iterable[str]) -> bytes:
    """`"PERMANENTFLAGS" SP "(" [flag-perm *(SP flag-perm)] ")"`, with `\\*` where keywords can be made."""
    return b"PERMANENTFLAGS " + render_flags(flags)


def render_append_uid(uid_validity: int, uids: Numbers) -> bytes:
    """`resp-code-apnd = "APPENDUID" SP nz-number SP append-uid`; several UIDs for MULTIAPPEND, ascending."""
    return b"APPENDUID %d %b" % (uid_validity, render_sequence_set(uids))


def render_copy_uid(uid_validity: int, source: Numbers, target: Numbers) -> bytes:
    """`resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set`: equally many, pairwise, both ascending."""
    return b"COPYUID %d %b %b" % (uid_validity, render_sequence_set(source), render_sequence_set(target))


def render_highest_modseq(modseq: int) -> bytes:
    """`"HIGHESTMODSEQ" SP mod-sequence-value` (RFC 7162 section 7)"""
    return b"HIGHESTMODSEQ %d" % modseq


def render_modified(numbers: Numbers) -> bytes:
    """`"MODIFIED" SP sequence-set`: what a conditional STORE left alone, at least one (RFC 7162 section 3.1.3)."""
    return b"MODIFIED " + render_sequence_set(numbers)


def render_mailbox_id(number: int) -> bytes:
    """`"MAILBOXID" SP "(" objectid ")"` (RFC 8474 section 4)"""
    return b"MAILBOXID (F%d)" % number


def render_no_update(tag: bytes) -> bytes:
    """`"NOUPDATE" SP quoted`: the search with this tag is not kept up to date (RFC 5267)."""
    return b"NOUPDATE " + render_quoted(tag)


def render_in_progress(tag: bytes, done: int, goal: int) -> bytes:
    """`"INPROGRESS" SP "(" quoted-tag SP number SP nz-number ")"`: less done than the goal (RFC 9585 section 4)"""
    return b"INPROGRESS (%b %d %d)" % (render_quoted(tag), done, goal)
