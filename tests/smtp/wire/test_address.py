"""Paths, mailboxes and domains: what is one, what is none, and that printing and parsing are inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.smtp.wire import (
    AddressError,
    Mailbox,
    PathTooLong,
    display_domain,
    normalise_domain,
    parse_mailbox,
    parse_path,
)

PATHS = {
    "plain": ("<anna@example.com>", Mailbox("anna", "example.com"), "anna@example.com"),
    "capitals": ("<Anna.B@Example.COM>", Mailbox("Anna.B", "example.com"), "Anna.B@example.com"),
    "null": ("<>", None, None),
    "postmaster": ("<Postmaster>", Mailbox("Postmaster", ""), "Postmaster"),
    "atext": ("<!#$%&'*+-/=?^_`{|}~@x>", Mailbox("!#$%&'*+-/=?^_`{|}~", "x"), "!#$%&'*+-/=?^_`{|}~@x"),
    "subaddress": ("<a+b@x>", Mailbox("a+b", "x"), "a+b@x"),
    "needless quotes": ('<"anna"@x>', Mailbox("anna", "x"), "anna@x"),
    "quoted": ('<"a b@c>"@x>', Mailbox("a b@c>", "x"), '"a b@c>"@x'),
    "quoted pairs": (r'<"a\"b\\c\d"@x>', Mailbox(r'a"b\cd', "x"), r'"a\"b\\cd"@x'),
    "quoted empty": ('<""@x>', Mailbox("", "x"), '""@x'),
    "quoted dots": ('<".a..b."@x>', Mailbox(".a..b.", "x"), '".a..b."@x'),
    "source route": ("<@a.test,@[1.2.3.4]:u@x>", Mailbox("u", "x"), "u@x"),
    "IPv4": ("<a@[192.0.2.1]>", Mailbox("a", "[192.0.2.1]"), "a@[192.0.2.1]"),
    "IPv6": ("<a@[ipv6:2001:DB8:0::1]>", Mailbox("a", "[IPv6:2001:db8::1]"), "a@[IPv6:2001:db8::1]"),
    "underscore": ("<a@b_c.example>", Mailbox("a", "b_c.example"), "a@b_c.example"),
    "U-label": ("<a@Bücher.example>", Mailbox("a", "xn--bcher-kva.example"), "a@xn--bcher-kva.example"),
    "UTF-8 local": ("<ünï@x>", Mailbox("ünï", "x"), "ünï@x"),
    "wide dot": ("<a@bücher。example>", Mailbox("a", "xn--bcher-kva.example"), "a@xn--bcher-kva.example"),
    "joiner": ("<نام\u200cه@x>", Mailbox("نام\u200cه", "x"), "نام\u200cه@x"),
    "long local part": ("<" + "v" * 200 + "@x.test>", Mailbox("v" * 200, "x.test"), "v" * 200 + "@x.test"),
}

NOT_PATHS = [
    "",
    "anna@x",
    "<anna@x",
    "<anna>",
    "<@x>",
    "<a@>",
    "<a@b@c>",
    "<a b@x>",
    "<a..b@x>",
    "<.a@x>",
    "<a.@x>",
    "<a@x.>",
    "<a@.x>",
    "<a@x..y>",
    "<a@-x>",
    "<a@x->",
    "<a@x y>",
    "<a,b@x>",
    "<a:b@x>",
    '<"a@x>',
    '<"a"b@x>',
    '<"a\x00"@x>',
    "<a\x7f@x>",
    "<a\u0085@x>",
    "<a\u2028@x>",
    "<a\u202e@x>",
    "<a@[1.2.3]>",
    "<a@[1.2.3.256]>",
    "<a@[IPv6:::g]>",
    "<a@[IPv6:fe80::1%eth0]>",
    "<a@[2001:db8::1]>",
    "<a@[]>",
    "<a@[1.2.3.4>",
    "<a@" + "x" * 64 + ">",
    "<a@☃\u00ad>",
    "<a@xn--\u00fc>",
    "<@a:>",
    "<@a:postmaster>",
    "<@a>",
    "<@,@b:u@x>",
    "<@:u@x>",
]


@pytest.mark.parametrize("name", PATHS)
def test_paths(name: str) -> None:
    text, mailbox, printed = PATHS[name]
    assert parse_path(text) == (mailbox, "")
    assert parse_path(f"{text} SIZE=1") == (mailbox, " SIZE=1")
    if mailbox is not None:
        assert str(mailbox) == printed
        assert parse_path(f"<{mailbox}>") == (mailbox, "")


@pytest.mark.parametrize("text", NOT_PATHS)
def test_not_paths(text: str) -> None:
    with pytest.raises(AddressError):
        parse_path(text)


def test_lengths() -> None:
    domain = "d" * 60 + ".test"
    parse_path("<" + "a" * (256 - 3 - len(domain)) + f"@{domain}>")
    with pytest.raises(PathTooLong):
        parse_path("<" + "a" * (257 - 3 - len(domain)) + f"@{domain}>")
    with pytest.raises(PathTooLong):  # octets, not characters
        parse_path("<" + "ä" * 127 + "@x.t>")
    normalise_domain(".".join(["a" * 63] * 3 + ["a" * 63]))
    with pytest.raises(AddressError):
        normalise_domain(".".join(["a" * 63] * 4) + "a")
    with pytest.raises(AddressError):
        normalise_domain("a" * 64)


def test_mailbox_is_all_of_the_text() -> None:
    assert parse_mailbox("anna@Example.com") == Mailbox("anna", "example.com")
    for text in ("", "anna", "postmaster", "a@x>", "a@x> b", "@r:a@x", "<a@x>"):
        with pytest.raises(AddressError):
            parse_mailbox(text)


def test_domains_for_display() -> None:
    assert display_domain("xn--bcher-kva.example") == "bücher.example"
    assert display_domain("example.com") == "example.com"
    assert display_domain("xn--\x7f.example") == "xn--\x7f.example"


@given(text=st.text('<>@"\\.:,[] aA0é1:IPv6\u202e\r\n\0-_', max_size=30))
def test_a_mailbox_or_an_error_and_what_is_printed_is_parsed(text: str) -> None:
    for candidate in (text, f"<{text}>", f"<a@{text}>", f'<"{text}"@x>'):
        try:
            mailbox, rest = parse_path(candidate)
        except AddressError:
            continue
        assert candidate.endswith(rest)
        if mailbox is not None:
            assert parse_path(f"<{mailbox}>") == (mailbox, "")
            assert not {"\r", "\n", "\0"} & set(str(mailbox))


@given(text=st.text(max_size=40))
def test_any_text_is_a_domain_or_an_error(text: str) -> None:
    try:
        domain = normalise_domain(text)
    except AddressError:
        return
    assert domain.isascii()
    assert normalise_domain(domain) == domain
    display_domain(domain)
