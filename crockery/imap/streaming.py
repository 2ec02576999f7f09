"""FETCH of one large message: its octets pass through in frames and are never held as a whole.

What precedes the octets (a literal's size) is known from the columns and the tree of parts, so nothing has to be read
twice; a slow client holds up its own session only (design §5).
"""

import trio

from crockery import limits
from crockery.imap.fetching import Plan, Slice, decode_part, render_decoded, render_part
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.wire.fetch import FetchItem, FetchSection
from crockery.limits import MAX_PARSED_HEADER
from crockery.message.headers import header_fields, header_fields_not
from crockery.message.sections import find_part, section_range


async def send_large(out: Output, plan: Plan, part: Slice) -> None:
    """Write the response for the one message of `part`. Raises Refusal before anything of it is written."""
    number, messages = part.numbers[0], part.messages
    size = int(part.selected.mailbox.columns.size[part.rows[0]])
    if plan.asks:
        await messages.prepare(number, size)
    if any(_needs_tree(item, plan.utf8) for item in plan.items):
        part.trees = [await messages.tree(number, size)]
    decodes = any(section.kind != "BODY" for section in plan.sections)
    async with messages.holding(2 * size if decodes else 0):
        await _send(out, plan, part, size)


async def _send(out: Output, plan: Plan, part: Slice, size: int) -> None:
    sending = _Sending(out, part, size)
    out.write(plan.render_head(part), part.selected.mailbox.position)
    for at, item in enumerate(plan.items):
        if at:
            out.write(b" ")
        if isinstance(item, FetchSection):
            await sending.section(item)
        else:
            out.write(plan.render_item(at, part))
    out.write(b")\r\n")


def _needs_tree(item: FetchItem | FetchSection, utf8: bool) -> bool:
    if isinstance(item, FetchItem):
        return item.name == "BODY" or (utf8 and item.name in ("ENVELOPE", "BODYSTRUCTURE"))
    return item.kind != "BODY" or bool(item.part or item.text)


class _Sending:
    """One message on its way out."""

    def __init__(self, out: Output, part: Slice, size: int) -> None:
        self._out = out
        self._part = part
        self._messages: Messages = part.messages
        self._number = part.numbers[0]
        self._size = size
        self._last: tuple[tuple[int, ...], bytes] | None = None
        """The part that was decoded last, for those who ask for one in many pieces."""

    async def section(self, section: FetchSection) -> None:
        """One `BODY[...]` or `BINARY[...]` of it."""
        bounds = self._bounds(section)
        if bounds is None:
            empty = b" 0" if section.kind == "BINARY.SIZE" else b" NIL"
            self._out.write(section.label + empty)
        elif section.kind != "BODY":
            await self._decoded(section, bounds)
        elif section.text.startswith("HEADER.FIELDS"):
            self._out.write(render_part(section, self._fields(section, bounds)))
        else:
            await self._octets(section, bounds)

    def _bounds(self, section: FetchSection) -> tuple[int, int] | None:
        if not section.part and not section.text:
            return 0, self._size
        text = "HEADER" if section.text.startswith("HEADER") else section.text
        return section_range(self._part.trees[0], section.part, text)

    def _fields(self, section: FetchSection, bounds: tuple[int, int]) -> bytes:
        start, end = bounds
        header = self._messages.read_range(self._number, start, min(end - start, MAX_PARSED_HEADER))
        select = header_fields if section.text == "HEADER.FIELDS" else header_fields_not
        return select(header, section.fields, 0, len(header))

    async def _octets(self, section: FetchSection, bounds: tuple[int, int]) -> None:
        start, end = bounds
        if section.partial is not None:
            start = min(start + section.partial[0], end)
            end = min(start + section.partial[1], end)
        self._out.write(b"%b {%d}\r\n" % (section.label, end - start))
        while start < end:
            data = self._messages.read_range(self._number, start, min(end - start, limits.IMAP_STREAM_STEP))
            start += len(data)
            self._out.write(data)
            await self._out.relieve()

    async def _decoded(self, section: FetchSection, bounds: tuple[int, int]) -> None:
        start, end = bounds
        part = find_part(self._part.trees[0], section.part)
        assert part is not None

        def read() -> bytes:
            data = self._messages.read_range(self._number, start, end - start)
            return data if not section.part else decode_part(data, part)

        if self._last is None or self._last[0] != section.part:
            self._last = None
            self._last = section.part, await trio.to_thread.run_sync(read)
        self._out.write(render_decoded(section, self._last[1]))
        await self._out.relieve()
