"""SRS: there and back, through relays that fold case; what is forged or stale is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.delivery.srs import SRSError, is_rewritten, restore, rewrite
from crockery.limits import SRS_MAX_AGE
from crockery.smtp.wire import Mailbox, parse_mailbox

KEY = b"0123456789abcdef"
US = "us.test"
DAY = 20_779

locals_ = st.one_of(
    st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[A-Z0-9=+-]{1,9})?", fullmatch=True),
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc", "Zs"]), min_size=1),
)
domains = st.sampled_from(["shady.net", "a.b.example.test", "xn--mller-kva.de", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
senders = st.builds(Mailbox, locals_, domains)


@given(senders, st.integers(0, 10**6), st.integers(0, SRS_MAX_AGE))
def test_there_and_back(sender: Mailbox, day: int, age: int) -> None:
    ours = rewrite(sender, US, KEY, day)
    assert ours.domain == US and is_rewritten(ours.local)
    assert parse_mailbox(str(ours)) == ours
    back = restore(ours.local, KEY, day + age)
    if not sender.local.lower().startswith(("srs0", "srs1")):
        assert back == sender


@given(senders)
def test_case_may_be_changed(sender: Mailbox) -> None:
    ours = rewrite(sender, US, KEY, DAY).local
    changed = "".join(chr(ord(c) ^ 32) if c.isascii() and c.isalpha() else c for c in ours)
    back = restore(changed, KEY, DAY)
    assert back.domain.lower() == sender.domain.lower()
    assert back.local.lower() == restore(ours, KEY, DAY).local.lower()


@given(senders)
def test_three_forwarders(sender: Mailbox) -> None:
    """A forwards to B, B to us, we to D: a bounce comes to us, goes to A, and from there to the sender."""
    other, third = b"key of the first", b"key of the third"
    at_a = rewrite(sender, "a.test", other, DAY)
    at_b = rewrite(at_a, "b.test", third, DAY)
    at_us = rewrite(at_b, US, KEY, DAY)
    assert at_us.local.startswith("SRS1=")
    assert len(at_us.local) == len(at_b.local)  # it grows no longer
    assert restore(at_us.local, KEY, DAY) == at_a
    assert restore(at_b.local, third, DAY) == at_a


@pytest.mark.parametrize(
    ("local", "first", "inner"),
    [
        ("SRS0=HHH=TT=orig.test=joe", "fwd.test", "SRS0=HHH=TT=orig.test=joe"),
        ("SRS0+HHH=TT=orig.test=joe", "fwd.test", "SRS0+HHH=TT=orig.test=joe"),
        ("srs0-HHH=TT=orig.test=joe", "fwd.test", "SRS0-HHH=TT=orig.test=joe"),
        ("SRS1=XYZ=far.test==HHH=TT=orig.test=joe", "far.test", "SRS0=HHH=TT=orig.test=joe"),
        ("SRS1+XYZ=far.test=+HHH=TT=orig.test=joe", "far.test", "SRS0+HHH=TT=orig.test=joe"),
        ("SRS1=XYZ=far.test=-HHH=TT=orig.test=joe", "far.test", "SRS0-HHH=TT=orig.test=joe"),
    ],
)
def test_other_implementations(local: str, first: str, inner: str) -> None:
    ours = rewrite(Mailbox(local, "fwd.test"), US, KEY, DAY)
    assert ours.local.startswith("SRS1=")
    assert restore(ours.local, KEY, DAY) == Mailbox(inner, first)


def test_form() -> None:
    assert str(rewrite(Mailbox("joe", "orig.test"), US, KEY, DAY)).startswith("SRS0=")
    own = Mailbox("anna", US)
    assert rewrite(own, US, KEY, DAY) is own
    with_blank = rewrite(Mailbox("joe doe", "orig.test"), US, KEY, DAY)
    assert str(with_blank).startswith('"SRS0=') and str(with_blank).endswith('=orig.test=joe doe"@us.test')


@pytest.mark.parametrize("sender", ["joe@orig.test", "SRS0=a=b=c=d@orig.test"])
def test_every_change_is_refused(sender: str) -> None:
    local = rewrite(parse_mailbox(sender), US, KEY, DAY).local
    assert restore(local, KEY, DAY)
    for position in range(len(local)):
        replacement = "b" if local[position].lower() != "b" else "c"
        for forged in (
            local[:position] + replacement + local[position + 1 :],
            local[:position] + local[position + 1 :],
            local[:position] + replacement + local[position:],
        ):
            if forged.lower() != local.lower():
                with pytest.raises(SRSError):
                    restore(forged, KEY, DAY)
    with pytest.raises(SRSError):
        restore(local, b"another key of ours", DAY)


@pytest.mark.parametrize("sender", ["joe@orig.test", "SRS0=a=b=c=d@orig.test"])
@pytest.mark.parametrize("age", [SRS_MAX_AGE + 1, 400, 1023, -1])
def test_age(sender: str, age: int) -> None:
    local = rewrite(parse_mailbox(sender), US, KEY, DAY).local
    with pytest.raises(SRSError, match="too old"):
        restore(local, KEY, DAY + age)


@given(st.text(max_size=40), st.sampled_from(["", "SRS0=", "srs1=", "SRS0=aaaaaaaa=bb=", "SRS1=aaaaaaaabb=x=="]))
def test_anything_is_refused_cleanly(text: str, start: str) -> None:
    with pytest.raises(SRSError):
        restore(start + text, KEY, DAY)


def test_long_input_takes_no_time() -> None:
    with pytest.raises(SRSError):
        restore("SRS1=aaaaaaaabb=" + "=" * 10**6, KEY, DAY)


def test_today_is_needed() -> None:
    assert 7 < SRS_MAX_AGE < 1024 - 7
