"""Drives the IMAP framer and parser in tests: octets in one piece or many, out as a list of what was seen."""

from collections.abc import Iterable

from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import (
    NEED_MORE,
    Event,
    Frame,
    Framer,
    FramerLimits,
    LiteralData,
)
from crockery.imap.wire.parser import Command, parse_command

SMALL = FramerLimits(text=200, literal=20, command=50, literals=5, message=1000, drain=2000)


def read(data: Iterable[bytes], limits: FramerLimits | None = None) -> list[Event | BadCommand]:
    """All events and errors; pieces of one streamed literal are joined, so that chunking does not show."""
    framer = Framer(limits)
    seen: list[Event | BadCommand] = []
    for piece in data:
        framer.receive_data(piece)
        while True:
            try:
                event: Event | BadCommand = framer.next_event()
            except BadCommand as error:
                event = error
            if event is NEED_MORE:
                break
            if isinstance(event, LiteralData) and isinstance(seen[-1], LiteralData):
                event = LiteralData(seen.pop().data + event.data)  # type: ignore[union-attr]
            seen.append(event)
    return seen


def frames(data: bytes, limits: FramerLimits | None = None) -> list[Frame]:
    """The whole commands alone; errors are raised."""
    found = []
    for event in read([data], limits):
        if isinstance(event, BadCommand):
            raise event
        if isinstance(event, Frame):
            found.append(event)
    return found


def parse(data: bytes, *, utf8: bool = False) -> Command:
    """The one command in `data`; its line end may be left out."""
    (frame,) = frames(data if data.endswith(b"\n") else data + b"\r\n")
    return parse_command(frame, utf8=utf8)
