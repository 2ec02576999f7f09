"""What may be erased when: shared bodies, copies, parts, secrets; and what was."""

from typing import Any

import numpy as np
import pytest

from crockery.events.ranges import pack_numbers
from crockery.projections.retention import Retention


def orphaned(*numbers: int) -> dict[str, Any]:
    return {"orphaned": pack_numbers(np.array(numbers, dtype=np.uint64))}


def erased(*numbers: int) -> dict[str, Any]:
    return {"numbers": pack_numbers(np.array(numbers, dtype=np.uint64)), "why": "test"}


@pytest.fixture
def kept() -> Retention:
    """Message 1 alone; 2 shared by 3 and 4; 7 with parts 5 and 6; part 8 of nobody."""
    kept = Retention()
    kept.body_stored(1, 0, {})
    kept.body_stored(2, 0, {})
    kept.body_stored(3, 0, {"body_of": 2})
    kept.body_stored(4, 0, {"body_of": 2})
    for part in (5, 6):
        kept.body_part(part, 0, {})
    kept.body_stored(7, 0, {"parts": [5, 6]})
    kept.body_part(8, 0, {})
    return kept


def test_time_counts_from_the_last_reference(kept: Retention) -> None:
    kept.orphans_made(10, 1000, orphaned(1))
    kept.orphans_made(11, 2000, orphaned(2, 3))
    assert [list(kept.due(before)) for before in (999, 1000, 2000)] == [[], [1], [1, 2, 3]]


@pytest.mark.parametrize(
    ("given_up", "erased"),
    [
        ([1], [[1]]),
        ([2], []),
        ([3, 4], []),
        ([3, 1, 2, 4], [[1], [3, 2, 4]]),
        ([7], [[5, 6, 7]]),
        ([1, 2, 3, 4, 7], [[1], [2, 3, 4], [5, 6, 7]]),
    ],
)
def test_a_shared_body_goes_with_the_last_who_uses_it(
    kept: Retention, given_up: list[int], erased: list[list[int]]
) -> None:
    assert list(kept.erasable(given_up)) == erased


def test_parts_that_no_message_names_are_known(kept: Retention) -> None:
    assert kept.unreferenced_parts == {8}
    kept.bodies_erased(20, 0, erased(8))
    assert not kept.unreferenced_parts


def test_replaced_secrets_go_at_once(kept: Retention) -> None:
    kept.secret_replaced(20, 0, {"replaces": 0})
    assert not kept.replaced_secrets
    kept.secret_replaced(21, 0, {"replaces": 15})
    kept.app_password_removed(22, 0, {"app": 16})
    assert kept.replaced_secrets == {15, 16}
    kept.bodies_erased(23, 0, erased(15, 16))
    assert not kept.replaced_secrets


def test_what_is_erased_is_forgotten(kept: Retention) -> None:
    kept.orphans_made(10, 1000, orphaned(1, 2, 3, 4, 7))
    kept.bodies_erased(11, 2000, erased(1, 2, 3, 4, 5, 6, 7))
    assert not (kept.orphaned or kept.body_of or kept.sharers or kept.parts)
    assert kept.unfinished == {1, 2, 3, 4, 5, 6, 7}
    kept.server_stopped(12, 3000, {})
    assert not kept.unfinished, "an orderly stop has finished them"


def test_dump_and_load(kept: Retention) -> None:
    kept.orphans_made(10, 1000, orphaned(1, 2))
    kept.secret_replaced(21, 0, {"replaces": 15})
    kept.bodies_erased(22, 0, erased(1))
    other = Retention()
    other.load(kept.dump())
    assert other.dump() == kept.dump() and vars(other) == vars(kept)
