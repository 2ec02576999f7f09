"""Real mail programs against a server in a process of its own; what they do is in tools/clients.

The light ones are installed with what the tests need (tests/packages.txt). Thunderbird and Node's imapflow run where
they are installed.
"""

import importlib
from collections.abc import Iterator

import pytest

from tools.clients.__main__ import FIRST, names
from tools.clients.served import NotInstalled, Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all programs; each has an account of its own."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.mark.parametrize("program", FIRST)
def test_program(served: Served, program: str) -> None:
    _check(served, program)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("program", sorted({*names()} - {*FIRST}))
def test_program_where_it_is_installed(served: Served, program: str) -> None:
    _check(served, program)


def _check(served: Served, program: str) -> None:
    try:
        importlib.import_module(f"tools.clients.{program}").check(served)
    except NotInstalled as error:
        pytest.skip(f"{program} is not here: as root, `{error}` installs it")
