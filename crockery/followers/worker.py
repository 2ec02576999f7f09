"""The child process that makes rows, as the server sees it: one batch after the other, over its stdin and stdout."""

from collections.abc import Callable
from pathlib import Path

from crockery.children.child import Child, ChildFailed
from crockery.children.frames import BadFrame, Frame, encode
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
        worker = cls(await Child.start("crockery.followers.child", str(log)), find)
        try:
            await worker._child.send(encode(Kind.BEGIN, *begun))
            await worker._receive(Kind.READY)
        except BaseException:
            await worker.end()
            raise
        return worker

    async def make(self, wanted: Wanted) -> Made:
        """Have rows made. Raises ChildFailed."""
        await self._child.send(encode(Kind.MAKE, *wanted, [self._find(number) for number in wanted.numbers]))
        try:
            return made_of((await self._receive(Kind.MADE)).values)
        except BadFrame as error:
            raise ChildFailed(str(error)) from error

    async def _receive(self, kind: Kind) -> Frame:
        """The next frame, which must be of this kind; on the way the child is told where records are."""
        while (frame := await self._child.receive()).kind == Kind.WHERE:
            match frame.values:
                case [int() as number]:
                    await self._child.send(encode(Kind.THERE, self._find(number)))
                case _:
                    raise ChildFailed("a question for no record")
        if frame.kind != kind:
            raise ChildFailed(f"a frame of kind {frame.kind} instead of {kind.name}")
        return frame
