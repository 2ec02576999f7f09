"""A file of blocks: what it does with what is erased when the disk fails."""

import errno
from pathlib import Path

import pytest

from crockery.projections.block_file import Block, BlockFile, compressor

LEVEL = 3


def fail(*arguments: object) -> None:
    raise OSError(errno.EIO, "no more")


def test_what_is_erased_stays_so_where_the_file_cannot_be_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = BlockFile(tmp_path, "blocks", b"start", 1000, LEVEL)
    file.append(Block(1, 3, [compressor(LEVEL).compress(b"one two three")]))
    file.erase([2])
    with monkeypatch.context() as broken:
        broken.setattr("os.ftruncate", fail)
        with pytest.raises(OSError, match="no more"):
            file.clear()
    assert (len(file), file.erased(0)) == (1, {2})
    file.clear()
    assert (len(file), file.blocks_to_erase) == (0, 0)
    file.close()
