"""How a command ends other than well."""

import click


class CommandFailed(click.ClickException):
    """One sentence saying what is wrong and what to do; exit code 1."""

    def show(self, file: object = None) -> None:
        """On stderr, in red where there is colour."""
        click.echo(click.style("crockery: ", fg="red") + self.format_message(), err=True)
