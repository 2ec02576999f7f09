"""Address lists: RFC 5322's examples, damage, and what submission may rely on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.addresses import Address, AddressError, Group, is_damaged, parse_addresses, parse_mailboxes


def text(value: bytes) -> list[object]:
    """Each address as "name <addr-spec>", each group as (name, members)."""

    def one(address: Address) -> str:
        return f"{address.display} <{address.addr_spec}>".strip()

    return [
        one(item) if isinstance(item, Address) else (item.name.decode(), [one(member) for member in item.members])
        for item in parse_addresses(value)
    ]


CLEAN: list[tuple[bytes, list[object]]] = [
    (b"john.doe@example.com", ["<john.doe@example.com>"]),
    (b"<a@b>", ["<a@b>"]),
    (b'"Joe Q. Public" <john.q.public@example.com>', ["Joe Q. Public <john.q.public@example.com>"]),
    (b'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
     ["Mary Smith <mary@x.test>", "<jdoe@example.org>", "Who? <one@y.test>"]),
    (b'<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
     ["<boss@nil.test>", 'Giant; "Big" Box <sysservices@example.net>']),
    (b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
     [("A Group", ["Ed Jones <c@a.test>", "<joe@where.test>", "John <jdoe@one.test>"])]),
    (b"Undisclosed recipients:;", [("Undisclosed recipients", [])]),
    (b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ["Pete <pete@silly.test>"]),
    (b"John (my dear (old) friend) <j@a>", ["John <j@a>"]),
    (b"j@a (John Doe)", ["John Doe <j@a>"]),
    (b"Joe Q. Public <john.q.public@example.com>", ["Joe Q. Public <john.q.public@example.com>"]),
    (b"Mary Smith <@node.test,@x.test:mary@example.net>, , jdoe@test  . example",
     ["Mary Smith <mary@example.net>", "<jdoe@test.example>"]),
    (b"john . doe @ example . com", ["<john.doe@example.com>"]),
    (b'"john doe"@a', ['<"john doe"@a>']),
    (b'"a\\"b"@c', ['<"a\\"b"@c>']),
    (b"a@[192.0.2.1]", ["<a@[192.0.2.1]>"]),
    ("Jürgen <jürgen@müller.test>".encode(), ["Jürgen <jürgen@müller.test>"]),
    (b"=?iso-8859-1?q?J=FCrgen?= <j@a>", ["Jürgen <j@a>"]),
    (b'"=?utf-8?q?J=C3=BCrgen?=" <j@a>', ["Jürgen <j@a>"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), CLEAN, ids=[repr(row[0]) for row in CLEAN])
def test_clean(value: bytes, expected: list[object]) -> None:
    assert text(value) == expected
    assert not is_damaged(value)


DAMAGED: list[tuple[bytes, list[object]]] = [
    (b"<a@b", ["<a@b>"]),
    (b"a@b>", ["<a@b>"]),
    (b"local", ["<local>"]),
    (b"a@", ["<a@>"]),
    (b"@b", ['<@b>']),
    (b"a@b@c", ['<"a@b"@c>']),
    (b"Deal Shopper", ['<"Deal Shopper">']),
    (b"a@b c@d", ['<"a@b"@d>']),
    (b"a@b; c@d", ["<a@b>", "<c@d>"]),
    (b"joe@x <joe@y>", ["joe@x <joe@y>"]),
    (b"Foo <a@b> bar", ["Foo <a@b>"]),
    (b'"open <a@b>', ["open <a@b>"]),
    (b"a@b (open", ["<a@b>"]),
    (b"G: a@b", [("G", ["<a@b>"])]),
    (b'"x"y@c', ["<xy@c>"]),
    (b'a@"b"', ["<a@b>"]),
    (b"<Undisclosed Recipients@x>", ['<"Undisclosed Recipients"@x>']),
    (b'"" <>', []),
    (b"((((", []),
    (b"a\\b@c", ['<"a\\\\b"@c>']),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), DAMAGED, ids=[repr(row[0]) for row in DAMAGED])
def test_damaged(value: bytes, expected: list[object]) -> None:
    assert text(value) == expected
    with pytest.raises(AddressError):
        parse_mailboxes(value)


def test_parts_of_an_address_are_raw() -> None:
    assert parse_addresses(b'=?utf-8?q?x?= <@r:"a b"@c>') == [Address(b"=?utf-8?q?x?=", b"@r", b"a b", b"c")]
    assert parse_addresses(b"G:;") == [Group(b"G", ())]


STRICT = [
    (b"a@b", ["a@b"]),
    (b"Anna <anna@example.test>, b@c (Bob)", ["anna@example.test", "b@c"]),
    (b'"anna"@example.test', ["anna@example.test"]),
    (b'"victim@example.test"@evil.test', ['"victim@example.test"@evil.test']),
]


@pytest.mark.parametrize(("value", "expected"), STRICT, ids=[repr(row[0]) for row in STRICT])
def test_mailboxes(value: bytes, expected: list[str]) -> None:
    assert parse_mailboxes(value) == expected


@pytest.mark.parametrize("value", [b"", b",", b"G: a@b;", b"x", b"\xff@b", b"a@b\0", b"a@b, c"], ids=repr)
def test_not_mailboxes(value: bytes) -> None:
    with pytest.raises(AddressError):
        parse_mailboxes(value)


SOUP = st.lists(st.sampled_from([b"a", b"b.", b'"', b"\\", b"(", b")", b"<", b">", b"@", b",", b":", b";", b"[", b"]",
                                 b" ", b"\r\n ", b"\0", b"\xff", b'"q"', b"(c)", b"x@y"]), max_size=20)  # fmt: skip


@given(SOUP)
def test_soup(pieces: list[bytes]) -> None:
    value = b"".join(pieces)
    for item in parse_addresses(value):
        for address in item.members if isinstance(item, Group) else (item,):
            assert isinstance(address.display + address.addr_spec, str)
    try:
        specs = parse_mailboxes(value)
    except AddressError:
        return
    assert parse_mailboxes(", ".join(specs).encode()) == specs
