"""`crockery log` and `crockery history`: what happened, event by event."""

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import click

from crockery.cli import output
from crockery.cli.control import Remote, ServerGone, connect
from crockery.cli.options import control, json_option, log_option
from crockery.limits import COMMAND_FOLLOW_RETRY

ON_TERMINAL: Final = 40
"""Entries shown on a terminal unless more are asked for."""


COLOURS: Final = {
    "MessageReceived": "green",
    "MessageQueued": "green",
    "MessagesExpunged": "yellow",
    "MailboxDeleted": "yellow",
    "AccountRemoved": "yellow",
    "DamageAccepted": "red",
    "TailCut": "red",
    "HistoryResumed": "red",
    "ServerStarted": "cyan",
    "ServerStopped": "cyan",
    "SettingChanged": "cyan",
}


@click.command()
@click.option("-n", "--last", type=click.IntRange(min=0), metavar="COUNT", help="Only the last COUNT entries.")
@click.option(
    "--all", "everything", is_flag=True, help=f"Everything, also on a terminal (else the last {ON_TERMINAL})."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on, until Ctrl-C.")
@log_option
@json_option
def log(last: int | None, everything: bool, follow: bool, log: Path, as_json: bool) -> None:
    """All that happened, one sentence an event, oldest first."""
    is_cut = last is None and not everything and (follow or (sys.stdout.isatty() and not as_json))
    wanted = ON_TERMINAL if is_cut else last
    if follow:
        _print(_following(log, wanted), as_json)
        return
    query = {} if wanted is None else {"last": str(wanted)}
    with control(log) as api:
        _print(api.lines("GET", "log", query=query), as_json)
    if is_cut:
        output.hint(f"These are the last {ON_TERMINAL}: --all shows everything, --follow goes on.")


@click.command()
@click.argument("account", required=False)
@click.argument("mailbox", required=False)
@click.argument("uid", required=False, type=int)
@click.option("--message", metavar="MESSAGE", help="A Message-ID, or a message's number in the log.")
@log_option
@json_option
def history(
    account: str | None, mailbox: str | None, uid: int | None, message: str | None, log: Path, as_json: bool
) -> None:
    """Who did what to an account, a mailbox or a message.

    A message is meant by its UID, or with --message. Deleted mailboxes and removed accounts have a history too.
    """
    if (account is None) == (message is None):
        raise click.UsageError("say whose history: ACCOUNT [MAILBOX [UID]], or --message MESSAGE")
    named = {"account": account, "mailbox": mailbox, "uid": uid, "message": message}
    query = {name: str(value) for name, value in named.items() if value is not None}
    with control(log) as api:
        _print(api.lines("GET", "history", query=query), as_json)


def _following(log: Path, last: int | None) -> Iterator[Any]:
    """Entries for ever, over stops and starts of the server."""
    after = 0
    with control(log) as api:
        if not api.is_running:
            for entry in api.lines("GET", "log", query={} if last is None else {"last": str(last)}):
                after = entry["number"]
                yield entry
    if not api.is_running:
        output.hint("The server does not run; what happens once it does will follow. Ctrl-C ends this.")
    while True:
        connection = connect(log)
        if connection is not None:
            query = {"follow": "1", "after": str(after)}
            if last is not None and not after:
                query["last"] = str(last)
            try:
                for entry in Remote(connection, "crockery log").lines("GET", "log", query=query):
                    after = entry["number"]
                    yield entry
            except ServerGone:
                pass
            finally:
                connection.close()
        time.sleep(COMMAND_FOLLOW_RETRY)


def _print(entries: Iterable[Any], as_json: bool) -> None:
    for entry in entries:
        if as_json:
            output.write_line(entry)
        else:
            text = output.shown(entry["text"])
            moment = click.style(f"{output.when(entry['time'])}  {entry['number']:>6}", dim=True)
            click.echo(f"{moment}  {click.style(text, fg=COLOURS.get(entry['type']))}")
