"""Derived files while a server runs; what an orderly stop leaves for the next start."""

from pathlib import Path

import numpy as np
import pytest
import trio

from crockery.actions.actor import Actor
from crockery.events.writer import Writer
from crockery.followers.following import Followers
from crockery.followers.rebuilding import rebuild
from crockery.projections import snapshot
from crockery.projections.text import Texts, in_text
from tests.support.rows import Rows
from tests.support.store import TestStore
from tests.support.waiting import PATIENCE, until


@pytest.mark.parametrize("at_stop", [1, 1_000_000], ids=["the state as it is", "a fold in a child"])
async def test_a_stop_leaves_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_stop: int) -> None:
    monkeypatch.setattr("crockery.followers.following.SNAPSHOT_AT_STOP", at_stop)
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


def found(texts: Texts, numbers: list[int], word: str) -> tuple[list[int], list[int]]:
    """Of which messages the text files know, and which have the word."""
    (question,) = in_text(word, headers=False)
    seen = [texts.scan(question, run) for run in texts.runs(question, np.array(numbers, dtype=np.uint64))]
    return [n for one in seen for n in one.rows.tolist()], [n for one in seen for n in one.hits.tolist()]


def append_words(store: TestStore, words: list[str]) -> list[int]:
    anna = store.account()
    numbers = [store.append(anna, f"Subject: x\r\n\r\n{word}".encode()) for word in words]
    store.commit()
    return numbers


async def test_a_stop_while_a_snapshot_is_made_leaves_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = trio.Event()

    async def endless(*_: object, **__: object) -> None:
        begun.set()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)

    monkeypatch.setattr("crockery.followers.following.SNAPSHOT_AT_STOP", 1)
    monkeypatch.setattr(trio, "run_process", endless)
    store = TestStore(tmp_path / "log.crk")
    store.append(store.account(), b"Subject: x\r\n\r\n")
    store.commit()
    store.reopen()
    followers = Followers(store.path, store.restored, Writer(store.log))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(followers.make_snapshot)
        await begun.wait()
        nursery.cancel_scope.cancel()
    await followers.finish()
    store.reopen()
    assert store.restored.opened.recovered.events == 0


async def follow(followers: Followers, newest: int) -> None:
    """Until there are rows of the newest message."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(followers.run)
        await until(lambda: min(followers.texts.last, followers.structures.last) == newest)
        nursery.cancel_scope.cancel()


async def test_rows_are_made_while_it_runs_and_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.followers.timing.ROWS_AGE", 0)
    store = TestStore(tmp_path / "log.crk")
    numbers = append_words(store, ["one", "zwei: \xfc", "one three"])
    for _ in range(2):  # the second time what was no block yet is made again
        followers = Followers(store.path, store.restored, Writer(store.log))
        await follow(followers, numbers[-1])
        assert found(followers.texts, numbers, "one") == (numbers, [numbers[0], numbers[2]])
        assert found(followers.texts, numbers, "\xfc") == (numbers, [numbers[1]])
        store.reopen()


async def test_all_is_made_anew_while_it_runs(tmp_path: Path) -> None:
    store = TestStore(tmp_path / "log.crk")
    numbers = append_words(store, ["one", "two"] * 600)
    rows = Rows(store)
    rows.make(numbers)
    rows.close()
    names = ("structure", "text-bodies", "text-headers", "text-fields")
    made = {name: (store.folder / name).read_bytes() for name in names}
    (store.folder / "text-bodies").write_bytes(b"")
    followers = Followers(store.path, store.restored, Writer(store.log))
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(followers.run)
            steps = [step async for step in followers.rebuild()]
            nursery.cancel_scope.cancel()
    assert steps[-1].done == steps[-1].total
    assert {name: (store.folder / name).read_bytes() for name in names} == made
    store.close()


def test_rebuilding_makes_the_same_text(tmp_path: Path) -> None:
    store = TestStore(tmp_path / "log.crk")
    numbers = append_words(store, ["one", "two"] * 600)
    rows = Rows(store)
    rows.make(numbers)
    made = {path.name: path.read_bytes() for path in store.folder.glob("text-*")}
    assert len(made) == 6 and max(map(len, made.values())) > 1000
    rows.files.clear()
    steps = list(rebuild(store.path, store.log, store.store.state))
    assert steps[-1].done == steps[-1].total
    assert {path.name: path.read_bytes() for path in store.folder.glob("text-*")} == made
    store.close()


def test_rows_of_a_log_that_went_on_are_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older copy of the log is in its place, and brings other messages under the same numbers."""
    monkeypatch.setattr("crockery.projections.text_file.TEXT_BLOCK_ROWS", 1)
    store = TestStore(tmp_path / "log.crk")
    append_words(store, ["one"])
    copy = store.path.read_bytes()
    anna = Actor(next(iter(store.store.state.accounts.by_id)), "imap", "192.0.2.1")
    late = store.append(anna, b"Subject: x\r\n\r\nlate")
    store.commit()
    rows = Rows(store)
    rows.make([late])
    rows.close()
    store.close()
    store.path.write_bytes(copy)
    store.open()
    followers = Followers(store.path, store.restored, Writer(store.log))
    assert followers.texts.last == 0
    store.close()
