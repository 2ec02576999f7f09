"""TLSA records: which count, and what they match."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.delivery.tls import dane
from crockery.delivery.tls.dane import Dane, State
from crockery.delivery.tls.faults import Fault
from crockery.net.resolver import TLSA
from tests.support.certificates import DAY, NOW, Made, make, tlsa

ROOT = make(ca=True, common_name="Root")
MIDDLE = make(ca=True, common_name="Middle", signer=ROOT)
HOST = "mx.example.test"
LEAF = make(HOST, signer=MIDDLE)
EXPIRED = make(HOST, signer=MIDDLE, begin=NOW - 9 * DAY, end=NOW - 1)
OTHER_NAME = make("other.test", signer=MIDDLE)
ALL = (*LEAF.chain, ROOT.der)
HASH = hashlib.sha256(b"").digest()

USABLE = [(usage, selector, matching) for usage in (2, 3) for selector in (0, 1) for matching in (0, 1, 2)]


@pytest.mark.parametrize(("usage", "selector", "matching"), USABLE)
def test_every_usable_form_matches_what_it_names_and_nothing_else(usage: int, selector: int, matching: int) -> None:
    named = LEAF if usage == 3 else MIDDLE
    record = tlsa(named.der, usage, selector, matching)
    assert dane.is_usable(record)
    assert dane.match([record], ALL, [HOST], NOW) == record
    stranger = make(HOST, signer=make(ca=True, common_name="Middle"))
    assert isinstance(dane.match([record], stranger.chain, [HOST], NOW), Fault)


@pytest.mark.parametrize(
    "record",
    [
        tlsa(LEAF.der, 0),
        tlsa(LEAF.der, 1),
        tlsa(LEAF.der, 4),
        tlsa(LEAF.der, 255),
        TLSA(3, 2, 1, HASH),
        TLSA(3, 1, 3, HASH),
        TLSA(3, 1, 1, HASH[:-1]),
        TLSA(3, 1, 2, HASH),
        TLSA(3, 1, 1, b""),
        TLSA(3, 1, 0, b""),
        TLSA(3, 0, 0, b"no certificate"),
        TLSA(2, 0, 0, b""),
    ],
    ids=str,
)
def test_unusable_records(record: TLSA) -> None:
    assert not dane.is_usable(record)
    assert dane.from_records([record], HOST).state is State.UNUSABLE
    assert dane.from_records([record, tlsa(LEAF.der)], HOST) == Dane(State.USABLE, (tlsa(LEAF.der),), HOST)


def test_an_end_certificate_needs_neither_name_nor_date() -> None:
    for odd in (EXPIRED, OTHER_NAME, make("nobody.test", end=NOW - 1)):
        assert dane.match([tlsa(odd.der, 3)], [odd.der], [HOST], NOW) == tlsa(odd.der, 3)


@pytest.mark.parametrize(
    ("leaf", "fault"), [(EXPIRED, Fault.EXPIRED), (OTHER_NAME, Fault.WRONG_NAME)], ids=["expired", "other name"]
)
def test_under_a_trust_anchor_names_and_dates_count(leaf: Made, fault: Fault) -> None:
    assert dane.match([tlsa(MIDDLE.der, 2)], leaf.chain, [HOST], NOW) is fault


def test_a_trust_anchor_may_be_the_root_or_in_between_and_names_may_be_several() -> None:
    for anchor in (ROOT, MIDDLE):
        record = tlsa(anchor.der, 2)
        assert dane.match([record], ALL, ["mx.other.test", HOST], NOW) == record
        assert dane.match([record], ALL, ["mx.other.test"], NOW) is Fault.WRONG_NAME


def test_a_trust_anchor_that_is_not_shown_counts_only_where_the_record_holds_it() -> None:
    assert dane.match([tlsa(ROOT.der, 2, 0, 1)], LEAF.chain, [HOST], NOW) is Fault.DANE_MISMATCH
    assert dane.match([tlsa(ROOT.der, 2, 0, 0)], LEAF.chain, [HOST], NOW) == tlsa(ROOT.der, 2, 0, 0)


def test_an_anchor_beside_the_chain_vouches_for_nothing() -> None:
    stranger = make(HOST)
    record = tlsa(MIDDLE.der, 2)
    assert isinstance(dane.match([record], [stranger.der, MIDDLE.der], [HOST], NOW), Fault)
    # Nor is the server's own certificate a trust anchor, however it is called in the DNS.
    assert dane.match([tlsa(stranger.der, 2)], [stranger.der], [HOST], NOW) is Fault.DANE_MISMATCH


def test_any_record_may_match() -> None:
    records = [tlsa(OTHER_NAME.der), tlsa(ROOT.der, 2), tlsa(LEAF.der)]
    assert dane.match(records, ALL, [HOST], NOW) == tlsa(LEAF.der)
    assert dane.match(records, [], [HOST], NOW) is Fault.UNREADABLE
    assert dane.match([], ALL, [HOST], NOW) is Fault.DANE_MISMATCH


def test_only_the_strongest_hash_counts() -> None:
    weak, strong = tlsa(OTHER_NAME.der, matching=1), tlsa(LEAF.der, matching=2)
    other, full = tlsa(LEAF.der, selector=0), tlsa(LEAF.der, matching=0)
    assert dane.strongest([weak, strong, other, full, strong]) == (strong, other, full)
    assert dane.strongest([weak]) == (weak,)


@given(
    st.builds(TLSA, st.integers(0, 255), st.integers(0, 3), st.integers(0, 3), st.binary(max_size=70)),
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(ALL)), max_size=4),
)
def test_no_record_and_no_chain_raises(record: TLSA, chain: list[bytes]) -> None:
    found = dane.from_records([record], HOST)
    if found.records:
        assert isinstance(dane.match(found.records, chain, [HOST], NOW), Fault)
