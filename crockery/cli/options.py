"""What every command takes: --log and --json, and how it reaches the log."""

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from crockery.cli.control import Control, open_control
from crockery.cli.errors import CommandFailed

DEFAULT_LOG: Final = "crockery.crk"

Function = TypeVar("Function", bound=Callable[..., Any])


def log_option(function: Function) -> Function:
    """--log LOG; the function gets `log`, a Path."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, log: str | None, **options: Any) -> Any:
        return function(*arguments, log=log_path(log), **options)

    option = click.option("--log", metavar="LOG", help="The log (default: $CROCKERY_LOG, else ./crockery.crk).")
    return option(wrapper)  # type: ignore[return-value]


def log_argument(function: Function) -> Function:
    """LOG or --log LOG; the function gets `log`, a Path."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, log_name: str | None, log: Path, **options: Any) -> Any:
        return function(*arguments, log=Path(log_name) if log_name else log, **options)

    return click.argument("log_name", metavar="[LOG]", required=False)(log_option(wrapper))  # type: ignore[return-value]


def log_path(name: str | None) -> Path:
    """The log that is meant: what was said here, before the verb, in the environment, or the default."""
    context = click.get_current_context(silent=True)
    before = context.find_root().params.get("log") if context is not None else None
    return Path(name or before or os.environ.get("CROCKERY_LOG") or DEFAULT_LOG)


json_option = click.option("--json", "as_json", is_flag=True, help="For programs: JSON instead of text.")


@contextmanager
def control(log: Path) -> Iterator[Control]:
    """The log's control API, for the command that runs now. Raises CommandFailed."""
    with open_control(log, click.get_current_context().command_path) as opened:
        yield opened


def password_options(function: Function) -> Function:
    """--password, --password-stdin, --generate; see `choose_password`."""
    options = (
        click.option("--password", metavar="PASSWORD", help="The password (others on this machine may see it)."),
        click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
        click.option("--generate", is_flag=True, help="Make a random password and print it."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def choose_password(question: str, password: str | None, password_stdin: bool, generate: bool) -> tuple[str, bool]:
    """The password, and whether it was made here. Raises CommandFailed, UsageError."""
    from crockery.net.passwords import new_app_password

    if sum((password is not None, password_stdin, generate)) > 1:
        raise click.UsageError("--password, --password-stdin and --generate exclude one another")
    if generate:
        return new_app_password(), True
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif password is None:
        password = ask_password(question)
    if not password:
        raise CommandFailed("a password cannot be empty: give one, or let --generate make one")
    return password, False


def ask_password(question: str) -> str:
    """Ask twice on the terminal. Raises CommandFailed when there is none."""
    if not sys.stdin.isatty():
        raise CommandFailed("there is no terminal to ask for a password on: use --password-stdin or --generate")
    password: str = click.prompt(question, hide_input=True, confirmation_prompt="Again, to be sure", err=True)
    return password
