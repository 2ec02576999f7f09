"""`init` and `run`: what they make, and what they say when they cannot."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import crockery, serving
from tests.support.ports import free_port_offset
from tests.support.server import make_log
from tests.support.waiting import PATIENCE


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CROCKERY_LOG", raising=False)
    monkeypatch.delenv("CROCKERY_POSTMASTER_PASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)


def test_init_makes_a_log_that_only_its_owner_can_read(tmp_path: Path) -> None:
    result = crockery("init", "mail.crk", "--domain", "Example.COM", "--postmaster-password", "secret")
    assert result.code == 0
    assert "mail.crk is the log of" in result.out
    assert "self-signed" in result.out
    assert stat.S_IMODE((tmp_path / "mail.crk").stat().st_mode) == 0o600
    status = crockery("status", "--json", log=tmp_path / "mail.crk").json
    assert (status["domain"], status["hostname"], status["accounts"]) == ("example.com", "mail.example.com", 1)


def test_the_log_is_found_by_option_environment_or_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crockery("init", "--domain", "a.example", "--postmaster-password", "x").code == 0
    assert (tmp_path / "crockery.crk").exists()
    assert crockery("status", "--json").json["domain"] == "a.example"
    monkeypatch.setenv("CROCKERY_LOG", "other.crk")
    monkeypatch.setenv("CROCKERY_POSTMASTER_PASSWORD", "x")
    assert crockery("init", "--domain", "b.example").code == 0
    assert crockery("status", "--json").json["domain"] == "b.example"
    assert crockery("status", "--json", "--log", "crockery.crk").json["domain"] == "a.example"
    assert crockery("--log", "crockery.crk", "status", "--json").json["domain"] == "a.example"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["init", "new.crk"], 2, "Missing option '--domain'"),
        (["init", "new.crk", "--domain", "example.com"], 1, "no terminal to ask"),
        (["init", "new.crk", "--domain", "exa mple", "--postmaster-password", "x"], 1, "is not a domain name"),
        (["init", "new.crk", "--domain", "example.com", "--cert", "a.pem"], 2, "--cert and --key go together"),
        (
            ["init", "new.crk", "--domain", "a.example", "--postmaster-password", "x", "--cert", "no", "--key", "no"],
            1,
            "no cannot be read: No such file or directory",
        ),
        (["init", "no/new.crk", "--domain", "a.example", "--postmaster-password", "x"], 1, "there is no folder no"),
        (["run", "new.crk"], 1, "there is no log at new.crk: `crockery init new.crk --domain DOMAIN` makes one"),
        (["status", "--log", "new.crk"], 1, "there is no log at new.crk"),
        (["verify", "new.crk"], 1, "there is no log at new.crk"),
        (["backup", "new.crk", "copy.crk"], 1, "there is no log at new.crk"),
        (["backup", "new.crk", "nowhere/copy.crk"], 1, "nowhere` makes it"),
        (["run", "junk.crk"], 1, "junk.crk"),
        (["account", "list", "--log", "junk.crk"], 1, "not a"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "junk.crk").write_bytes(b"junk" * 100)
    result = crockery(*arguments)
    assert result.code == code
    assert words in result.err
    assert "Traceback" not in result.err
    if code == 1:
        assert result.err.startswith("crockery: ")
        assert result.err.count("\n") == 1
    assert not (tmp_path / "new.crk").exists()


def test_init_leaves_a_file_alone(tmp_path: Path) -> None:
    (tmp_path / "mail.crk").write_text("precious")
    result = crockery("init", "mail.crk", "--domain", "example.com", "--postmaster-password", "x")
    assert (result.code, (tmp_path / "mail.crk").read_text()) == (1, "precious")
    assert "there is a file mail.crk already" in result.err


def test_two_servers_on_one_log(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    with serving(log):
        result = crockery("run", str(log), "--bind", "127.0.0.1", "--port-offset", "20000")
    assert result.code == 1
    assert "in use by another Crockery" in result.err


def test_a_command_waits_no_longer_than_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crockery.cli import control
    from crockery.events.file import OSFile

    monkeypatch.setattr(control, "COMMAND_BUSY_WAIT", 0.0)
    log = make_log(tmp_path)
    held = OSFile(log)
    result = crockery("status", log=log)
    held.close()
    assert result.code == 1
    assert "is in use by another command" in result.err
    assert crockery("status", log=log).code == 0


def test_run_as_a_program_stops_on_sigterm(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    command = [sys.executable, "-c", "from crockery.cli.main import main; main()", "run", str(log)]
    command += ["--bind", "127.0.0.1", "--port-offset", str(free_port_offset())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "Crockery serves example.test" in server.stdout.readline()
        assert crockery("status", "--json", log=log).json["pid"] == server.pid
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
    assert crockery("status", "--json", log=log).json["stopped_cleanly"]
    assert not log.with_name(log.name + ".sock").exists()
