"""A short run of the fuzzer, always the same, so that it neither rots nor surprises."""

import random

from tools.fuzz_smtp import check, session


def test_some_sessions() -> None:
    rng = random.Random(7)
    for _ in range(150):
        check(session(rng), rng)
