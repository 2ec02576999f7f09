"""Crashes below the log: some 3,500 of them, each told by a seed (`tools/crash_sim.py` runs more)."""

import random

import pytest

from tests.support.crash_rounds import run_rounds
from tests.support.sim_file import PAGE, Crashed, SimFile

ROUNDS = 250


@pytest.mark.parametrize("first", range(0, 4 * ROUNDS, ROUNDS))
def test_nothing_acknowledged_is_lost(first: int) -> None:
    assert run_rounds(first, ROUNDS) > 2 * ROUNDS


# The simulator itself must be as bad as a disk.


def test_simulator_keeps_what_was_synced_and_any_part_of_the_rest() -> None:
    seen = set()
    for seed in range(300):
        file = SimFile(random.Random(seed))
        file.write([b"a" * PAGE], 0)
        file.sync()
        file.write([b"b" * PAGE, b"c" * PAGE], PAGE)
        file.power_cut()
        assert file.read(0, PAGE) == b"a" * PAGE
        second, third = file.read(PAGE, PAGE), file.read(2 * PAGE, PAGE)
        seen.add((second[:1], third[:1], len(second) == PAGE, len(third) == PAGE))
    assert {(b"b", b"c", True, True), (b"", b"", False, False), (b"\0", b"c", True, True)} <= seen
    assert any(not whole for _, _, whole, _ in seen)


def test_simulator_loses_what_a_failed_sync_lost_though_it_reads_well() -> None:
    lost = False
    for seed in range(20):
        file = SimFile(random.Random(seed))
        file.write([b"x" * PAGE], 0)
        file.faults = ["sync"]
        with pytest.raises(OSError, match="Input/output"):
            file.sync()
        file.sync()
        assert file.read(0, PAGE) == b"x" * PAGE
        file.power_cut()
        lost |= file.read(0, PAGE) != b"x" * PAGE
    assert lost


def test_simulator_crashes_in_the_middle_of_a_write() -> None:
    lengths = set()
    for seed in range(20):
        file = SimFile(random.Random(seed))
        file.fuse = 0
        with pytest.raises(Crashed):
            file.write([b"x" * 100], 0)
        lengths.add(file.size())
    assert len(lengths) > 5
