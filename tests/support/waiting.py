"""How long tests wait for what must come: very long, as the time matters only where they fail anyway."""

import time
from collections.abc import Callable
from typing import Final

import trio

PATIENCE: Final = 120.0
"""Seconds after which a test is sure that it waits in vain, on the busiest machine; below pytest's own limit."""


async def until(condition: Callable[[], object], what: str = "what must come") -> None:
    """Wait for it, by the real clock whatever Trio's clock is."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await trio.sleep(0.01)
