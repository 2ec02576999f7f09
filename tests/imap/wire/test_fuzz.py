"""The fuzzer's short form, and random octets: nothing but events, commands and BadCommand."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tools.fuzz_imap import fuzz, run_one

grammar = st.text('a1 (){}[]<>"\\*%$,:.+~&\r\n\0=FETCHSEARCHNOTOR', max_size=60).map(str.encode)


def test_mutated_commands() -> None:
    rounds, commands, failure = fuzz(2, seed=random.randrange(2**32))
    assert failure is None
    assert rounds > 100
    assert commands > 10


@given(st.binary(max_size=100) | grammar, st.integers(0, 9))
def test_random_octets(data: bytes, seed: int) -> None:
    run_one(random.Random(seed), data + b"\r\n")
    run_one(random.Random(seed), b"a FETCH " + data + b"\r\n")
    run_one(random.Random(seed), b"a SEARCH " + data + b"\r\n")
