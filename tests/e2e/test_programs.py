"""Real mail programs against a server in a process of its own; what they do is in tools/clients.

Those that are installed with what the tests need (tests/packages.txt). `python -m tools.clients` has two more.
"""

import importlib
from collections.abc import Iterator

import pytest

from tools.clients.__main__ import IN_SUITE
from tools.clients.served import NotInstalled, Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all programs; each has an account of its own."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.mark.parametrize("program", IN_SUITE)
def test_program(served: Served, program: str) -> None:
    try:
        importlib.import_module(f"tools.clients.{program}").check(served)
    except NotInstalled as error:
        pytest.skip(f"{program} is not here: as root, `{error}` installs it")
