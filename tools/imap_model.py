"""Random sessions against the model of tests/support/imap_model.py, for as long as one likes.

    python -m tools.imap_model --sequences 10000 [--seed N] [--length 30]

Prints the first difference with the commands that led to it, made as few as possible.
"""

import argparse
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import trio

from tests.support.imap_lines import Differs
from tests.support.imap_model import Step, play, random_steps, restart, world_in

BATCH = 250  # sequences with one log


async def run_batch(rng: random.Random, count: int, length: int) -> tuple[list[Step], Differs] | None:
    """That many sequences on a fresh log, with restarts between some; the steps that failed, if any did."""
    with tempfile.TemporaryDirectory() as folder:
        async with world_in(Path(folder)) as world:
            for number in range(count):
                await world.begin()
                steps = random_steps(rng, length)
                try:
                    await play(world, steps)
                    if number % 10 == 9:
                        await restart(world)
                        steps = random_steps(rng, length)
                        await play(world, steps)
                except Differs as difference:
                    return steps, difference
    return None


async def fails(steps: list[Step]) -> Differs | None:
    """The difference that these steps lead to on a fresh log."""
    with tempfile.TemporaryDirectory() as folder:
        async with world_in(Path(folder)) as world:
            try:
                await play(world, steps)
            except Differs as difference:
                return difference
    return None


def shrink(steps: list[Step], difference: Differs) -> Differs:
    """The shortest story found by leaving steps out."""
    if trio.run(fails, steps) is None:
        return difference  # it needs what came before
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            fewer = steps[:start] + steps[start + size :]
            found = trio.run(fails, fewer)
            if found is not None:
                steps, difference = fewer, found
                break
        else:
            size //= 2
    return difference


def main() -> int:
    """Exit status 1 if there was a difference."""
    parser = argparse.ArgumentParser(description="Random IMAP sessions against a model")
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--length", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began, done = time.monotonic(), 0
    print(f"seed {options.seed}", flush=True)
    while done < options.sequences:
        count = min(BATCH, options.sequences - done)
        failure = trio.run(partial(run_batch, rng, count, options.length))
        if failure is not None:
            print(shrink(*failure))
            return 1
        done += count
        print(f"{done} sequences, {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
