"""How long tasks of this process keep the event loop to themselves, in seconds of CPU: what others wait at most.

CPU and not wall time, so that a busy machine does not count; what threads do meanwhile does not count either.
"""

import time

import trio


class Turns(trio.abc.Instrument):
    """The longest turn of any task but the one that made this, which is the client."""

    def __init__(self) -> None:
        self._client = trio.lowlevel.current_task()
        self._began = 0.0
        self.longest = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is not self._client:
            self.longest = max(self.longest, time.thread_time() - self._began)

    def take(self) -> float:
        """The longest since the last time."""
        longest, self.longest = self.longest, 0.0
        return longest
