"""Starting on a copy, on an older log, after a crash; and what `init` makes."""

import shutil
import smtplib
from pathlib import Path

import pytest
import trio

from crockery.actions.actor import the_server
from crockery.actions.mailboxes import create_mailbox
from crockery.actions.server import Place, start
from crockery.app import InitError, initialise, opening
from crockery.app.init import NewLog
from crockery.app.opening import StartFailed
from crockery.events.catalog import Catalog
from crockery.events.file import OSFile
from crockery.events.opening import derived_folder
from crockery.events.recover import replay
from crockery.events.types.server import SEQUENCE_JUMP, UID_JUMP
from crockery.projections.mailboxes import Mailbox
from crockery.projections.state import State
from tests.support.server import CHEAP, RunningServer, make_log, running_server
from tests.support.store import TestStore


def _inbox(server: RunningServer) -> Mailbox:
    anna = server.store.state.accounts.find("anna")
    assert anna is not None
    inbox = server.store.state.mailboxes.find(anna.id, "INBOX")
    assert inbox is not None
    return inbox


async def _send_mail(server: RunningServer) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
            client.sendmail("x@example.org", ["anna@example.test"], "Subject: hi\r\n\r\nhello\r\n")

    await trio.to_thread.run_sync(send)


def _folded(path: Path) -> State:
    state = State()
    file = OSFile(path, writable=False)
    replay(file, state.apply, Catalog())
    file.close()
    return state


async def test_a_second_start_in_place_goes_on(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        await _send_mail(server)
        head = server.store.log.head
    async with running_server(tmp_path) as server:
        assert server.store.log.head < head + 10
        assert server.store.state.server.history_resumed_at == 0
        assert _inbox(server).uidnext == 2


async def test_a_copy_goes_on_beyond_all_numbers_of_its_original(tmp_path: Path) -> None:
    """`cp` under load, restored elsewhere: no number that the original gave later comes again."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with running_server(tmp_path / "a") as server:
        await _send_mail(server)
        shutil.copy(server.path, tmp_path / "b" / "test.crk")
        await _send_mail(server)  # only the original has this one
        later = [create_mailbox(server.store, the_server(), _inbox(server).account, f"Later{n}") for n in range(20)]
        original, old_head = _inbox(server), server.store.log.head
        old_uids = original.columns.uid.tolist()
    async with running_server(tmp_path / "b") as server:
        copy = _inbox(server)
        assert server.store.state.server.history_resumed_at > SEQUENCE_JUMP
        assert copy.position > old_head
        assert copy.columns.modseq.min() > old_head
        await _send_mail(server)
        new_uid = copy.columns.uid.tolist()[-1]
        assert new_uid not in old_uids and new_uid > UID_JUMP
        assert copy.uidvalidity == original.uidvalidity
        anew = create_mailbox(server.store, the_server(), copy.account, "Later0")
        assert anew.uidvalidity not in {mailbox.uidvalidity for mailbox in later}
        assert int(copy.columns.number[-1]) > SEQUENCE_JUMP
        head = server.store.log.head
    folded = _folded(tmp_path / "b" / "test.crk")
    assert folded.sequence == head + 1
    async with running_server(tmp_path / "b") as server:  # from here on it is an original
        assert server.store.log.head < head + 10
        assert len(_inbox(server)) == 2


async def test_an_older_copy_put_back_in_place_is_noticed(tmp_path: Path) -> None:
    """The same machine, file system and even inode: only the derived files know better."""
    async with running_server(tmp_path, snapshot=True) as server:
        await _send_mail(server)
    older = server.path.read_bytes()
    async with running_server(tmp_path, snapshot=True) as server:
        await _send_mail(server)
        head = server.store.log.head
    inode = server.path.stat().st_ino
    server.path.write_bytes(older)
    assert server.path.stat().st_ino == inode
    async with running_server(tmp_path) as server:
        assert server.store.state.server.history_resumed_at > head


async def test_a_copy_in_place_can_be_called_one(tmp_path: Path) -> None:
    async with running_server(tmp_path):
        pass
    async with running_server(tmp_path, restored=True) as server:
        assert server.store.state.server.history_resumed_at > SEQUENCE_JUMP


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        pytest.param(Place("m", 1, 2), "", id="same"),
        pytest.param(Place("other", 1, 2), "another machine", id="machine"),
        pytest.param(Place("m", 9, 2), "another one", id="device"),
        pytest.param(Place("m", 1, 9), "another one", id="inode"),
    ],
)
def test_what_tells_a_copy(tmp_path: Path, place: Place, reason: str) -> None:
    kept = TestStore(tmp_path / "test.crk")
    assert start(kept.store, "1", Place("m", 1, 2)) == "", "the first start is none"
    head = kept.store.log.head
    found = start(kept.store, "1", place)
    assert reason in found and bool(found) is bool(reason)
    assert kept.store.log.head == head + (SEQUENCE_JUMP + 2 if reason else 1)
    kept.reopen()
    assert kept.store.log.head == head + (SEQUENCE_JUMP + 2 if reason else 1), "replay takes the jump"
    kept.close()


async def test_a_cut_tail_is_noted_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_log(tmp_path)
    path.write_bytes(path.read_bytes() + b"half a record")
    async with running_server(tmp_path) as server:
        head = server.store.log.head
    assert "an unfinished tail of 13 octets" in caplog.text
    (kept,) = derived_folder(path).glob("tail-*")
    assert kept.read_bytes() == b"half a record"
    assert head > 0


def test_the_machine_is_known_without_an_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(opening, "_MACHINE_IDS", (tmp_path / "none",))
    found = opening.find_place(tmp_path)
    assert len(found.machine) == 16
    (tmp_path / "none").write_text("0123\n")
    assert opening.find_place(tmp_path).machine != found.machine


# init


def test_init_makes_a_log_that_serves(tmp_path: Path) -> None:
    path = tmp_path / "new.crk"
    certificate = initialise(path, NewLog("Example.TEST.", "secret"), hasher=CHEAP)
    assert certificate.source == "self-signed"
    assert certificate.names == ["mail.example.test"]
    state = _folded(path)
    assert state.settings.domain == "example.test"
    assert state.settings.hostname == "mail.example.test"
    assert state.accounts.postmaster is not None
    assert [account.name for account in state.accounts.recipients("abuse")] == ["postmaster"]
    names = set(state.mailboxes.of_account(state.accounts.postmaster.id))
    assert names == {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"}
    assert state.mailboxes.subscriptions[state.accounts.postmaster.id] == names
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        pytest.param(NewLog("not a domain", "x"), "is not a domain name", id="domain"),
        pytest.param(NewLog("192.0.2.1", "x"), "is an address", id="address"),
        pytest.param(NewLog("example.test", ""), "a password cannot be empty", id="password"),
        pytest.param(NewLog("example.test", "x", "-mail"), "is not a domain name", id="hostname"),
        pytest.param(NewLog("example.test", "x", key=Path("k")), "--cert and --key go together", id="key alone"),
        pytest.param(NewLog("example.test", "x", "", Path("no-c"), Path("no-k")), "cannot be read", id="no files"),
    ],
)
def test_init_with_something_wrong_makes_nothing(tmp_path: Path, new: NewLog, sentence: str) -> None:
    with pytest.raises(InitError, match=sentence):
        initialise(tmp_path / "new.crk", new, hasher=CHEAP)
    assert not list(tmp_path.iterdir())


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new.crk"
    path.write_bytes(b"precious")
    with pytest.raises(InitError, match="there is a file"):
        initialise(path, NewLog("example.test", "x"), hasher=CHEAP)
    assert path.read_bytes() == b"precious"
    with pytest.raises(InitError, match="there is no folder"):
        initialise(tmp_path / "nowhere" / "new.crk", NewLog("example.test", "x"), hasher=CHEAP)


async def test_derived_files_that_cannot_be_written(tmp_path: Path) -> None:
    folder = derived_folder(make_log(tmp_path))
    folder.write_text("not a folder")
    with pytest.raises(StartFailed, match=r"test\.crk\.d cannot be written \(File exists\): this user must own"):
        async with running_server(tmp_path):
            pass
