"""What commands say to programs: the same shapes both ways."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import crockery

ACCOUNT = {
    "forward": None, "keeps": bool,
    "name": str, "address": str, "postmaster": bool, "disabled": bool, "has_password": bool, "addresses": list,
    "app_passwords": list, "mailboxes": int, "messages": int, "unseen": int, "octets": int, "added": str, "quota": dict,
}  # fmt: skip
APP = {"label": str, "login": str, "added": str, "last_used": None, "last_peer": None}
RECORD = {"kind": str, "name": str, "type": str, "value": str, "why": str, "form_name": str, "zone": str}
ALIAS = {"alias": str, "address": str, "targets": list}
STATUS = {
    "running": bool, "version": str, "domain": str, "hostname": str, "log": str, "log_octets": int, "free_octets": int,
    "events": int, "last_event": str, "last_start": object, "stopped_cleanly": bool, "accounts": int, "aliases": int,
    "mailboxes": int, "messages": int, "octets": int, "queued": int, "smart_host": None, "standing_still": int,
    "certificate": dict,
}  # fmt: skip
ENTRY = {"number": int, "time": str, "type": str, "text": str, "actor": object, "facts": dict}


def assert_shape(value: Any, shape: Mapping[str, type | None], more: tuple[str, ...] = ()) -> None:
    assert set(value) - set(more) == set(shape)
    for name, kind in shape.items():
        assert value[name] is None if kind is None else isinstance(value[name], kind), name


@pytest.mark.parametrize(
    ("command", "shape", "more"),
    [
        ("account add carl --password secret", ACCOUNT, ()),
        ("account add carl --generate", ACCOUNT, ("password",)),
        ("account disable anna", ACCOUNT, ()),
        ("account enable anna", ACCOUNT, ()),
        ("account remove ben", ACCOUNT, ()),
        ("app-password add anna phone", APP, ("password",)),
        ("alias add sales anna", ALIAS, ()),
        ("wildcard", {"account": None}, ()),
        ("wildcard anna", {"account": str}, ()),
        ("status", STATUS, ("pid", "ports", "connections")),
        ("change retention-days 7", {"name": str, "value": int, "default": int, "changed": bool, "help": str}, ()),
        ("reindex", {"done": int, "total": int}, ()),
    ],
)
def test_one_value(log: Path, command: str, shape: dict[str, type | None], more: tuple[str, ...]) -> None:
    result = crockery(*command.split(), "--json", log=log)
    assert (result.code, result.err) == (0, "")
    assert_shape(result.json, shape, more)


@pytest.mark.parametrize(
    ("command", "shape"),
    [
        ("account list", ACCOUNT),
        ("dns", RECORD),
        ("settings", {"name": str, "value": object, "default": object, "changed": bool, "help": str}),
    ],
)
def test_items(log: Path, command: str, shape: dict[str, type]) -> None:
    items = crockery(*command.split(), "--json", log=log).json["items"]
    assert items
    for item in items:
        assert_shape(item, shape)


@pytest.mark.parametrize("command", ["log", "history anna", "history anna INBOX"])
def test_lines(log: Path, command: str) -> None:
    lines = crockery(*command.split(), "--json", log=log).lines
    assert lines
    numbers = [line["number"] for line in lines]
    assert numbers == sorted(set(numbers))
    for line in lines:
        assert_shape(line, ENTRY)


def test_log_can_be_cut(log: Path) -> None:
    everything = crockery("log", "--json", log=log).lines
    assert everything[0]["type"] == "SettingChanged"
    assert crockery("log", "--json", "-n", "3", log=log).lines == everything[-3:]
    assert crockery("log", "--json", "-n", "0", log=log).lines == []


def test_what_was_done_is_in_the_log_with_who_did_it(log: Path) -> None:
    crockery("alias", "add", "sales", "anna", log=log)
    session, added = crockery("log", "--json", "-n", "2", log=log).lines
    assert (session["type"], session["facts"]["client"]) == ("SessionOpened", "crockery alias add")
    assert added["facts"] == {"by": session["number"], "alias": "sales", "targets": ["anna"], "old": []}
    assert added["actor"]["over"] == "the command line"


def test_no_secret_is_ever_shown(log: Path) -> None:
    password = crockery("app-password", "add", "anna", "phone", "--json", log=log).json["password"]
    crockery("account", "password", "anna", "--password", "a-very-secret-word", log=log)
    shown = crockery("log", "--json", log=log).out + crockery("log", log=log).out
    for secret in (password, "a-very-secret-word", "argon2", "PRIVATE KEY", "stored_key"):
        assert secret not in shown
