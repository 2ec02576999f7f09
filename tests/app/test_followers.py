"""What an orderly stop leaves for the next start."""

from pathlib import Path

import pytest

from crockery.events.writer import Writer
from crockery.followers import Followers
from crockery.projections import snapshot
from tests.support.store import TestStore


@pytest.mark.parametrize("at_stop", [1, 1_000_000], ids=["the state as it is", "a fold in a child"])
async def test_a_stop_leaves_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_stop: int) -> None:
    monkeypatch.setattr("crockery.followers.SNAPSHOT_AT_STOP", at_stop)
    store = TestStore(tmp_path / "log.crk")
    anna = store.account()
    for n in range(3):
        store.append(anna, b"Subject: %d\r\n\r\n" % n)
    store.commit()
    store.reopen()
    expected = snapshot.dump_state(store.store.state)
    followers = Followers(store.path, store.restored, Writer(store.log))
    await followers.finish()
    store.reopen()
    assert store.restored.opened.recovered.events == 0
    assert snapshot.dump_state(store.store.state) == expected
    assert store.restored.facts.length > 0
    store.append(anna, b"Subject: more\r\n\r\n")
    store.reopen()
    assert store.restored.opened.recovered.events == 1
    store.close()
