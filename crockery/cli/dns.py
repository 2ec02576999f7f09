"""`crockery dns`: the records to publish, and whether they are."""

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from crockery.cli import output
from crockery.cli.errors import CommandFailed
from crockery.cli.options import control, json_option, log_option

_FAR: Final = ((socket.AF_INET6, "2620:fe::fe"), (socket.AF_INET, "9.9.9.9"))
"""Public addresses; nothing is sent to them, the system only tells from which of ours it would go."""

_COLOURS: Final = {"found": "green", "missing": "red", "differs": "yellow", "unknown": "yellow"}


@click.command()
@click.option("--check", is_flag=True, help="Compare with what the world's DNS says.")
@click.option("--address", "addresses", metavar="ADDRESS", multiple=True, help="The machine's public address.")
@click.option("--resolver", metavar="ADDRESS[:PORT]", default="", help="The DNS server to ask. Default: the system's.")
@log_option
@json_option
def dns(check: bool, addresses: Sequence[str], resolver: str, log: Path, as_json: bool) -> None:
    """The DNS records your mail needs, and whether they are there.

    They are printed ready to paste; --check compares them with what the world sees.
    """
    from crockery.domain.records import public_addresses

    for address in addresses:
        _check_address(address)
    known = addresses or public_addresses(own_addresses())
    with control(log) as api:
        wanted = api.ask("GET", "dns", query={"address": ",".join(known)} if known else {})
    if check:
        _show_findings(_findings(wanted["items"], resolver), as_json)
    elif as_json:
        output.write_json(wanted)
    else:
        _show(wanted)


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise click.BadParameter(f"{text} is no IP address", param_hint="--address") from None


def own_addresses() -> list[str]:
    """From where this machine would talk to the world."""
    found = []
    for family, far in _FAR:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect((far, 53))
                found.append(sock.getsockname()[0])
            except OSError:
                continue
    return found


def _show(wanted: Any) -> None:
    items = wanted["items"]
    output.note(f"Where you manage the DNS of {wanted['domain']}, add these records:\n")
    rows = [(item["form_name"], item["type"], item["value"] or "(its public address)", item["why"]) for item in items]
    output.table(("name", "type", "value", "which says"), rows)
    output.note("\nThe same as lines of a zone file:\n")
    for item in items:
        output.note(item["zone"])
    output.hint("`crockery dns --check` tells whether they are there.")
    if not any(item["kind"] == "dkim" for item in items):
        output.hint("Two more, for DKIM, are made when `crockery run` starts for the first time.")


def _findings(items: Sequence[Any], resolver: str) -> list[Any]:
    import trio

    from crockery.domain.checking import Finding, check_records
    from crockery.domain.records import Kind, Record
    from crockery.net.resolver import parse_server
    from crockery.net.resolver.resolver import open_resolver

    try:
        servers = (parse_server(resolver),) if resolver else ()
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--resolver") from error
    records = [Record(Kind(i["kind"]), i["name"], i["type"], i["value"], i["why"]) for i in items]

    async def ask() -> list[Finding]:
        async with open_resolver(servers, validate=False) as asked:
            return await check_records(records, asked)

    found = trio.run(ask)
    return [{**item, **finding._asdict(), "record": None} for item, finding in zip(items, found, strict=True)]


def _show_findings(findings: Sequence[Any], as_json: bool) -> None:
    for finding in findings:
        finding.pop("record")
    wrong = [finding for finding in findings if finding["verdict"] != "found"]
    if as_json:
        output.write_json({"items": findings})
    else:
        for finding in findings:
            mark = click.style(f"{finding['verdict']!s:8}", fg=_COLOURS[finding["verdict"]])
            output.note(f"{mark} {output.shown(finding['sentence'])}")
    if wrong and not as_json:
        raise CommandFailed("not all records are as they should be: `crockery dns` shows them (changes take an hour)")
