"""Messages to the client, slice by slice: long answers wait for slow clients and let other sessions work."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from crockery import limits
from crockery.imap.fetching import Plan, Slice
from crockery.imap.messages import Messages
from crockery.imap.selected import Indices, Selected
from crockery.imap.session import Session
from crockery.imap.streaming import send_large

SECTION_COST: Final = 256
"""Looking for one more section of a message takes as long as reading so many octets."""


async def send_messages(session: Session, selected: Selected, indices: Indices, plan: Plan) -> None:
    """Send what `plan` has of these messages; those that are gone are passed over. Raises Refusal."""
    for chosen in _slices(selected, indices, plan, session.shared.messages):
        here, rows = selected.rows(chosen)
        if not len(here):
            continue
        part = Slice(selected, here, rows, session.shared.messages)
        if len(here) == 1 and _goes_alone(part, plan):
            await send_large(session.out, plan, part)
        else:
            session.out.write_all(plan.render(part), selected.mailbox.position)
        await session.out.relieve()


def _slices(selected: Selected, indices: Indices, plan: Plan, messages: Messages) -> Iterator[Indices]:
    """Messages to render at once: many where the columns have it all, else by their size, and large ones alone."""
    if not (plan.needs_data or plan.needs_kept or plan.needs_preview):
        for start in range(0, len(indices), limits.IMAP_LINES):
            yield indices[start : start + limits.IMAP_LINES]
        return
    for start in range(0, len(indices), limits.IMAP_SLICE):  # to look at all of a large mailbox takes long
        yield from _cut(selected, indices[start : start + limits.IMAP_SLICE], plan, messages)


def _cut(selected: Selected, indices: Indices, plan: Plan, messages: Messages) -> Iterator[Indices]:
    here, rows = selected.rows(indices)
    sizes = selected.mailbox.columns.size[rows].astype(np.int64)
    more = SECTION_COST * max(len(plan.sections) - 1, 0)
    if plan.needs_data:
        sizes += more
    else:
        numbers = selected.mailbox.columns.number[rows]
        count = limits.IMAP_SLICE_READY if messages.have_rows(numbers) else limits.IMAP_SLICE_KEPT
        weight = limits.IMAP_OUTPUT_HELD // count + more
        alone = np.flatnonzero(sizes > limits.IMAP_STREAMED_MIN) if plan.needs_kept else rows[:0]
        sizes = np.clip(sizes, weight, limits.IMAP_OUTPUT_HELD) if plan.needs_preview else np.full(len(sizes), weight)
        lacking = [not messages.has_kept(number) for number in numbers[alone].tolist()]
        sizes[alone[lacking]] = limits.IMAP_OUTPUT_HELD
    ends = np.cumsum(sizes)
    start, done = 0, 0
    while start < len(here):
        stop = max(start + 1, int(ends.searchsorted(done + limits.IMAP_OUTPUT_HELD, side="right")))
        yield here[start:stop]
        start, done = stop, int(ends[stop - 1])


def _goes_alone(part: Slice, plan: Plan) -> bool:
    """Whether the one message of a slice has to be read, and is large."""
    large = int(part.selected.mailbox.columns.size[part.rows[0]]) > limits.IMAP_STREAMED_MIN
    return large and (plan.needs_data or (plan.needs_kept and not part.messages.has_kept(part.numbers[0])))
