"""`crockery status`."""

from pathlib import Path
from typing import Any

import click

from crockery.cli import output
from crockery.cli.options import control, json_option, log_option
from crockery.web.words import plural


@click.command()
@log_option
@json_option
def status(log: Path, as_json: bool) -> None:
    """How the server and its log are."""
    with control(log) as api:
        found = api.ask("GET", "status")
    if as_json:
        output.write_json(found)
    else:
        output.pairs(_rows(found))


def _rows(found: Any) -> list[tuple[str, str]]:
    rows = [
        ("server", _server(found)),
        ("domain", f"{found['domain']} (host {found['hostname']})"),
        ("certificate", _certificate(found["certificate"])),
        ("accounts", f"{plural(found['accounts'], 'account')}, {found['aliases']:,} aliases"),
        ("mail", f"{plural(found['messages'], 'message')}, {output.size(found['octets'])}"),
        ("queue", _queue(found)),
        ("log", f"{found['log']}: {output.size(found['log_octets'])}, last event {found['events']:,}"),
        ("last event", output.when(found["last_event"], otherwise="none")),
        ("free on disk", output.size(found["free_octets"])),
    ]
    if found["smart_host"]:
        rows.insert(5, ("smart host", f"{found['smart_host']} takes all outgoing mail"))
    ports = found.get("ports")
    if ports:
        rows.insert(1, ("ports", ", ".join(f"{name} {number}" for name, number in ports.items())))
    return rows


def _queue(found: Any) -> str:
    if not found["queued"]:
        return "empty"
    waiting, still = f"{plural(found['queued'], 'message')} waiting", found["standing_still"]
    if not still:
        return waiting
    return f"{waiting}; {still:,} of them stand{'s' * (still == 1)} still: see `crockery queue list`"


def _server(found: Any) -> str:
    if found["running"]:
        since = output.when(found["last_start"])
        return click.style("running", fg="green") + f" since {since} (process {found['pid']}, {found['version']})"
    how = "" if found["stopped_cleanly"] else "; it did not stop in good order, which loses nothing"
    return click.style("not running", fg="yellow") + how


def _certificate(found: Any) -> str:
    if found is None:
        return click.style("none", fg="red")
    return f"{found['source']}, for {', '.join(found['names'])}, until {output.when(found['not_after'])[:10]}"
