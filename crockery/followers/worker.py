"""The child process that makes rows, as the server sees it: one batch after the other, over its stdin and stdout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from crockery.children.child import Child, ChildFailed
from crockery.children.frames import BadFrame, encode
from crockery.followers.wire import Kind, made_of
from crockery.projections.rows import AllBegun, Made, Wanted


class Worker:
    """A child that is ready. `start` makes one; who cancels one of its calls can only `end` it."""

    def __init__(self, child: Child, find: Callable[[int], int | None]) -> None:
        self._child = child
        self._find = find
        self.end = child.end

    @classmethod
    async def start(cls, log: Path, begun: AllBegun, find: Callable[[int], int | None]) -> "Worker":
        """Start a child that goes on from `begun`; `find` knows where records are. Raises OSError, ChildFailed."""
        told = encode(Kind.BEGIN, *begun)
        return cls(await Child.start_ready(told, Kind.READY, "crockery.followers.child", str(log)), find)

    async def make(self, wanted: Wanted) -> Made:
        """Have rows made. Raises ChildFailed."""
        await self._child.send(encode(Kind.MAKE, *wanted, [self._find(number) for number in wanted.numbers]))
        try:
            return made_of(await self._answer())
        except BadFrame as error:
            raise ChildFailed(str(error)) from error

    async def _answer(self) -> list[Any]:
        """The values of a MADE; on the way to it the child is told where records are."""
        while (frame := await self._child.receive()).kind == Kind.WHERE:
            match frame.values:
                case [int() as number]:
                    await self._child.send(encode(Kind.THERE, self._find(number)))
                case _:
                    raise ChildFailed("a question for no record")
        return frame.values_of(Kind.MADE)
