"""A model of mailboxes and their clients so simple that it is obviously right, and sessions driven against it.

Steps are tuples of small numbers (`Step`), read against the state of the moment, so that any list of them is a sequence
of commands and a shorter one is simpler (`imap_steps`). Commands run one at a time, over several connections, some of
them in IDLE; now and then many at once (`imap_storm`). After each: the reply is the one foreseen; sequence numbers
never moved where they must not; and whatever changed has been told, so that the client's own picture is the mailbox
(`imap_world`).
"""

import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import trio

from tests.support.imap_lines import Differs
from tests.support.imap_steps import ACTIONS, fetch, noop
from tests.support.imap_storm import in_small_steps
from tests.support.imap_world import SESSIONS, World

Step = tuple[int, int, int, int]
"""Session, what to do, and two numbers that choose among what is there."""


@contextlib.asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """A world with a server in `folder`."""
    with in_small_steps():
        async with trio.open_nursery() as nursery:
            world = World(folder, nursery)
            await world.start()
            yield world
            await world.stop()


async def restart(world: World) -> None:
    """Stop the server and start it on the same log: nothing that was told may be forgotten."""
    await world.stop()
    await world.start()
    world.story.append("the server restarts")


def random_steps(rng: random.Random, count: int) -> list[Step]:
    """Steps of a random sequence."""
    return [(rng.randrange(SESSIONS), rng.randrange(1000), rng.randrange(64), rng.randrange(64)) for _ in range(count)]


async def play(world: World, steps: Sequence[Step]) -> None:
    """Do these steps, and look at everything in the end. Raises Differs, with the story."""
    try:
        for session, action, a, b in steps:
            await ACTIONS[action % len(ACTIONS)](world, session % SESSIONS, a, b)
        for session in range(SESSIONS):
            await world.leave_idle(session)
            await noop(world, session, 0, 0)
            await fetch(world, session, 0, 1)
    except (Differs, trio.TooSlowError) as error:
        raise Differs("\n".join([*world.story, repr(error)])) from error
