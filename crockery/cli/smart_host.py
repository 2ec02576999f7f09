"""`crockery smart-host`."""

import sys
from pathlib import Path
from typing import Any, Final

import click

from crockery.cli import output
from crockery.cli.errors import CommandFailed
from crockery.cli.options import control, json_option, log_option

IMPLICIT_PORT: Final = 465
STARTTLS_PORT: Final = 587
_STARTTLS_PORTS: Final = (25, 587, 2525)


@click.command("smart-host")
@click.argument("host", required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Its port (default: 465, or 587 with --starttls).")
@click.option("--starttls", is_flag=True, help="TLS begins with STARTTLS (as on the ports 587 and 25).")
@click.option("--user", metavar="NAME", help="The user name it knows us by.")
@click.option("--password", metavar="PASSWORD", help="The password (others on this machine may see it).")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@log_option
@json_option
def smart_host(
    host: str | None,
    port: int | None,
    starttls: bool,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    log: Path,
    as_json: bool,
) -> None:
    """Show or set the server that all outgoing mail is handed to.

    Without one, mail goes to the servers of its recipients. HOST off: do without again. The way to it is encrypted and
    its certificate must be good, or mail waits.
    """
    options = (port, user, password) if host in (None, "off") else ()
    if any(options) or (host in (None, "off") and (starttls or password_stdin)):
        raise click.UsageError("the options are for a HOST")
    secret = _password(user, password, password_stdin) if host not in (None, "off") else ""
    with control(log) as api:
        if host is None:
            found = api.ask("GET", "smart-host")
        elif host == "off":
            found = api.ask("DELETE", "smart-host")
        else:
            name, number = _split(host, port)
            with_starttls = starttls or number in _STARTTLS_PORTS
            found = api.ask(
                "PUT", "smart-host", host=name, tls="starttls" if with_starttls else "implicit",
                port=number or (STARTTLS_PORT if with_starttls else IMPLICIT_PORT), user=user or "", password=secret,
            )  # fmt: skip
    if as_json:
        output.write_json(found)
        return
    _tell(found)
    if host is not None:
        output.hint("The records that say who sends mail of your domain change with it: `crockery dns` shows them.")


def _split(host: str, port: int | None) -> tuple[str, int | None]:
    """HOST:PORT is understood too."""
    name, colon, number = host.rpartition(":")
    if port is None and colon and number.isdigit() and ":" not in name:
        return name, int(number)
    return host, port


def _password(user: str | None, password: str | None, password_stdin: bool) -> str:
    if password is not None and password_stdin:
        raise click.UsageError("--password and --password-stdin exclude one another")
    if user is None:
        if password is not None or password_stdin:
            raise click.UsageError("a password needs the --user it belongs to")
        return ""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif password is None:
        if not sys.stdin.isatty():
            raise CommandFailed("there is no terminal to ask for the password on: use --password-stdin")
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    if not password:
        raise CommandFailed("the password is empty")
    return password


def _tell(found: Any) -> None:
    if found["host"] is None:
        output.note("There is no smart host: mail goes to the servers of its recipients.")
        return
    tls = "TLS" if found["tls"] == "implicit" else "STARTTLS"
    login = f", with the login {found['user']}" if found["user"] else ", without a login"
    output.note(output.shown(f"All outgoing mail goes by {found['host']}, port {found['port']} ({tls}){login}."))
    tell_trouble(found)


def tell_trouble(found: Any) -> None:
    """One line if the smart host takes no mail; `found` is what the API says of it."""
    trouble = found["trouble"]
    if trouble:
        words = {"login": "it does not accept the login"}.get(trouble["why"], "there is no secure way to it")
        since = output.when(trouble["since"])
        output.hint(output.shown(f"It takes no mail since {since}: {words}. {trouble['text']}"))
