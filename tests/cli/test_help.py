"""--help of every command: sentences, none of them cut off."""

from collections.abc import Iterator

import click
import pytest

from crockery.cli.main import crockery_command
from tests.support.commands import crockery


def commands(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    """Every command below the group, by its names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*names, name)
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)


@pytest.mark.parametrize("names", [(), *commands(crockery_command)], ids=" ".join)
def test_help_is_made_of_whole_sentences(names: tuple[str, ...]) -> None:
    said = crockery(*names, "--help").out
    usage, _, rest = said.partition("\n\n")
    assert usage.startswith("Usage: crockery")
    assert rest.split("\n\n")[0].rstrip().endswith(".")
    assert not [line for line in said.splitlines() if line.endswith("...") and not line.startswith("Usage:")]
