"""MAIL and RCPT with their parameters, AUTH, BDAT, EHLO: values, or the reply that refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.smtp.wire import Auth, CommandError, Hello, Mail, Mailbox, Offer, Rcpt
from crockery.smtp.wire.commands import (
    Bdat,
    parse_auth,
    parse_bdat,
    parse_hello,
    parse_mail,
    parse_rcpt,
    split_line,
)
from crockery.smtp.wire.extensions import EXTENSIONS, mail_parameters, rcpt_parameters

OFFER = Offer(hostname="mx", auth_mechs=("PLAIN",))
KNOWN = mail_parameters(OFFER)
ANNA = Mailbox("anna", "x.test")

MAILS: dict[str, tuple[str, Mail | str]] = {
    "plain": ("FROM:<anna@x.test>", Mail(ANNA)),
    "blanks": ("from:  <anna@x.test>   SIZE=5  ", Mail(ANNA, {"SIZE": "5"})),
    "null": ("FROM:<>", Mail(None)),
    "all": (
        "FROM:<anna@x.test> size=00010 BODY=8bitmime SMTPUTF8 auth=a+2Bb@x",
        Mail(ANNA, {"SIZE": "00010", "BODY": "8bitmime", "SMTPUTF8": "", "AUTH": "a+2Bb@x"}),
    ),
    "auth unknown": ("FROM:<> AUTH=<>", Mail(None, {"AUTH": "<>"})),
    "UTF-8": ("FROM:<ä@x.test> SMTPUTF8", Mail(Mailbox("ä", "x.test"), {"SMTPUTF8": ""})),
    "no SMTPUTF8": ("FROM:<ä@x.test>", "553 5.6.7"),
    "no SMTPUTF8, domain": ("FROM:<a@ä.test>", "553 5.6.7"),
    "no brackets": ("FROM:anna@x.test", "501 5.1.7"),
    "no colon": ("FROM <anna@x.test>", "501 5.5.4"),
    "nothing": ("", "501 5.5.4"),
    "TO": ("TO:<anna@x.test>", "501 5.5.4"),
    "no domain": ("FROM:<anna>", "501 5.1.7"),
    "postmaster": ("FROM:<postmaster>", "501 5.1.7"),
    "long": ("FROM:<" + "a" * 300 + "@x.test>", "501 5.1.7"),
    "glued": ("FROM:<anna@x.test>SIZE=1", "501 5.5.4"),
    "unknown": ("FROM:<> MT-PRIORITY=3", "555 5.5.4"),
    "unknown without value": ("FROM:<> FOO", "555 5.5.4"),
    "not offered": ("FROM:<> REQUIRETLS", "555 5.5.4"),
    "twice": ("FROM:<> SIZE=1 size=2", "501 5.5.4"),
    "size": ("FROM:<> SIZE=x", "501 5.5.4"),
    "size in other digits": ("FROM:<> SIZE=٣", "501 5.5.4"),
    "size without": ("FROM:<> SIZE", "501 5.5.4"),
    "size empty": ("FROM:<> SIZE=", "501 5.5.4"),
    "size negative": ("FROM:<> SIZE=-1", "501 5.5.4"),
    "size huge": ("FROM:<> SIZE=" + "9" * 21, "501 5.5.4"),
    "body": ("FROM:<> BODY=BINARYMIME", "501 5.5.4"),
    "flag with value": ("FROM:<> SMTPUTF8=1", "501 5.5.4"),
    "xtext": ("FROM:<> AUTH=a+zz", "501 5.5.4"),
    "two equals": ("FROM:<> SIZE=1=2", "501 5.5.4"),
    "no keyword": ("FROM:<> =1", "501 5.5.4"),
}


@pytest.mark.parametrize("name", MAILS)
def test_mail(name: str) -> None:
    text, expected = MAILS[name]
    if isinstance(expected, Mail):
        assert parse_mail(text.encode(), KNOWN) == expected
        return
    with pytest.raises(CommandError) as info:
        parse_mail(text.encode(), KNOWN)
    assert f"{info.value.reply.code} {info.value.reply.enhanced}" == expected


def test_values_of_mail_parameters() -> None:
    mail = parse_mail(b"FROM:<> SIZE=0010 SMTPUTF8", KNOWN)
    assert (mail.size, mail.smtputf8) == (10, True)
    mail = parse_mail(b"FROM:<>", KNOWN)
    assert (mail.size, mail.smtputf8) == (None, False)


def test_parameters_belong_to_what_is_offered() -> None:
    assert "AUTH" in KNOWN
    assert "AUTH" not in mail_parameters(Offer(hostname="mx"))
    assert set(rcpt_parameters(OFFER)) == {"NOTIFY", "ORCPT"}
    for row in EXTENSIONS:
        assert all(name == name.upper() for name in (*row.mail, *row.rcpt))


RCPTS: dict[str, tuple[str, bool, Rcpt | str]] = {
    "plain": ("TO:<anna@x.test>", False, Rcpt(ANNA)),
    "postmaster": ("TO:<PostMaster>", False, Rcpt(Mailbox("PostMaster", ""))),
    "route": ("TO:<@a,@b:anna@x.test>", False, Rcpt(ANNA)),
    "UTF-8": ("TO:<ä@x.test>", True, Rcpt(Mailbox("ä", "x.test"))),
    "no SMTPUTF8": ("TO:<ä@x.test>", False, "553 5.6.7"),
    "null": ("TO:<>", False, "501 5.1.3"),
    "malformed": ("TO:<a b@x>", False, "501 5.1.3"),
    "long": ("TO:<" + "a" * 300 + "@x.test>", False, "501 5.1.3"),
    "parameter": ("TO:<anna@x.test> BY=1;N", False, "555 5.5.4"),
    "FROM": ("FROM:<anna@x.test>", False, "501 5.5.4"),
}


@pytest.mark.parametrize("name", RCPTS)
def test_rcpt(name: str) -> None:
    text, smtputf8, expected = RCPTS[name]
    known = rcpt_parameters(OFFER)
    if isinstance(expected, Rcpt):
        assert parse_rcpt(text.encode(), known, smtputf8=smtputf8) == expected
        return
    with pytest.raises(CommandError) as info:
        parse_rcpt(text.encode(), known, smtputf8=smtputf8)
    assert f"{info.value.reply.code} {info.value.reply.enhanced}" == expected


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        (b"mail.example.com", "mail.example.com"),
        (b"[192.0.2.1]", "[192.0.2.1]"),
        (b"[IPv6:::1]", "[IPv6:::1]"),
        (b"my_pc", "my_pc"),
        (b"b\xfcro", "b?ro"),
        (b"", None),
        (b"two words", None),
        (b"x" * 256, None),
    ],
)
def test_hello(argument: bytes, name: str | None) -> None:
    if name is not None:
        assert parse_hello(argument, extended=True) == Hello(name, True)
        return
    with pytest.raises(CommandError):
        parse_hello(argument, extended=False)


def test_auth() -> None:
    assert parse_auth(b"plain") == Auth("PLAIN", None)
    assert parse_auth(b"SCRAM-SHA-256 =") == Auth("SCRAM-SHA-256", b"=")
    for argument in (b"", b"PLAIN a b", b"PL@IN", b"\xff", b"X" * 21):
        with pytest.raises(CommandError):
            parse_auth(argument)


def test_bdat() -> None:
    assert parse_bdat(b"0") == Bdat(0, False)
    assert parse_bdat(b"10  last") == Bdat(10, True)
    for argument in (b"", b"LAST", b"-1", b"1 2", b"1LAST", b"1 LAST x", b"9" * 21, b"0x10", b"1_0", b"+1"):
        with pytest.raises(CommandError) as info:
            parse_bdat(argument)
        assert info.value.reply.closes


@given(line=st.one_of(st.binary(max_size=60), st.text('FROMT:<>@ax =SIZE"\\é', max_size=40).map(str.encode)))
def test_soup_gives_a_value_or_a_reply(line: bytes) -> None:
    parsers = (
        split_line,
        lambda octets: parse_mail(octets, KNOWN),
        lambda octets: parse_mail(b"FROM:<" + octets, KNOWN),
        lambda octets: parse_mail(b"FROM:<> " + octets, KNOWN),
        lambda octets: parse_rcpt(b"TO:<" + octets, {}, smtputf8=True),
        lambda octets: parse_hello(octets, extended=True),
        parse_auth,
        parse_bdat,
    )
    for parser in parsers:
        try:
            parser(line)
        except CommandError as error:
            assert not error.reply.is_positive
