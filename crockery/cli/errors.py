"""How a command ends other than well."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from crockery.events.errors import LogError, NotALog


class CommandFailed(click.ClickException):
    """One sentence saying what is wrong and what to do; exit code 1."""

    def show(self, file: object = None) -> None:
        """On stderr, in red where there is colour."""
        click.echo(click.style("crockery: ", fg="red") + self.format_message(), err=True)


@contextmanager
def about(log: Path) -> Iterator[None]:
    """What is wrong with this log becomes CommandFailed; LogError says it, but not always of which file."""
    try:
        yield
    except NotALog as error:
        raise CommandFailed(f"{log}: {error}") from error
    except LogError as error:
        raise CommandFailed(str(error)) from error
