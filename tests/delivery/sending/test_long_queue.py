"""A tenth of the long queue of the benchmark: what it takes of memory, and how long the scheduler's steps are."""

import tracemalloc
from pathlib import Path

from crockery.delivery.sending.agenda import Agenda
from crockery.projections.restore import restore
from tests.support.server import make_log
from tools.bench.big_log import now
from tools.bench.rows_queue import fill_queue, scheduler_steps

QUEUED = 10_000
OCTETS = 800
"""Of a recipient of a message, at most; a hundred thousand then take 80 MB."""


def test_a_long_queue(tmp_path: Path) -> None:
    path = make_log(tmp_path)
    fill_queue(path, QUEUED)
    tracemalloc.start()
    try:
        restored = restore(path, now)
        queue = restored.state.queue
        agenda = Agenda(queue)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    restored.opened.log.close()
    assert len(queue.by_id) == QUEUED
    assert taken < QUEUED * OCTETS
    steps = scheduler_steps(agenda, now() // 1_000_000 + 1)
    assert len(steps) >= QUEUED // 10
    assert sorted(steps)[len(steps) // 2] < 0.001  # in the middle: one step may have to wait for the machine
