"""`crockery whitelist`: what is let through though rules are against it."""

from pathlib import Path

import click

from crockery.cli import output
from crockery.cli.options import control, json_option, log_option
from crockery.web.words import plural


@click.group()
def whitelist() -> None:
    """What is let through though rules are against it."""


@whitelist.group()
def tls() -> None:
    """Domains that mail may go to without a secure way: list, add, remove."""


@tls.command("list")
@log_option
@json_option
def list_grants(log: Path, as_json: bool) -> None:
    """What is granted, by whom, and since when."""
    with control(log) as api:
        found = api.ask("GET", "whitelist", "tls")
    if as_json:
        output.write_json(found)
        return
    rows = [
        (
            output.shown(item["domain"]),
            output.shown(f"the key of {item['host']}" if item["host"] else "plain delivery"),
            item["account"] or "",
            output.when(item["time"]),
        )
        for item in found["items"]
    ]
    output.table(("domain", "trusted", "by", "since"), rows, none="Nothing is granted.")


@tls.command()
@click.argument("domain")
@log_option
@json_option
def add(domain: str, log: Path, as_json: bool) -> None:
    """Let mail to DOMAIN go without a secure way.

    Without encryption, or to a server that nothing vouches for. A policy of the domain's own (DANE, MTA-STS) still
    counts.
    """
    with control(log) as api:
        granted = api.ask("PUT", "whitelist", "tls", domain)
    if as_json:
        output.write_json(granted)
    else:
        output.note(f"Mail to {granted['domain']} goes out, with a secure way or without one.")


@tls.command()
@click.argument("domain")
@log_option
@json_option
def remove(domain: str, log: Path, as_json: bool) -> None:
    """Take back all that is granted for DOMAIN."""
    with control(log) as api:
        gone = api.ask("DELETE", "whitelist", "tls", domain)
    if as_json:
        output.write_json(gone)
    else:
        output.note(f"{plural(len(gone['items']), 'grant')} for {gone['items'][0]['domain']} taken back.")
