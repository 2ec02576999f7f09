"""Several sessions at random against a model of mailboxes; tools/imap_model.py is long.

A failure prints the commands and responses that led to it; the second test makes them few.
"""

import random
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.imap_model import Step, play, random_steps, restart, world_in
from tests.support.imap_world import SESSIONS
from tools.imap_model import fails

SEQUENCES = 20
LENGTH = 30
small = st.integers(0, 63)
steps = st.lists(st.tuples(st.integers(0, SESSIONS - 1), small, small, small), max_size=40)


@pytest.mark.parametrize("part", range(2))
async def test_sessions_are_told_what_happens(part: int, tmp_path: Path) -> None:
    rng = random.Random()
    async with world_in(tmp_path) as world:
        for sequence in range(SEQUENCES):
            await world.begin()
            await play(world, random_steps(rng, LENGTH))
            if sequence % 10 == 5:
                await restart(world)
                await play(world, random_steps(rng, LENGTH))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_the_shortest_story(steps: list[Step]) -> None:
    difference = trio.run(fails, steps)
    assert difference is None, str(difference)
