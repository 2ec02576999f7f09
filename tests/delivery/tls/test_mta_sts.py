"""MTA-STS: the record, the policy, and how long it counts."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.delivery.tls.mta_sts import (
    Kept,
    Mode,
    Policy,
    PolicyError,
    in_force,
    parse_policy,
    parse_record,
    wants_fetch,
)
from crockery.limits import STS_MAX_AGE

ENFORCE = Policy(Mode.ENFORCE, ("mx.example.test", "*.mail.test"), 86400)
TEXT = b"version: STSv1\nmode: enforce\nmx: mx.example.test\nmx: *.mail.test\nmax_age: 86400\n"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([b"v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        ([b"v=STSv1;id=1"], "1"),
        ([b"v=STSv1 ; id=1 ; "], "1"),
        ([b"v=STSv1; id=1; later=x.y/z"], "1"),
        ([b"v=STSv1; later=x; id=1"], "1"),
        ([b"v=spf1 -all", b"v=STSv1; id=1"], "1"),
        ([], None),
        ([b""], None),
        ([b"v=spf1 -all"], None),
        ([b"v=STSv1; id=1", b"v=STSv1; id=2"], None),
        ([b"v=STSv1; id=1", b"v=STSv1; id=1"], None),
        ([b"v=STSv1"], None),
        ([b"v=STSv1;"], None),
        ([b"v=STSv2; id=1"], None),
        ([b"V=STSv1; id=1"], None),
        ([b" v=STSv1; id=1"], None),
        ([b"v=STSv1; id="], None),
        ([b"v=STSv1; id=" + b"1" * 33], None),
        ([b"v=STSv1; id=1-2"], None),
        ([b"v=STSv1; id=1; id=2"], None),
        ([b"v=STSv1; ID=1"], None),
        ([b"v=STSv1; id=1;; x=y"], None),
        ([b"v=STSv1; id=1; x"], None),
        ([b"v=STSv1; id=1; \xff=1"], None),
        ([b"v=STSv1 id=1"], None),
    ],
)
def test_records(records: list[bytes], expected: str | None) -> None:
    assert parse_record(records) == expected


POLICIES = {
    "LF": (TEXT, ENFORCE),
    "CRLF": (TEXT.replace(b"\n", b"\r\n"), ENFORCE),
    "no last line end": (TEXT.rstrip(), ENFORCE),
    "empty lines at the end": (TEXT + b"\n\r\n", ENFORCE),
    "blanks at the ends": (TEXT.replace(b"\n", b" \t\n"), ENFORCE),
    "no blanks": (TEXT.replace(b": ", b":"), ENFORCE),
    "any order": (b"\n".join(sorted(TEXT.split(b"\n")[:-1])), Policy(Mode.ENFORCE, ENFORCE.mx[::-1], 86400)),
    "unknown fields": (TEXT + "x-new_1: ä b\nempty:\n".encode(), ENFORCE),
    "the first counts": (TEXT + b"mode: none\nversion: 2\nmax_age: 1\n", ENFORCE),
    "capitals in mx": (TEXT.replace(b"mx.example", b"MX.Example"), ENFORCE),
    "testing": (TEXT.replace(b"enforce", b"testing"), Policy(Mode.TESTING, ENFORCE.mx, 86400)),
    "none without mx": (b"version: STSv1\nmode: none\nmax_age: 0", Policy(Mode.NONE, (), 0)),
    "the longest age": (
        TEXT.replace(b"86400", str(STS_MAX_AGE).encode()),
        Policy(Mode.ENFORCE, ENFORCE.mx, STS_MAX_AGE),
    ),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name: str) -> None:
    body, expected = POLICIES[name]
    policy = parse_policy(body)
    assert (policy.mode, sorted(policy.mx), policy.max_age) == (expected.mode, sorted(expected.mx), expected.max_age)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        TEXT.replace(b"STSv1", b"STSv2"),
        TEXT.replace(b"version: STSv1\n", b""),
        TEXT.replace(b"enforce", b"Enforce"),
        TEXT.replace(b"mode: enforce\n", b""),
        TEXT.replace(b"86400", str(STS_MAX_AGE + 1).encode()),
        TEXT.replace(b"86400", b"-1"),
        TEXT.replace(b"86400", b"1.5"),
        TEXT.replace(b"86400", "٣".encode()),
        TEXT.replace(b"86400", b"1" * 11),
        TEXT.replace(b"max_age: 86400\n", b""),
        b"version: STSv1\nmode: enforce\nmax_age: 1\n",
        TEXT.replace(b"*.mail.test", b"*"),
        TEXT.replace(b"*.mail.test", b"a*.test"),
        TEXT.replace(b"*.mail.test", b"*.*.test"),
        TEXT.replace(b"*.mail.test", b""),
        TEXT.replace(b"*.mail.test", b"a..b"),
        TEXT.replace(b"*.mail.test", b"a b"),
        TEXT.replace(b"*.mail.test", b"x" * 64),
        TEXT.replace(b"*.mail.test", b".".join([b"x" * 60] * 5)),
        TEXT.replace(b"\nmode", b"\n\nmode"),
        TEXT.replace(b"mode: ", b"mode "),
        TEXT.replace(b"mode: ", b" mode: "),
        TEXT.replace(b"\n", b"\r"),
        TEXT + b"\xff: x\n",
        TEXT + b"x: \0\n",
        TEXT + b"mx: a.test\n" * 101,
    ],
)
def test_what_is_no_policy(body: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(body)


@given(st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(TEXT.split(b"\n")), max_size=9).map(b"\n".join)))
def test_any_octets_give_a_policy_or_the_one_error(body: bytes) -> None:
    with contextlib.suppress(PolicyError):
        assert parse_policy(body).max_age >= 0
    parse_record([body])


def test_permitted_hosts() -> None:
    named = ["mx.example.test", "MX.example.test.", "a.mail.test"]
    others = ["example.test", "mail.test", "a.b.mail.test", "mx.example.test.evil.test", ""]
    assert [ENFORCE.permits(host) for host in named] == [True] * 3
    assert [ENFORCE.permits(host) for host in others] == [False] * 5


KEPT = Kept(ENFORCE, "1", 1000)


@pytest.mark.parametrize(
    ("kept", "found_id", "now", "fetch", "policy"),
    [
        (None, None, 1000, False, None),
        (None, "1", 1000, True, None),
        (KEPT, "1", 1000 + 86399, False, ENFORCE),
        (KEPT, "2", 1001, True, ENFORCE),
        (KEPT, None, 1001, False, ENFORCE),
        (KEPT, "1", 1000 + 86400, True, None),
        (KEPT, None, 1000 + 86400, False, None),
        (Kept(Policy(Mode.NONE, (), 100), "1", 1000), "1", 1001, False, None),
        (Kept(ENFORCE, "1", 10**10), "1", 1001, True, None),
    ],
    ids=["nothing", "new", "kept", "changed", "hidden", "too old", "too old and hidden", "none", "from the future"],
)
def test_what_is_kept_counts_until_its_age(
    kept: Kept | None, found_id: str | None, now: int, fetch: bool, policy: Policy | None
) -> None:
    assert wants_fetch(kept, found_id, now) is fetch
    assert in_force(kept, now) == policy
