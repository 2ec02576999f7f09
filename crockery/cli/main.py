"""The verbs put together, and the one place where what goes wrong becomes a sentence and an exit code."""

import os
import sys
from typing import Final

import click

import crockery
from crockery.cli import accounts, addresses, journal, queue, serving, settings, status, upkeep
from crockery.cli.control import ServerGone
from crockery.cli.demo import command as demo
from crockery.events.errors import LogError

GROUPS: Final = (
    ("Begin", (serving.init, serving.run, demo.demo)),
    ("People and addresses", (accounts.account, accounts.app_password, addresses.alias, addresses.wildcard)),
    ("Settings and mail on its way", (settings.change, settings.settings, queue.queue)),
    ("What happened", (status.status, journal.log, journal.history)),
    ("The file", (upkeep.backup, upkeep.verify, upkeep.repair, upkeep.reindex)),
)


class GroupedHelp(click.Group):
    """Lists the commands under headings."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, heading by heading."""
        for heading, commands in GROUPS:
            with formatter.section(heading):
                rows = [(command.name or "", command.get_short_help_str(80)) for command in commands]
                formatter.write_dl(rows, col_max=16)


@click.group(cls=GroupedHelp, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(crockery.__version__, prog_name="crockery")
@click.option("--log", metavar="LOG", help="The log (default: $CROCKERY_LOG, else ./crockery.crk).")
def crockery_command(log: str | None) -> None:
    """The mail server for one domain: one program, one file.

    `crockery demo` shows it; `crockery init` makes a log for your domain, `crockery run` serves it. The other commands
    work the same while the server runs and while it does not.
    """


for _, _commands in GROUPS:
    for _command in _commands:
        crockery_command.add_command(_command)


def main() -> None:
    """The `crockery` program."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Do one command; returns its exit code."""
    try:
        result = crockery_command.main(arguments, prog_name="crockery", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush does not fail too
        return 1
    except (LogError, ServerGone) as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
    except Exception as error:
        if os.environ.get("CROCKERY_DEBUG"):
            raise
        return _failed(
            f"something unexpected went wrong ({type(error).__name__}: {error}); this is a defect of Crockery, and "
            "CROCKERY_DEBUG=1 shows where it is"
        )


def _failed(sentence: str) -> int:
    click.echo(click.style("crockery: ", fg="red") + sentence, err=True)
    return 1
