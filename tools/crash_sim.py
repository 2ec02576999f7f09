"""The crash simulator, for as long as you like: `python -m tools.crash_sim --rounds 100000`.

Each round is told by its number: `--first N --rounds 1` runs one again.
"""

import argparse
import time

from tests.support.crash_rounds import run_rounds


def main() -> None:
    """Run rounds and tell how it goes; a failure ends it with the round's number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    options = parser.parse_args()
    crashes, begun, step = 0, time.monotonic(), 500
    for done in range(0, options.rounds, step):
        rounds = min(step, options.rounds - done)
        crashes += run_rounds(options.first + done, rounds)
        print(f"\r{done + rounds:,} rounds, {crashes:,} crashes, {time.monotonic() - begun:.0f} s", end="", flush=True)
    print("\nnothing acknowledged was lost")


if __name__ == "__main__":
    main()
