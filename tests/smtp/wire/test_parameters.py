"""The parameters of DSN, REQUIRETLS, FUTURERELEASE and DELIVERBY: what they may be, and what they mean."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.smtp.wire import CommandError, Mail, Offer, Rcpt
from crockery.smtp.wire.commands import DeliverBy, parse_mail, parse_rcpt
from crockery.smtp.wire.extensions import mail_parameters, rcpt_parameters, read_date_time, render_keywords
from crockery.smtp.wire.xtext import XTEXT, decode_orcpt, decode_xtext, encode_orcpt, encode_xtext

SUBMISSION = Offer(hostname="mx", is_submission=True, tls_active=True, now=1_800_000_000)
MX = Offer(hostname="mx")


def mail(parameters: str, offer: Offer = SUBMISSION) -> Mail:
    return parse_mail(f"FROM:<a@x.test> {parameters}".encode(), mail_parameters(offer))


def rcpt(parameters: str) -> Rcpt:
    return parse_rcpt(f"TO:<b@y.test> {parameters}".encode(), rcpt_parameters(MX), smtputf8=True)


def refusal(parse: object, parameters: str, *more: object) -> int:
    with pytest.raises(CommandError) as info:
        parse(parameters, *more)  # type: ignore[operator]
    return info.value.reply.code


@pytest.mark.parametrize(
    ("parameters", "name", "value"),
    [
        ("RET=hdrs", "ret", "HDRS"),
        ("RET=FULL", "ret", "FULL"),
        ("", "ret", ""),
        ("ENVID=QQ314159", "envid", "QQ314159"),
        ("ENVID=a+2Bb+3Dc+20d", "envid", "a+b=c d"),
        ("ENVID=" + "+41" * 100, "envid", "A" * 100),
        ("", "envid", ""),
        ("REQUIRETLS", "requiretls", True),
        ("", "requiretls", False),
        ("HOLDFOR=86400", "hold_for", 86400),
        ("", "hold_for", None),
        ("HOLDUNTIL=2027-01-15T08:00:00Z", "hold_until", 1_800_000_000),
        ("HOLDUNTIL=2027-01-15t09:30:00.25+01:30", "hold_until", 1_800_000_000),
        ("", "hold_until", None),
        ("BY=120;R", "deliver_by", DeliverBy(120, True)),
        ("BY=+120;nt", "deliver_by", DeliverBy(120, False, True)),
        ("BY=-30;N", "deliver_by", DeliverBy(-30, False)),
        ("BY=0;N", "deliver_by", DeliverBy(0, False)),
        ("", "deliver_by", None),
    ],
)
def test_mail_parameters(parameters: str, name: str, value: object) -> None:
    assert getattr(mail(parameters), name) == value


@pytest.mark.parametrize(
    "parameters",
    [
        "RET=BODY", "RET", "ENVID=", "ENVID=a+", "ENVID=a+G0", "ENVID=ä", "ENVID=" + "a" * 101, "REQUIRETLS=1",
        "HOLDFOR=0", "HOLDFOR=-1", "HOLDFOR=1000000000", "HOLDFOR=x", "HOLDFOR", "HOLDFOR=٣",
        "HOLDFOR=60 HOLDUNTIL=2027-01-15T08:00:00Z", "HOLDFOR=60 HOLDFOR=70",
        "HOLDUNTIL=2027-01-15T08:00:00", "HOLDUNTIL=2027-02-30T08:00:00Z", "HOLDUNTIL=2027-01-15T25:00:00Z",
        "HOLDUNTIL=0000-01-01T00:00:00Z", "HOLDUNTIL=2027-01-15", "HOLDUNTIL=2027-01-15T08:00:00+24:00",
        "BY=0;R", "BY=-5;R", "BY=000;RT", "BY=5", "BY=5;X", "BY=5;RN", "BY=;R", "BY=1000000000;N", "BY=5;R;T",
    ],
)  # fmt: skip
def test_bad_mail_parameters(parameters: str) -> None:
    assert refusal(mail, parameters) == 501


@pytest.mark.parametrize("parameters", ["HOLDFOR=60", "HOLDUNTIL=2027-01-15T08:00:00Z", "BY=60;N", "REQUIRETLS"])
def test_not_offered_to_strangers_without_tls(parameters: str) -> None:
    assert refusal(mail, parameters, MX) == 555


@pytest.mark.parametrize(
    ("parameters", "notify", "orcpt"),
    [
        ("", (), ""),
        ("NOTIFY=NEVER", ("NEVER",), ""),
        ("NOTIFY=success,Delay ORCPT=rfc822;Carol+2Bx@example.net", ("SUCCESS", "DELAY"), "rfc822;Carol+x@example.net"),
        ("ORCPT=utf-8;c\\x{E4}rol@example.net", (), "utf-8;c\\x{E4}rol@example.net"),
        ("ORCPT=UTF-8;cärol@example.net", (), "UTF-8;cärol@example.net"),
        ("ORCPT=x400;/C=DE/", (), ""),
    ],
)
def test_rcpt_parameters(parameters: str, notify: tuple[str, ...], orcpt: str) -> None:
    if "=DE" in parameters:
        assert refusal(rcpt, parameters) == 501
        return
    assert (rcpt(parameters).notify, rcpt(parameters).orcpt) == (notify, orcpt)


@pytest.mark.parametrize(
    "parameters",
    [
        "NOTIFY", "NOTIFY=", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=SUCCESS,", "NOTIFY=ALWAYS",
        "ORCPT=carol@example.net", "ORCPT=;c@x", "ORCPT=rfc822;", "ORCPT=rfc822;a+", "ORCPT=rfc822;ä@x", "ORCPT=utf-8;",
        "ORCPT=rfc822;" + "a" * 500,
    ],
)  # fmt: skip
def test_bad_rcpt_parameters(parameters: str) -> None:
    assert refusal(rcpt, parameters) == 501


def test_what_is_announced() -> None:
    assert limits.SMTP_MAX_HOLD == 366 * 86400
    to_people, to_servers = render_keywords(SUBMISSION), render_keywords(MX)
    assert {"DSN", "REQUIRETLS", "DELIVERBY", "FUTURERELEASE 31622400 2028-01-16T08:00:00Z"} <= set(to_people)
    assert "DSN" in to_servers
    assert not any(line.startswith(("REQUIRETLS", "DELIVERBY", "FUTURERELEASE")) for line in to_servers)
    assert "REQUIRETLS" in render_keywords(Offer(hostname="mx", tls_active=True))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_xtext_there_and_back(text: str) -> None:
    encoded = encode_xtext(text)
    assert decode_xtext(encoded) == text
    assert re.fullmatch(XTEXT, encoded) or not text
    for kind in ("rfc822", "utf-8"):
        assert decode_orcpt(encode_orcpt(f"{kind};{text}")) == f"{kind};{text}"


@given(st.text(st.sampled_from("0123456789-+:.TtZz ")))
def test_any_date_time_is_read_or_not(text: str) -> None:
    read_date_time(text)
    read_date_time("2027-01-15T08:00:00" + text)
