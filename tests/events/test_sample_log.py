"""Frozen logs of every released format version (`tools/sample_log`) stay readable for ever."""

import json
import shutil
from pathlib import Path

import pytest

from crockery.events.types import TYPES
from crockery.events.types.server import BATCH, TAIL_CUT
from crockery.events.verify import verify_log
from crockery.projections.queue import RecipientState
from tools.sample_log.describing import describe
from tools.sample_log.making import make

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


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tool makes now: it goes with the program."""
    path = tmp_path_factory.mktemp("sample") / "again.crk"
    make(path)
    return path


def test_the_sample_of_this_format_can_be_made_again(again: Path) -> None:
    assert verify_log(again).is_sound


def test_each_making_gives_the_same_log(again: Path, tmp_path: Path) -> None:
    make(tmp_path / "third.crk")
    assert (tmp_path / "third.crk").read_bytes() == again.read_bytes()


def test_the_sample_has_an_event_of_every_kind(again: Path) -> None:
    """Batch is the frame before events, not one itself; the one TailCut is what the tool damages."""
    found = {event["type"] for event in describe(again)["events"]}
    missing = {kind.name for code, kind in TYPES.items() if code not in found}
    assert missing == {BATCH.name, TAIL_CUT.name}


def test_the_sample_ends_with_something_of_everything(again: Path) -> None:
    """Else a reader that lost it would not be found out."""
    described = describe(again)
    empty = {part for part, value in described.items() if not value}
    queue = described["queue"]
    states = {r["state"] for part in ("waiting", "finished") for message in queue[part] for r in message["recipients"]}
    assert not empty
    assert states == {state.name for state in RecipientState}
    assert queue["reports"] and queue["in flight"] and queue["possible duplicates"]
    assert {question["answer"] for question in described["questions"]} == {"", "trust", "cancel", "undo", "send"}
