"""What SEARCH, SORT and ESEARCH say of the messages they found, by return options (RFC 4731, 5182, 5267, 9394).

A result is a column of UIDs or sequence numbers in the order that the client asked for: the mailbox's, or sorted.
"""

from collections.abc import Iterable

import numpy as np

from crockery.imap.selected import Indices
from crockery.imap.wire.render import Numbers
from crockery.imap.wire.responses import render_esearch, render_partial
from crockery.imap.wire.search import Search

ANSWERED = frozenset(("MIN", "MAX", "COUNT", "ALL", "PARTIAL"))
"""Return options that are answered; SAVE, CONTEXT and UPDATE alone are not."""


def render_results(
    tag: bytes, search: Search, numbers: Numbers, *, uid: bool, mailbox: bytes = b"", more: Iterable[bytes] = ()
) -> bytes:
    """The ESEARCH response to a search; empty where no return option wants one.

    Of a sorted result, MIN is its first and MAX its last (RFC 5267 §3.1). `more`: items of other extensions.
    """
    options = {option.name for option in search.returns or ()} or {"ALL"}
    if not options & ANSWERED:
        return b""
    some = len(numbers) > 0
    extra = list(more)
    if search.partial is not None:
        start, stop = search.partial.bounds(len(numbers))
        extra.insert(0, render_partial(search.partial.first, search.partial.last, numbers[start:stop]))
    return render_esearch(
        tag,
        uid=uid,
        smallest=int(numbers[0]) if some and "MIN" in options else None,
        largest=int(numbers[-1]) if some and "MAX" in options else None,
        count=len(numbers) if "COUNT" in options else None,
        members=numbers if "ALL" in options else None,
        more=extra,
        mailbox=mailbox,
    )


def saved_result(search: Search, found: Indices) -> Indices:
    """What `$` becomes of a result in its order, ascending: all of it, or what was told of it (RFC 5182 §2.4).

    That is MIN, MAX and PARTIAL where these were asked for and neither ALL nor COUNT (RFC 9394 §3.2).
    """
    if not search.wants("ALL") and not search.wants("COUNT"):
        chosen: list[Indices] = []
        if search.wants("MIN"):
            chosen.append(found[:1])
        if search.wants("MAX"):
            chosen.append(found[-1:])
        if search.partial is not None:
            start, stop = search.partial.bounds(len(found))
            chosen.append(found[start:stop])
        if chosen:
            return np.unique(np.concatenate(chosen))
    return np.sort(found)
