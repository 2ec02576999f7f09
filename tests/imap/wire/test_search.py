"""SEARCH: every key, nesting, charsets, return options; printed trees are read back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.imap.wire.dates import MONTHS
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.params import Option
from crockery.imap.wire.render import render_string
from crockery.imap.wire.search import (
    And,
    Dated,
    HasFlag,
    HasHeader,
    HasText,
    InSet,
    Key,
    Not,
    Or,
    Search,
    Sized,
)
from crockery.imap.wire.search_keys import KEYS
from crockery.imap.wire.sequence import STAR, SequenceSet
from tests.support.imap_wire import parse

DAY = date(1994, 2, 1)
SEEN = HasFlag("\\Seen")

TREES: dict[str, Key] = {
    "ALL": And(()),
    "NEW": And((HasFlag("\\Recent"), Not(SEEN))),
    "OLD": Not(HasFlag("\\Recent")),
    "unseen": Not(SEEN),
    "KEYWORD $Junk": HasFlag("$Junk"),
    "UNKEYWORD x": Not(HasFlag("x")),
    "FROM x": HasHeader("From", "x"),
    'SUBJECT ""': HasHeader("Subject", ""),
    'HEADER X-Y "a b"': HasHeader("X-Y", "a b"),
    "BODY {3+}\r\na\nb": HasText("a\nb", headers=False),
    "TEXT NIL": HasText("NIL", headers=True),
    "SINCE 1-Feb-1994": Dated("since", DAY, sent=False),
    'SENTBEFORE "01-FEB-1994"': Dated("before", DAY, sent=True),
    "ON 01-feb-1994": Dated("on", DAY, sent=False),
    "LARGER 9223372036854775807": Sized(2**63 - 1, larger=True),
    "SMALLER 0": Sized(0, larger=False),
    "1:*,4": InSet(SequenceSet(((1, STAR), (4, 4))), uid=False),
    "UID 5": InSet(SequenceSet(((5, 5),)), uid=True),
    "$": InSet(SequenceSet(saved=True), uid=False),
    "UID $": InSet(SequenceSet(saved=True), uid=True),
    "SEEN ALL": And((SEEN, And(()))),
    "(SEEN)": SEEN,
    "( SEEN  ALL )": And((SEEN, And(()))),
    "NOT SEEN": Not(SEEN),
    "NOT NOT SEEN": SEEN,
    "NOT not NOT SEEN": Not(SEEN),
    "NOT (SEEN ALL)": Not(And((SEEN, And(())))),
    "OR SEEN ALL": Or((SEEN, And(()))),
    "OR SEEN OR ALL 1": Or((SEEN, And(()), InSet(SequenceSet(((1, 1),)), uid=False))),
    "OR OR SEEN ALL DRAFT": Or((Or((SEEN, And(()))), HasFlag("\\Draft"))),
    "OR NOT SEEN NOT OR ALL DRAFT": Or((Not(SEEN), Not(Or((And(()), HasFlag("\\Draft")))))),
    "OR SEEN ALL DRAFT": And((Or((SEEN, And(()))), HasFlag("\\Draft"))),
}


@pytest.mark.parametrize(("text", "tree"), TREES.items(), ids=list(TREES))
def test_keys(text: str, tree: Key) -> None:
    assert parse(b"a SEARCH " + text.encode("ascii")).arguments == Search(tree)
    assert parse(b"a UID SEARCH " + text.encode("ascii") + b" ").arguments == Search(tree)


def test_every_key_of_both_revisions_is_known() -> None:
    names = """ALL ANSWERED BCC BEFORE BODY CC DELETED FLAGGED FROM KEYWORD NEW OLD ON RECENT SEEN SINCE SUBJECT TEXT TO
    UNANSWERED UNDELETED UNFLAGGED UNKEYWORD UNSEEN DRAFT HEADER LARGER SENTBEFORE SENTON SENTSINCE SMALLER UID
    UNDRAFT"""
    assert set(KEYS) >= set(names.split())


def test_text_is_utf8() -> None:
    for start in ("a SEARCH ", "a SEARCH CHARSET utf-8 ", 'a SEARCH CHARSET "US-ASCII" '):
        search = parse(f'{start}SUBJECT "Übung"'.encode()).arguments
        assert isinstance(search, Search)
        assert search.key == HasHeader("Subject", "Übung")


@pytest.mark.parametrize(
    ("options", "returns"),
    [
        ("", None),
        ("RETURN () ", (Option("ALL"),)),
        ("RETURN (MIN max) ", (Option("MIN"), Option("MAX"))),
        ("return (SAVE COUNT SAVE) CHARSET UTF-8 ", (Option("SAVE"), Option("COUNT"))),
    ],
)
def test_return_options(options: str, returns: tuple[Option, ...] | None) -> None:
    search = parse(f"a SEARCH {options}SEEN".encode()).arguments
    assert isinstance(search, Search)
    assert search.returns == returns
    assert search.wants("SAVE") is ("SAVE" in options)


@pytest.mark.parametrize(
    "text",
    ["", "FROB", "NOT", "OR", "OR SEEN", "OR SEEN ", "()", "(SEEN", "SEEN)", "FROM", "HEADER x", "LARGER x",
     "LARGER -1", "LARGER 9223372036854775808", "SINCE 31-Feb-1994", "SINCE 1-Foo-1994", "SINCE 1-Feb-0000",
     'SINCE "1-Feb-1994', "UID x", "UID", "0", "KEYWORD \\Seen", "SEENALL", "RETURN (FROB) ALL", "RETURN ALL",
     "NOTSEEN", "CHARSET UTF-8", "SEEN\tALL", 'FROM "\xff"'],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(BadCommand):
        parse(b"a SEARCH " + text.encode("latin-1"))


@pytest.mark.parametrize("opening", ["(", "(NOT ", "OR ", "NOT (", "(OR SEEN ", "OR (SEEN) ("], ids=repr)
def test_nesting_is_bounded_not_fatal(opening: str) -> None:
    with pytest.raises(BadCommand):
        parse(b"a SEARCH " + (opening * 5000).encode() + b"SEEN" + b")" * 5000)


def test_forty_levels_are_fine() -> None:
    assert parse(b"a SEARCH " + b"(" * 40 + b"SEEN" + b")" * 40).arguments == Search(SEEN)


def test_number_of_keys_is_bounded() -> None:
    assert parse(b"a SEARCH " + b"1 " * limits.IMAP_ITEMS_MAX)
    with pytest.raises(BadCommand):
        parse(b"a SEARCH " + b"1 " * (limits.IMAP_ITEMS_MAX + 1))


def test_chains_may_be_long() -> None:
    search = parse(b"a SEARCH " + b"OR FROM x " * 1500 + b"SEEN").arguments
    assert isinstance(search, Search)
    assert isinstance(search.key, Or)
    assert len(search.key.keys) == 1501
    assert parse(b"a SEARCH " + b"NOT " * 10001 + b"SEEN").arguments == Search(Not(SEEN))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
ranges = st.tuples(st.integers(0, 9), st.integers(0, 9))
leaves: st.SearchStrategy[Key] = st.one_of(
    st.just(And(())),
    st.sampled_from(["\\Seen", "\\Recent", "x", "$Junk"]).map(HasFlag),
    st.builds(HasHeader, st.sampled_from(["From", "To", "Cc", "Bcc", "Subject", "X-Spam"]), texts),
    st.builds(HasText, texts, st.booleans()),
    st.builds(Dated, st.sampled_from(["before", "on", "since"]), st.dates(), st.booleans()),
    st.builds(Sized, st.integers(0, 2**63 - 1), st.booleans()),
    st.builds(
        InSet, st.lists(ranges, min_size=1, max_size=3).map(lambda found: SequenceSet(tuple(found))), st.booleans()
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda keys: And(tuple(keys))),
        # the last of a chain of ORs is no OR, since that would be one longer chain; likewise NOT NOT is nothing
        st.tuples(st.lists(inner, min_size=1, max_size=3), inner.filter(lambda key: not isinstance(key, Or))).map(
            lambda found: Or((*found[0], found[1]))
        ),
        inner.filter(lambda key: not isinstance(key, Not)).map(Not),
    ),
    max_leaves=12,
)


def printed(key: Key) -> bytes:
    """The client's side: a tree to octets."""
    match key:
        case And(()):
            return b"ALL"
        case And(keys):
            return b"(" + b" ".join(map(printed, keys)) + b")"
        case Or((*keys, last)):
            return b"".join(b"OR " + printed(each) + b" " for each in keys) + printed(last)
        case Not(inner):
            return b"NOT " + printed(inner)
        case HasFlag(flag):
            return flag[1:].upper().encode() if flag[0] == "\\" else b"KEYWORD " + flag.encode()
        case HasHeader(name, value):
            return b"HEADER " + name.encode() + b" " + non_waiting(value)
        case HasText(value, headers):
            return (b"TEXT " if headers else b"BODY ") + non_waiting(value)
        case Dated(relation, day, sent):
            text = b"%d-%b-%04d" % (day.day, MONTHS[day.month - 1], day.year)
            return (b"SENT" if sent else b"") + relation.upper().encode() + b" " + text
        case Sized(size, larger):
            return (b"LARGER" if larger else b"SMALLER") + b" %d" % size
        case InSet(messages, uid):
            return (b"UID " if uid else b"") + bytes(messages)
    raise AssertionError(key)


def non_waiting(value: str) -> bytes:
    return render_string(value.encode("utf-8")).replace(b"}\r\n", b"+}\r\n", 1)


@given(trees)
def test_print_and_parse(tree: Key) -> None:
    assert parse(b"a SEARCH (" + printed(tree) + b")").arguments == Search(tree)
