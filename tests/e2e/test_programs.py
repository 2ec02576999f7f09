"""Real mail programs against a server in a process of its own; more of them, and what they do, are in tools/clients."""

import importlib
from collections.abc import Iterator

import pytest

from tools.clients.__main__ import FIRST
from tools.clients.served import NotInstalled, Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all programs; each has an account of its own."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.mark.parametrize("program", FIRST)
def test_program(served: Served, program: str) -> None:
    try:
        importlib.import_module(f"tools.clients.{program}").check(served)
    except NotInstalled as error:
        pytest.skip(f"as root, `{error}` installs what this needs")
