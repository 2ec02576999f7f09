"""SORT, THREAD, ESEARCH, CANCELUPDATE and return options: what they read, what they refuse, what is rendered."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.imap.errors import Refusal
from crockery.imap.filters import expand_filters
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.multisearch import MailboxFilter, Multisearch
from crockery.imap.wire.params import Option
from crockery.imap.wire.responses import render_numbers, render_partial, render_threads, render_update
from crockery.imap.wire.search import Aged, And, HasFlag, Key, Named, Not, Or, SavedDated, Search
from crockery.imap.wire.search_returns import CancelUpdate, PartialRange
from crockery.imap.wire.sort import Criterion, Sort, Thread
from tests.support.imap_wire import parse

ALL = And(())
COMMANDS = {
    "SORT (DATE) UTF-8 ALL": Sort((Criterion("DATE"),), Search(ALL, None, "UTF-8")),
    'sort ( reverse  size cc ) "us-ascii" ALL': Sort(
        (Criterion("SIZE", reverse=True), Criterion("CC")), Search(ALL, None, "US-ASCII")
    ),
    "SORT RETURN () (TO) UTF-8 ALL": Sort((Criterion("TO"),), Search(ALL, (Option("ALL"),), "UTF-8")),
    "UID SORT RETURN (PARTIAL 5:2 UPDATE) (TO) UTF-8 ALL": Sort(
        (Criterion("TO"),), Search(ALL, (Option("PARTIAL", PartialRange(5, 2)), Option("UPDATE")), "UTF-8")
    ),
    "THREAD REFS UTF-8 ALL": Thread("REFS", Search(ALL, None, "UTF-8")),
    "uid thread orderedsubject utf-8 ALL": Thread("ORDEREDSUBJECT", Search(ALL, None, "UTF-8")),
    "SEARCH OLDER 7": Search(Aged(7, older=True)),
    "SEARCH YOUNGER 4294967295": Search(Aged(2**32 - 1, older=False)),
    "SEARCH SAVEDON 1-Feb-1994": Search(SavedDated("on", date(1994, 2, 1))),
    "SEARCH SAVEDATESUPPORTED": Search(ALL),
    "SEARCH FILTER x-y": Search(Named("x-y")),
    "ESEARCH ALL": Multisearch((), Search(ALL)),
    "ESEARCH RETURN (COUNT) ALL": Multisearch((), Search(ALL, (Option("COUNT"),))),
    "ESEARCH in (INBOXES subtree (a b) mailboxes inbox) charset utf-8 ALL": Multisearch(
        (MailboxFilter("INBOXES"), MailboxFilter("SUBTREE", ("a", "b")), MailboxFilter("MAILBOXES", ("INBOX",))),
        Search(ALL, None, "UTF-8"),
    ),
    'CANCELUPDATE "a" "b]"': CancelUpdate((b"a", b"b]")),
}
WRONG = """SORT|SORT (DATE)|SORT (DATE) UTF-8|SORT DATE UTF-8 ALL|SORT () UTF-8 ALL|SORT (REVERSE) UTF-8 ALL
SORT (REVERSE REVERSE DATE) UTF-8 ALL|SORT (BCC) UTF-8 ALL|SORT (DATE) (UTF-8) ALL|SORT RETURN (DATE) UTF-8 ALL
SORT RETURN (MIN (DATE) UTF-8 ALL|SORT RETURN (PARTIAL) (DATE) UTF-8 ALL|THREAD|THREAD REFS|THREAD REFS UTF-8
THREAD (REFS) UTF-8 ALL|THREAD X UTF-8 ALL|SEARCH RETURN (PARTIAL 1:0) ALL|SEARCH RETURN (PARTIAL 1) ALL
SEARCH RETURN (PARTIAL -1:2) ALL|SEARCH RETURN (PARTIAL 1:4294967296) ALL|SEARCH RETURN (PARTIAL 1,2) ALL
SEARCH RETURN (ALL PARTIAL 1:2) ALL|SEARCH OLDER|SEARCH OLDER -1|SEARCH YOUNGER 0|SEARCH SAVEDON x|SEARCH FILTER
SEARCH FILTER a/b|SEARCH FILTER "a"|SEARCH SAVEDATESUPPORTED x|ESEARCH|ESEARCH IN ALL|ESEARCH IN () ALL
ESEARCH IN (personal)|ESEARCH IN (subtree) ALL|ESEARCH IN (subtree ()) ALL|ESEARCH IN (mailboxes "") ALL
ESEARCH IN (personal) (x) ALL|UID ESEARCH ALL|CANCELUPDATE|CANCELUPDATE a|CANCELUPDATE "a" b|CANCELUPDATE ("a")"""


@pytest.mark.parametrize(("text", "arguments"), COMMANDS.items(), ids=list(COMMANDS))
def test_commands(text: str, arguments: object) -> None:
    assert parse(b"a " + text.encode("ascii")).arguments == arguments


@pytest.mark.parametrize("text", WRONG.replace("\n", "|").split("|"))
def test_wrong(text: str) -> None:
    with pytest.raises(BadCommand):
        parse(b"a " + text.encode("ascii"))


@pytest.mark.parametrize(
    "text", ["SORT (" + "DATE " * 3000 + ") UTF-8 ALL", "ESEARCH IN (mailboxes (" + "a " * 3000 + ")) ALL",
             "CANCELUPDATE" + ' "a"' * 3000, "SORT (DATE) UTF-8 " + "NOT (" * 1000, "ESEARCH IN (" + "(" * 1000],
    ids=["criteria", "mailboxes", "tags", "keys", "parentheses"],
)  # fmt: skip
def test_floods(text: str) -> None:
    with pytest.raises(BadCommand):
        parse(b"a " + text.encode("ascii"))


@given(st.integers(1, 20), st.integers(1, 20), st.booleans(), st.integers(0, 20))
def test_partial_ranges(first: int, last: int, from_end: bool, count: int) -> None:
    sign = -1 if from_end else 1
    start, stop = PartialRange(sign * first, sign * last).bounds(count)
    whole = list(range(1, count + 1))
    places = whole[::-1] if from_end else whole
    low, high = sorted((first, last))
    assert sorted(places[low - 1 : high]) == whole[start:stop]


def test_rendered() -> None:
    def sorted_as(numbers: list[int], modseq: int = 0) -> bytes:
        return b"".join(render_numbers(b"SORT", np.array(numbers, dtype=np.int64), modseq))

    assert sorted_as([]) == b"* SORT\r\n"
    assert sorted_as([5, 3, 4]) == b"* SORT 5 3 4\r\n"
    assert sorted_as([5], 17) == b"* SORT 5 (MODSEQ 17)\r\n"
    many = list(range(25_000, 0, -1))
    assert sorted_as(many) == b"* SORT " + b" ".join(b"%d" % number for number in many) + b"\r\n"
    assert render_partial(-1, -2, [7, 8]) == b"PARTIAL (-1:-2 7:8)"
    assert render_partial(1, 2, []) == b"PARTIAL (1:2 NIL)"
    assert render_update(b"C01", b"ADDTO", [(1, [2733]), (1, [2731, 2732])], uid=True) == (
        b'* ESEARCH (TAG "C01") UID ADDTO (1 2733 1 2731:2732)\r\n'
    )


def test_threads_as_the_rfc_shows_them() -> None:
    numbers = [2, 3, 6, 4, 23, 44, 7, 96]
    children = {1: [2], 2: [3, 5], 3: [4], 5: [6], 6: [7]}
    assert render_threads([0, 1], children, numbers) == b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n"
    assert render_threads([8], {8: [1, 2]}, numbers) == b"* THREAD ((3)(6))\r\n"
    assert render_threads([], {}, []) == b"* THREAD\r\n"


VALUES = "/private/filters/values/"
KEPT = {
    VALUES + "seen": b"SEEN",
    VALUES + "both": b"FILTER seen NOT FILTER Seen",
    "/shared/filters/values/seen": b"DRAFT",
    "/shared/filters/values/drafts": b"(DRAFT)",
    VALUES + "ring": b"OR SEEN FILTER ring",
    VALUES + "open": b"(SEEN",
    VALUES + "empty": b"",
    VALUES + "literal": b"BODY {3}\r\nabc",
    VALUES + "many": b" ".join([b"FILTER wide"] * 100),
    VALUES + "wide": b" ".join([b"SEEN"] * 100),
}
SEEN = HasFlag("\\Seen")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Named("seen"), SEEN),
        (Or((Named("SEEN"), ALL)), Or((SEEN, ALL))),
        (Named("both"), And((SEEN, Not(SEEN)))),
        (Named("drafts"), HasFlag("\\Draft")),
    ],
)
def test_filters(key: Key, expected: Key) -> None:
    assert expand_filters(key, KEPT) == expected


@pytest.mark.parametrize("name", ["nowhere", "ring", "open", "empty", "literal", "many"])
def test_filters_that_are_none(name: str) -> None:
    assert limits.IMAP_ITEMS_MAX < 100 * 100
    with pytest.raises(Refusal) as refused:
        expand_filters(Named(name), KEPT)
    assert refused.value.code in (b"UNDEFINED-FILTER " + name.encode("ascii"), b"UNDEFINED-FILTER wide")
