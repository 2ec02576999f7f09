"""`crockery init` and `crockery run`."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import trio

from crockery.app import InitError, Options, Server, StartError, initialise, run_until_signal
from crockery.app.init import NewLog
from crockery.app.outgoing import World
from crockery.cli import output
from crockery.cli.errors import CommandFailed, about
from crockery.cli.options import ask_password, log_argument
from crockery.net.resolver import parse_server


@click.command()
@click.option("--domain", required=True, help="The domain whose mail this will be, as example.com.")
@click.option("--hostname", help="This machine's name (default: mail.DOMAIN); the MX record names it.")
@click.option("--cert", type=click.Path(path_type=Path), help="Certificate chain, PEM. It is watched for renewals.")
@click.option("--key", type=click.Path(path_type=Path), help="Private key, PEM.")
@click.option(
    "--postmaster-password",
    metavar="P",
    envvar="CROCKERY_POSTMASTER_PASSWORD",
    show_envvar=True,
    help="Asked for if it is not given.",
)
@log_argument
def init(
    log: Path,
    domain: str,
    hostname: str | None,
    cert: Path | None,
    key: Path | None,
    postmaster_password: str | None,
) -> None:
    """Make a log for a domain, with a postmaster."""
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key go together")
    if log.exists():
        raise CommandFailed(f"there is a file {log} already: `crockery run {log}` serves it")
    make_log(log, NewLog(domain, postmaster_password or _ask_postmaster(domain), hostname or "", cert, key))
    output.note("Next:")
    output.note(f"  crockery run {log}")
    output.note(f"  crockery account add NAME --log {log}")


def _ask_postmaster(domain: str) -> str:
    if not sys.stdin.isatty():
        raise CommandFailed(
            "there is no terminal to ask for the postmaster's password on: use --postmaster-password or "
            "$CROCKERY_POSTMASTER_PASSWORD"
        )
    output.note(f"postmaster@{domain} gets the mail that every domain must accept, and can log in over IMAP.")
    return ask_password("Password for postmaster")


def make_log(log: Path, new: NewLog) -> None:
    """Make it and say what it is. Raises CommandFailed."""
    if not log.absolute().parent.is_dir():
        raise CommandFailed(f"there is no folder {log.parent}: `mkdir -p {log.parent}` makes it")
    try:
        certificate = initialise(log, new)
    except InitError as error:
        raise CommandFailed(str(error)) from error
    host = certificate.names[0] if certificate.names else f"mail.{new.domain}"
    output.note(f"{log} is the log of {new.domain}: everything will be in this one file.")
    if certificate.source == "self-signed":
        output.note(f"The certificate for {host} is self-signed: mail programs will ask whether to trust it. With one")
        output.note("  that others vouch for: crockery init ... --cert FILE --key FILE")


@click.command()
@log_argument
@click.option(
    "--bind", multiple=True, metavar="ADDRESS", help="IP address to listen on; may be repeated. Default: all."
)
@click.option("--port-offset", type=click.IntRange(0, 64000), default=0, help="Added to 25, 465, 587, 143, 993.")
@click.option(
    "--resolver", metavar="ADDRESS[:PORT]", default="", help="The one DNS server to ask. Default: the system's."
)
@click.option(
    "--outbound-port", type=click.IntRange(1, 65535), default=25, help="Where mail goes to, for trying things out."
)
@click.option("--restored", is_flag=True, help="The log is a copy whose original went on for a while.")
def run(log: Path, bind: tuple[str, ...], port_offset: int, resolver: str, outbound_port: int, restored: bool) -> None:
    """Serve a log over SMTP and IMAP.

    SMTP is on ports 25, 465 and 587, IMAP on 143 and 993. Ctrl-C or SIGTERM stops it in good order.
    """
    if not log.exists():
        _offer_to_make(log)
    if resolver:
        try:
            parse_server(resolver)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--resolver") from error
    world = World(resolver, outbound_port)
    serve(Options(log, bind, port_offset, restored=restored, world=world), announce_ports)


def _offer_to_make(log: Path) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandFailed(f"there is no log at {log}: `crockery init {log} --domain DOMAIN` makes one")
    click.echo(f"There is no log at {log}.", err=True)
    if not click.confirm("Make one now?", default=True, err=True):
        raise CommandFailed(f"`crockery init {log} --domain DOMAIN` makes one")
    domain = click.prompt("Domain, as example.com", err=True)
    make_log(log, NewLog(domain, _ask_postmaster(domain)))


def serve(options: Options, announce: Callable[[Server], None]) -> None:
    """Run the server until it is stopped; `announce` once it serves. Raises CommandFailed."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    bar = output.Bar(f"Reading {options.log.name}")

    def started(server: Server) -> None:
        bar.clear()
        announce(server)

    try:
        with about(options.log):
            trio.run(run_until_signal, replace(options, progress=bar.update), started)
    except StartError as error:
        raise CommandFailed(str(error)) from error
    finally:
        bar.clear()


def announce_ports(server: Server) -> None:
    """What is served where, and what is next."""
    settings = server.services.store.state.settings
    output.note(f"Crockery serves {settings.domain} as {settings.hostname} (process {os.getpid()})")
    ports = [f"{name} {number}" for name, number in server.ports.items()]
    output.note(f"  {', '.join(ports)}")
    sys.stdout.flush()
