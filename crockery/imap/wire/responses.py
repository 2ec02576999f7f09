"""Server data: the untagged responses with contents (RFC 3501 and RFC 9051 sections 7.2 to 7.5)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from crockery.imap.wire.render import (
    Numbers,
    render_flags,
    render_literal,
    render_mailbox,
    render_nstring,
    render_quoted,
    render_sequence_set,
    render_string,
)
from crockery.imap.wire.response_codes import render_capability
from crockery.limits import IMAP_NUMBERS_STEP


def render_capabilities(names: Iterable[str]) -> bytes:
    """`* CAPABILITY IMAP4rev1 ...`"""
    return b"* %b\r\n" % render_capability(names)


def render_enabled(names: Iterable[str]) -> bytes:
    """`enable-data = "ENABLED" *(SP capability)`"""
    return b" ".join([b"* ENABLED", *[name.encode("ascii") for name in names]]) + b"\r\n"


def render_id(fields: Mapping[str, str | None] | None) -> bytes:
    """`id-response = "ID" SP id-params-list` (RFC 2971)"""
    if fields is None:
        return b"* ID NIL\r\n"
    pairs = [
        b"%b %b"
        % (render_string(name.encode("utf-8")), render_nstring(None if value is None else value.encode("utf-8")))
        for name, value in fields.items()
    ]
    return b"* ID (%b)\r\n" % b" ".join(pairs)


def render_namespace(prefix: str = "", delimiter: str = "/") -> bytes:
    """`namespace-response`: one personal namespace, no others' and no shared ones (RFC 9051 section 6.3.10)."""
    return b"* NAMESPACE ((%b %b)) NIL NIL\r\n" % (
        render_quoted(prefix.encode("ascii")),
        render_quoted(delimiter.encode("ascii")),
    )


def render_list(
    name: str,
    attributes: Iterable[str],
    delimiter: str | None = "/",
    *,
    utf8: bool = False,
    lsub: bool = False,
    child_info: Iterable[str] = (),
    old_name: str | None = None,
) -> bytes:
    """`mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]`

    `child_info`: selection options that children meet, as `("CHILDINFO" ("SUBSCRIBED"))`.
    """
    extended = [b'"CHILDINFO" (%b)' % b" ".join([render_quoted(item.encode("ascii")) for item in child_info])]
    extended = extended if child_info else []
    if old_name is not None:
        extended.append(b'"OLDNAME" (%b)' % render_mailbox(old_name, utf8=utf8))
    return b"* %b %b %b %b%b\r\n" % (
        b"LSUB" if lsub else b"LIST",
        render_flags(attributes),
        b"NIL" if delimiter is None else render_quoted(delimiter.encode("ascii")),
        render_mailbox(name, utf8=utf8),
        b" (%b)" % b" ".join(extended) if extended else b"",
    )


def render_status_data(name: str, items: Mapping[str, int | bytes], *, utf8: bool = False) -> bytes:
    """`"STATUS" SP mailbox SP "(" [status-att-list] ")"`; numbers, or octets for values of another form."""
    pairs = [
        b"%b %b" % (item.encode("ascii"), value if isinstance(value, bytes) else b"%d" % value)
        for item, value in items.items()
    ]
    return b"* STATUS %b (%b)\r\n" % (render_mailbox(name, utf8=utf8), b" ".join(pairs))


def render_flags_data(flags: Iterable[str]) -> bytes:
    """`"FLAGS" SP flag-list`: the flags in use in the selected mailbox."""
    return b"* FLAGS %b\r\n" % render_flags(flags)


def render_exists(count: int) -> bytes:
    """`number SP "EXISTS"`"""
    return b"* %d EXISTS\r\n" % count


def render_recent(count: int) -> bytes:
    """`number SP "RECENT"` (RFC 3501 only)"""
    return b"* %d RECENT\r\n" % count


def render_expunges(numbers: Iterable[int]) -> bytes:
    """`nz-number SP "EXPUNGE"` for each: sequence numbers in the order given, each as of when its turn comes.

    Given in descending order, the numbers of before the first are those of its turn.
    """
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def render_vanished(ranges: Iterable[tuple[int, int]], *, earlier: bool = False) -> bytes:
    """`expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids`: at least one range, low and high (RFC 7162)."""
    uids = b",".join([b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in ranges])
    return b"* VANISHED %b%b\r\n" % (b"(EARLIER) " if earlier else b"", uids)


def render_numbers(name: bytes, numbers: npt.NDArray[np.integer], modseq: int = 0) -> Iterator[bytes]:
    """`"SEARCH" *(SP nz-number)` or `"SORT" ...`: one line however long, as programs read only the first, in pieces.

    `modseq`, unless 0: the highest of them, `SP "(" "MODSEQ" SP mod-sequence-value ")"` (RFC 7162 §3.1.5, RFC 5256).
    """
    yield b"* " + name
    for start in range(0, len(numbers), IMAP_NUMBERS_STEP):
        some = numbers[start : start + IMAP_NUMBERS_STEP].tolist()
        yield b" " + str(some)[1:-1].replace(",", "").encode("ascii")  # list's own repr is the fastest there is
    yield b" (MODSEQ %d)\r\n" % modseq if modseq else b"\r\n"


def render_threads(roots: Sequence[int], children: Mapping[int, Sequence[int]], numbers: Sequence[int]) -> bytes:
    """`thread-data = "THREAD" [SP 1*thread-list]` of a forest; a node that has no number is a dummy (RFC 5256).

    `thread-list = "(" (thread-members / thread-nested) ")"`, `thread-members = nz-number *(SP nz-number)
    [SP thread-nested]`, `thread-nested = 2*thread-list`. Without recursion: threads are as deep as their senders like.
    """
    if not roots:
        return b"* THREAD\r\n"
    pieces: list[str] = []
    for root in roots:
        if root not in children:
            pieces.append(f"({numbers[root]})")
        else:
            _render_thread(root, children, numbers, pieces)
    return b"* THREAD %b\r\n" % "".join(pieces).encode("ascii")


def _render_thread(root: int, children: Mapping[int, Sequence[int]], numbers: Sequence[int], pieces: list[str]) -> None:
    closing = -1
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node == closing:
            pieces.append(")")
            continue
        pieces.append("(")
        below = children.get(node, ())
        if node < len(numbers):
            pieces.append(str(numbers[node]))
            while len(below) == 1:
                (node,) = below
                pieces.append(f" {numbers[node]}")
                below = children.get(node, ())
            if below:
                pieces.append(" ")
        waiting.append(closing)
        waiting.extend(reversed(below))


def render_esearch(
    tag: bytes,
    *,
    uid: bool,
    smallest: int | None = None,
    largest: int | None = None,
    count: int | None = None,
    members: Numbers | None = None,
    more: Iterable[bytes] = (),
    mailbox: bytes = b"",
) -> bytes:
    """`esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)` (RFC 9051 section 7.3.4)

    MIN, MAX, COUNT and ALL where given; ALL of no members is left out, as the RFC has it. `more`: items of
    extensions, rendered; `mailbox`: what stands after the tag in the correlator (RFC 7377).
    """
    parts = [b"* ESEARCH (TAG %b%b)" % (render_quoted(tag), mailbox)]
    if uid:
        parts.append(b"UID")
    for name, value in ((b"MIN", smallest), (b"MAX", largest), (b"COUNT", count)):
        if value is not None:
            parts.append(b"%b %d" % (name, value))
    if members is not None and len(members):
        parts.append(b"ALL " + render_sequence_set(members))
    parts.extend(more)
    return b" ".join(parts) + b"\r\n"


def render_update(tag: bytes, what: bytes, pairs: Iterable[tuple[int, Numbers]], *, uid: bool) -> bytes:
    """`ret-data-addto = "ADDTO" SP "(" context-position SP sequence-set *(SP ...) ")"`, or REMOVEFROM (RFC 5267)."""
    listed = b" ".join([b"%d %b" % (place, render_sequence_set(numbers)) for place, numbers in pairs])
    return b"* ESEARCH (TAG %b)%b %b (%b)\r\n" % (render_quoted(tag), b" UID" if uid else b"", what, listed)


def render_mailbox_correlator(name: str, uid_validity: int, *, utf8: bool = False) -> bytes:
    """`SP "MAILBOX" SP mailbox SP "UIDVALIDITY" SP nz-number`, for `render_esearch` (RFC 7377 section 2.2)."""
    return b" MAILBOX %b UIDVALIDITY %d" % (render_mailbox(name, utf8=utf8), uid_validity)


def render_partial(first: int, last: int, members: Numbers) -> bytes:
    """`"PARTIAL" SP "(" partial-range SP partial-results ")"`, NIL where there are none (RFC 9394 section 4)."""
    return b"PARTIAL (%d:%d %b)" % (first, last, render_sequence_set(members) if len(members) else b"NIL")


def render_section(label: bytes, data: bytes | None, *, binary: bool = False) -> bytes:
    """A FETCH item `BODY[...] nstring` or `BINARY[...] (nstring / literal8)`, its octets as they are.

    `label` is FetchSection.label; `data` None where there is no such part. Text of BODY always goes as a literal.
    """
    if data is None:
        return label + b" NIL"
    return b"%b %b" % (label, render_literal(data, binary=binary))
