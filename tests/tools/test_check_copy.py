"""The short form of `tools/check_copy.py`: a copy taken under load, in place of its original; and what it checks."""

import random
from pathlib import Path

import pytest

from tools.check_copy import check, check_content
from tools.crash import Mail, Wrong


def test_a_copy_taken_under_load(tmp_path: Path) -> None:
    assert check(tmp_path, random.Random(1), "written over") > 0


@pytest.mark.parametrize(
    ("served", "says"),
    [
        pytest.param([], "not in it", id="lost"),
        pytest.param([(5, set(), "t"), (6, set(), "t")], "twice", id="twice"),
        pytest.param([(6, set(), "t")], "UID 6", id="another UID"),
    ],
)
def test_what_is_wrong_is_seen(served: list[tuple[int, set[str], str]], says: str) -> None:
    with pytest.raises(Wrong, match=says):
        check_content(served, [Mail("t", uid=5, is_acknowledged=True)])
