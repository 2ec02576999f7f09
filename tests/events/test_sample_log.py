"""Frozen logs of every released format version (`tools/make_sample_log.py`) stay readable for ever."""

import json
import shutil
from pathlib import Path

import pytest

from crockery.events.verify import verify_log
from tools.make_sample_log import describe, make

FOLDER = Path(__file__).parents[1] / "data" / "log"
SAMPLES = sorted(FOLDER.glob("*.crk"))


def test_there_are_samples() -> None:
    assert SAMPLES


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_frozen_log_reads_as_it_did(sample: Path, tmp_path: Path) -> None:
    path = tmp_path / sample.name
    shutil.copyfile(sample, path)
    found = json.loads(json.dumps(describe(path)))
    expected = json.loads(sample.with_suffix(".json").read_text())
    for part in expected:
        assert found[part] == expected[part]
    report = verify_log(path)
    assert report.is_sound and len(report.accepted) == 1


def test_the_sample_of_this_format_can_be_made_again(tmp_path: Path) -> None:
    """The tool goes with the program: what it makes now is sound too."""
    make(tmp_path / "again.crk")
    assert verify_log(tmp_path / "again.crk").is_sound
    assert len(describe(tmp_path / "again.crk")["events"]) > 50
