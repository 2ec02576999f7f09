"""Makes a Crockery log of very many messages, for the rows about start, replay and memory."""

from pathlib import Path

from tools.bench.round import Unavailable


def make_big_log(path: Path, count: int) -> None:
    """Writes a log at `path` with `count` messages in one mailbox. Raises Unavailable until the log can be written."""
    raise Unavailable(f"{path.name}: no generator of large logs yet")
