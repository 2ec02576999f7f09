"""`crockery alias` and `crockery wildcard`."""

from pathlib import Path

import click

from crockery.cli import output
from crockery.cli.options import control, json_option, log_option
from crockery.web.words import listed


@click.group()
def alias() -> None:
    """More names: for one, for several, for people elsewhere."""


@alias.command()
@click.argument("name")
@click.argument("targets", nargs=-1, required=True)
@log_option
@json_option
def add(name: str, targets: tuple[str, ...], log: Path, as_json: bool) -> None:
    """Let mail to NAME go to TARGETS: accounts, and addresses elsewhere.

    An alias that is there is changed.
    """
    with control(log) as api:
        added = api.ask("PUT", "aliases", name, targets=list(targets))
    if as_json:
        output.write_json(added)
    else:
        output.note(f"Mail to {added['address']} goes to {listed(added['targets'])}.")


@alias.command()
@click.argument("name")
@log_option
@json_option
def remove(name: str, log: Path, as_json: bool) -> None:
    """Remove an alias."""
    with control(log) as api:
        gone = api.ask("DELETE", "aliases", name)
    if as_json:
        output.write_json(gone)
    else:
        output.note(f"{gone['address']} is no alias any more (it went to {listed(gone['targets'])}).")


@alias.command("list")
@log_option
@json_option
def list_aliases(log: Path, as_json: bool) -> None:
    """All aliases."""
    with control(log) as api:
        found = api.ask("GET", "aliases")
    if as_json:
        output.write_json(found)
        return
    rows = [(item["address"], listed(item["targets"])) for item in found["items"]]
    output.table(("address", "goes to"), rows, none="No aliases yet: crockery alias add NAME ACCOUNT...")


@click.command()
@click.argument("account", required=False)
@log_option
@json_option
def wildcard(account: str | None, log: Path, as_json: bool) -> None:
    """Who gets mail to names that nobody has.

    ACCOUNT, or off: such mail is refused. Without either, says who.
    """
    with control(log) as api:
        if account is None:
            found = api.ask("GET", "wildcard")
        else:
            found = api.ask("PUT", "wildcard", account=None if account == "off" else account)
    if as_json:
        output.write_json(found)
    elif found["account"] is None:
        output.note("Mail to unknown names is refused.")
    else:
        output.note(f"Mail to unknown names goes to {found['account']}.")
