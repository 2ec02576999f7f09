"""The verbs put together, and the one place where what goes wrong becomes a sentence and an exit code."""

import importlib
import io
import os
import sys
from typing import Final

import click

import crockery
from crockery.cli.control import ServerGone
from crockery.events.errors import LogError

COMMANDS: Final = {
    "Begin": {"init": "serving", "run": "serving", "demo": "demo.command"},
    "People and addresses": {
        "account": "accounts",
        "app-password": "accounts",
        "alias": "addresses",
        "wildcard": "addresses",
    },
    "The domain": {"dns": "dns"},
    "Settings, and mail on its way": {
        "settings": "settings",
        "change": "settings",
        "queue": "queue",
        "smart-host": "smart_host",
        "whitelist": "whitelist",
    },
    "What happened": {"status": "status", "log": "journal", "history": "journal"},
    "The file": {"backup": "upkeep", "verify": "upkeep", "repair": "upkeep", "reindex": "upkeep"},
}
"""Heading, then command and the module of this package that has it: imported when it is used."""

MODULES: Final = {name: module for commands in COMMANDS.values() for name, module in commands.items()}


class CrockeryGroup(click.Group):
    """All commands, under headings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        if cmd_name not in MODULES:
            return None
        module = importlib.import_module(f"crockery.cli.{MODULES[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, heading by heading."""
        for heading, names in COMMANDS.items():
            with formatter.section(heading):
                found = [(name, self.get_command(ctx, name)) for name in names]
                formatter.write_dl([(name, c.get_short_help_str(62)) for name, c in found if c is not None], col_max=16)


@click.group(cls=CrockeryGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(crockery.__version__, prog_name="crockery")
@click.option("--log", metavar="LOG", help="The log (default: $CROCKERY_LOG, else ./crockery.crk).")
def crockery_command(log: str | None) -> None:
    """The mail server for one domain: one program, one file.

    `crockery demo` shows it; `crockery init` makes a log for your domain, `crockery run` serves it. The other commands
    work the same while the server runs and while it does not.
    """


def main() -> None:
    """The `crockery` program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of another charset shows what it can
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
