"""Messages to the client, slice by slice: long answers wait for slow clients and let other sessions work."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from crockery import limits
from crockery.imap.fetching import Plan, Slice
from crockery.imap.messages import Messages
from crockery.imap.selected import Indices, Selected
from crockery.imap.session import Session
from crockery.imap.streaming import send_large

Sizes = npt.NDArray[np.int64]

SECTION_COST: Final = 256
"""Looking for one more section of a message takes as long as reading so many octets."""

MAKING_COST: Final = 8
"""Making the row of a message takes, at worst, as long as reading so many times as many octets."""


async def send_messages(session: Session, selected: Selected, indices: Indices, plan: Plan) -> None:
    """Send what `plan` has of these messages; those that are gone are passed over. Raises Refusal."""
    for chosen in _slices(selected, indices, plan, session.shared.messages):
        here, rows = selected.rows(chosen)
        if not len(here):
            continue
        if plan.tells_flags:
            session.out.write(selected.tell_new_flag_names(), selected.mailbox.position)
        part = Slice(selected, here, rows, session.shared.messages)
        if _goes_alone(part, plan):
            await send_large(session.out, plan, part)
        else:
            session.out.write_all(plan.render(part), selected.mailbox.position)
        await session.out.relieve()


def _slices(selected: Selected, indices: Indices, plan: Plan, messages: Messages) -> Iterator[Indices]:
    """Messages to render at once: many where the columns have it all, else by their size, and large ones alone."""
    if not (plan.needs_data or plan.asks or plan.needs_preview):
        for start in range(0, len(indices), limits.IMAP_LINES):
            yield indices[start : start + limits.IMAP_LINES]
        return
    for start in range(0, len(indices), limits.IMAP_SLICE):  # to look at all of a large mailbox takes long
        yield from _cut(selected, indices[start : start + limits.IMAP_SLICE], plan, messages)


def _cut(selected: Selected, indices: Indices, plan: Plan, messages: Messages) -> Iterator[Indices]:
    here, rows = selected.rows(indices)
    columns = selected.mailbox.columns
    ends = np.cumsum(_costs(columns.size[rows].astype(np.int64), columns.number[rows].tolist(), plan, messages))
    start, done = 0, 0
    while start < len(here):
        stop = max(start + 1, int(ends.searchsorted(done + limits.IMAP_OUTPUT_HELD, side="right")))
        yield here[start:stop]
        start, done = stop, int(ends[stop - 1])


def _costs(sizes: Sizes, numbers: list[int], plan: Plan, messages: Messages) -> Sizes:
    """How long each message takes: of a slice IMAP_OUTPUT_HELD in all, of one that goes alone as much."""
    held = limits.IMAP_OUTPUT_HELD
    if plan.needs_data:
        costs = sizes.copy()
    else:
        least = held // limits.IMAP_SLICE_READY
        costs = np.clip(sizes, least, held) if plan.needs_preview else np.full(len(sizes), least)
    if plan.asks:
        made = ~messages.known(numbers, plan.asks)
        costs[made] = np.maximum(MAKING_COST * sizes[made], held // limits.IMAP_SLICE_MADE)
        costs[made & (sizes > limits.IMAP_MADE_MIN)] = held
    costs += SECTION_COST * max(len(plan.sections) - 1, 0)
    return costs


def _goes_alone(part: Slice, plan: Plan) -> bool:
    """Whether it is one message that has to be read, and takes long."""
    if len(part.rows) > 1:
        return False
    size = int(part.columns.size[part.rows[0]])
    reads = plan.needs_data and size > limits.IMAP_STREAMED_MIN
    return reads or (size > limits.IMAP_MADE_MIN and not part.messages.known(part.numbers, plan.asks).all())
