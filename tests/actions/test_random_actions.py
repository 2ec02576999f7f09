"""Random actions: mailboxes are what a simple model says, and live = replay = dump, load and the rest, at every cut.

A run is told by a list of seeds, one an action, so that hypothesis can drop the actions that do not matter.
"""

import tempfile
from pathlib import Path
from typing import Any

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery.events.opening import open_file
from crockery.events.verify import verify_file
from crockery.projections.state import State
from tests.support.acting import Acting
from tests.support.logs import ticking

seeds = st.lists(st.integers(0, 10**6), min_size=5, max_size=60)


def packed(state: State) -> Any:
    """A state's dump as it comes out of a file."""
    return msgpack.unpackb(msgpack.packb(state.dump()), strict_map_key=False)


@settings(max_examples=120, deadline=None)
@given(seeds)
def test_live_is_the_model_and_replay_is_live(actions: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        acting = Acting(Path(folder) / "d")
        for seed in actions:
            acting.act(seed)
        acting.log.commit()
        live = packed(acting.state)
        replayed = State()
        log = open_file(acting.file, replayed.apply, ticking(), Path(folder) / "d").log
        assert packed(replayed) == live
        assert log.head == acting.log.head == replayed.sequence
        unerased = {finding.kind for finding in verify_file(acting.file).findings}
        assert unerased <= {"unerased"}, "nobody has overwritten bodies here"


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_dump_and_the_rest_is_the_same_at_every_cut(actions: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        acting = Acting(Path(folder) / "d")
        for seed in actions:
            acting.act(seed)
    live = packed(acting.state)
    growing = State()
    done = 0
    for cut in acting.cuts:
        for event in acting.events[done:cut]:
            growing.apply(*event)
        done = cut
        loaded = State()
        loaded.load(packed(growing))
        assert packed(loaded) == packed(growing)
        for event in acting.events[cut:]:
            loaded.apply(*event)
        assert packed(loaded) == live
