"""INPROGRESS: word to the client that a long command is still being worked on (RFC 9585)."""

from time import perf_counter

from crockery import limits
from crockery.imap.output import Output
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_in_progress


class Progress:
    """Of one command. To be told of between responses only, never in the midst of one."""

    __slots__ = ("_out", "_tag", "_told")

    def __init__(self, out: Output, tag: bytes) -> None:
        self._out = out
        self._tag = tag
        self._told = perf_counter()

    async def tell(self, done: int, goal: int) -> None:
        """So much is done; the client hears of it if it has heard nothing for long."""
        now = perf_counter()
        if now - self._told < limits.IMAP_PROGRESS_EVERY:
            return
        self._told = now
        code = render_in_progress(self._tag, done, goal)
        self._out.write(render_status(b"OK", "Still at it", code=code))
        await self._out.flush()
