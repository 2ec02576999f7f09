"""FETCH: items, sections, partials, macros, and the label each answer carries."""

import pytest

from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import FAST, ITEMS, Fetch, FetchItem, FetchSection, Item
from crockery.imap.wire.params import Param
from crockery.imap.wire.sequence import SequenceSet
from tests.support.imap_wire import parse

ONE = SequenceSet(((1, 1),))

SINGLE: dict[str, Item] = {
    "flags": FetchItem("FLAGS"),
    "BODY": FetchItem("BODY"),
    "BODYSTRUCTURE": FetchItem("BODYSTRUCTURE"),
    "RFC822.SIZE": FetchItem("RFC822.SIZE"),
    "RFC822": FetchSection("BODY", b"RFC822"),
    "RFC822.PEEK": FetchSection("BODY", b"RFC822", peek=True),
    "RFC822.HEADER": FetchSection("BODY", b"RFC822.HEADER", text="HEADER", peek=True),
    "RFC822.TEXT": FetchSection("BODY", b"RFC822.TEXT", text="TEXT"),
    "BODY[]": FetchSection("BODY", b"BODY[]"),
    "body.peek[]": FetchSection("BODY", b"BODY[]", peek=True),
    "BODY[]<5.10>": FetchSection("BODY", b"BODY[]<5>", partial=(5, 10)),
    "BODY[text]": FetchSection("BODY", b"BODY[TEXT]", text="TEXT"),
    "BODY[1.2.3]": FetchSection("BODY", b"BODY[1.2.3]", part=(1, 2, 3)),
    "BODY[1.MIME]<0.1>": FetchSection("BODY", b"BODY[1.MIME]<0>", part=(1,), text="MIME", partial=(0, 1)),
    "BODY[4.header]": FetchSection("BODY", b"BODY[4.HEADER]", part=(4,), text="HEADER"),
    "BODY.PEEK[HEADER.FIELDS (From x-To)]": FetchSection(
        "BODY", b"BODY[HEADER.FIELDS (From x-To)]", text="HEADER.FIELDS", fields=(b"From", b"x-To"), peek=True
    ),
    'BODY[2.HEADER.FIELDS.NOT ( "a b" "]" )]': FetchSection(
        "BODY",
        b'BODY[2.HEADER.FIELDS.NOT ("a b" "]")]',
        part=(2,),
        text="HEADER.FIELDS.NOT",
        fields=(b"a b", b"]"),
    ),
    "BODY[HEADER.FIELDS ({3+}\r\na\r\n)]": FetchSection(
        "BODY", b"BODY[HEADER.FIELDS ({3}\r\na\r\n)]", text="HEADER.FIELDS", fields=(b"a\r\n",)
    ),
    "BINARY[1]<0.9>": FetchSection("BINARY", b"BINARY[1]<0>", part=(1,), partial=(0, 9)),
    "BINARY.PEEK[]": FetchSection("BINARY", b"BINARY[]", peek=True),
    "BINARY.SIZE[1.2]": FetchSection("BINARY.SIZE", b"BINARY.SIZE[1.2]", part=(1, 2), peek=True),
}


@pytest.mark.parametrize(("text", "item"), SINGLE.items(), ids=list(SINGLE))
def test_single_items(text: str, item: Item) -> None:
    assert parse(f"a FETCH 1 {text}".encode()).arguments == Fetch(ONE, (item,))
    assert parse(f"a FETCH 1 ({text} UID)".encode()).arguments == Fetch(ONE, (item, FetchItem("UID")))
    assert parse(f"a FETCH 1({text}) (X 5)".encode()).arguments == Fetch(ONE, (item,), (Param("X", b"5"),))


def test_macros() -> None:
    assert parse(b"a FETCH 1 fast").arguments == Fetch(ONE, FAST)
    assert parse(b"a FETCH 1 ALL").arguments == Fetch(ONE, (*FAST, ITEMS["ENVELOPE"]))
    assert parse(b"a FETCH 1 FULL").arguments == Fetch(ONE, (*FAST, ITEMS["ENVELOPE"], ITEMS["BODY"]))


def test_repeated_items_come_once() -> None:
    assert parse(b"a FETCH 1 (UID FLAGS UID)").arguments == Fetch(ONE, (FetchItem("UID"), FetchItem("FLAGS")))


@pytest.mark.parametrize(
    "text",
    ["", "FROB", "()", "(FLAGS", "FLAGS UID", "(ALL)", "ENVELOPE[]", "BODY[", "BODY[FROB]", "BODY[MIME]", "BODY[0]",
     "BODY[1.]", "BODY[.1]", "BODY[1..2]", "BODY[1.2 TEXT]", "BODY[4294967296]", "BODY[HEADER.FIELDS]",
     "BODY[HEADER.FIELDS ()]", "BODY[]<0>", "BODY[]<0.0>", "BODY[]<-1.5>", "BODY[]<1.5", "BODY.PEEK", "BINARY",
     "BINARY[TEXT]", "BINARY[1.MIME]", "BINARY.SIZE[1]<0.1>", "BODY[]<9223372036854775808.1>",
     "BODY[" + "1." * 5000 + "1]", "BODY[1.HEADER.FIELDS (a]", "(FLAGS)(UID"],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(BadCommand):
        parse(f"a FETCH 1 {text}".encode())
