"""`verify`, `repair`, `backup`, `reindex`, beside a running server and without."""

from pathlib import Path

import pytest

from crockery.events.opening import derived_folder
from tests.support.commands import crockery
from tests.support.server import make_log


def test_verify_says_in_numbers_that_nothing_is_wrong(log: Path) -> None:
    result = crockery("verify", str(log))
    assert result.code == 0
    assert result.out.splitlines()[-1] == "Nothing is wrong."
    report = crockery("verify", str(log), "--json").json
    assert report["sound"] is True
    assert report["findings"] == []
    assert report["events"] > 20


def test_a_backup_opens_on_its_own_and_is_gone_on_with(log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.crk"
    first = crockery("backup", str(log), str(copy), "--json")
    assert (first.code, first.json["sound"]) == (0, True)
    crockery("alias", "add", "sales", "anna", log=log)
    second = crockery("backup", str(copy), log=log)
    assert second.code == 0
    assert "octets added" in second.out
    assert crockery("alias", "list", "--json", log=copy).json["items"][0]["alias"] == "sales"


def test_a_backup_goes_into_a_folder_that_is_there(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    refused = crockery("backup", f"{folder}/", log=log)
    assert (refused.code, "there is no folder" in refused.err, folder.exists()) == (1, True, False)
    folder.mkdir()
    assert crockery("backup", f"{folder}/", log=log).code == 0
    assert (folder / log.name).exists()


def test_reindex_makes_the_derived_files_anew(log: Path) -> None:
    folder = derived_folder(log)
    assert crockery("reindex", str(log)).code == 0
    made = {path.name for path in folder.iterdir()}
    assert {"facts", "snapshot", "structure", "text-fields", "text-headers", "text-bodies"} <= made
    assert crockery("account", "list", log=log).code == 0


def test_repair_is_for_stopped_servers(log: Path) -> None:
    result = crockery("repair", str(log))
    if crockery("status", "--json", log=log).json["running"]:
        assert (result.code, result.err.count("a server runs on this log")) == (1, 1)
    else:
        assert (result.code, "nothing to repair" in result.out) == (0, True)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A log with a flipped bit in an early event."""
    log = make_log(tmp_path)
    crockery("alias", "add", "sales", "anna", log=log)
    data = bytearray(log.read_bytes())
    at = data.index(b"AccountAdded") if b"AccountAdded" in data else data.index(b"postmaster")
    data[at] ^= 1
    log.write_bytes(data)
    return log


def test_damage_is_refused_found_and_repaired_when_asked(damaged: Path) -> None:
    refused = crockery("account", "list", log=damaged)
    assert (refused.code, "`crockery repair` shows" in refused.err) == (1, True)
    found = crockery("verify", str(damaged))
    assert (found.code, "damage from octet" in found.out.lower()) == (1, True)
    unsure = crockery("repair", str(damaged))
    assert (unsure.code, "nothing was changed" in unsure.err) == (1, True)
    done = crockery("repair", str(damaged), "--yes", "--json")
    assert (done.code, done.json["repaired"]) == (0, True)
    assert crockery("log", log=damaged).code == 0
