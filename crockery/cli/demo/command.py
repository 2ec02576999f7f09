"""`crockery demo`: make the throw-away domain if it is not there, serve it, and say how to log in."""

import datetime
import sys
from pathlib import Path
from typing import Final

import click

from crockery.actions.accounts import add_account
from crockery.actions.actor import the_server
from crockery.actions.store import Store
from crockery.app import InitError, Options, Server, initialise
from crockery.app.init import NewLog
from crockery.app.options import wall_clock
from crockery.cli import output
from crockery.cli.demo.authority import make_authority
from crockery.cli.demo.mails import DOMAIN, fill
from crockery.cli.errors import CommandFailed
from crockery.cli.serving import serve
from crockery.events.opening import open_log
from crockery.net.passwords import PasswordHasher
from crockery.projections.state import State

ADDRESS: Final = "127.0.0.1"
PORT_OFFSET: Final = 8000
HOSTNAME: Final = f"mail.{DOMAIN}"
PASSWORDS: Final = (("anna", "anna-secret"), ("ben", "ben-secret"), ("postmaster", "postmaster-secret"))


@click.command()
@click.argument("folder", metavar="[DIR]", default="demo", type=click.Path(path_type=Path))
@click.option("--port-offset", type=click.IntRange(0, 64000), default=PORT_OFFSET, show_default=True)
def demo(folder: Path, port_offset: int) -> None:
    """Try Crockery: a throw-away domain with mail in it.

    It has two accounts and a postmaster, and is served on high ports of this machine alone.
    Everything is in DIR (default: ./demo). A second run goes on with it; delete it to begin anew.
    """
    log = folder / "demo.crk"
    if not log.exists():
        make_demo(folder, log)
    serve(Options(log, (ADDRESS,), port_offset, world=None), lambda server: announce(server, folder))


def make_demo(folder: Path, log: Path) -> None:
    """Make folder, CA, log, accounts and mail; nothing is left of it if that fails. Raises CommandFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = make_authority(folder, HOSTNAME, datetime.datetime.now(datetime.UTC))
    except OSError as error:
        raise CommandFailed(
            f"{error.filename or folder} cannot be written ({error.strerror}): `crockery demo DIR` takes another folder"
        ) from error
    # Made under another name first: what is called demo.crk is whole.
    new = log.with_name("new-" + log.name)
    new.unlink(missing_ok=True)
    try:
        initialise(new, NewLog(DOMAIN, dict(PASSWORDS)["postmaster"], HOSTNAME, files.chain, files.key))
    except InitError as error:
        raise CommandFailed(str(error)) from error
    state = State()
    opened = open_log(new, state.apply, wall_clock).log
    try:
        store = Store(opened, state, wall_clock)
        for name, password in PASSWORDS:
            if name != "postmaster":
                add_account(store, the_server(), name, PasswordHasher().hash(password))
        fill(store)
        opened.commit()
    finally:
        opened.close()
    new.rename(log)


def announce(server: Server, folder: Path) -> None:
    """The table and the lines to paste."""
    ports = server.ports
    boxes = server.services.store.state.mailboxes
    accounts = server.services.store.state.accounts
    ca = folder.absolute() / "ca.pem"
    rows = []
    for name, password in PASSWORDS:
        account = accounts.find(name)
        count = sum(len(box) for box in boxes.of_account(account.id).values()) if account is not None else 0
        rows.append((f"{name}@{DOMAIN}", password, f"{count:,}"))
    say = output.note
    say(click.style(f"Crockery serves {DOMAIN} on {ADDRESS}, for trying out.", bold=True))
    say("")
    output.table(("address (and login)", "password", "messages"), rows, right=(2,))
    say("")
    output.pairs(
        (
            ("IMAP", f"{ports['imaps']} with TLS, {ports['imap']} with STARTTLS"),
            ("SMTP, to send", f"{ports['submissions']} with TLS, {ports['submission']} with STARTTLS"),
            ("SMTP, from the world", f"{ports['smtp']}"),
            ("CA to trust", str(ca)),
            ("the log", str(server.options.log)),
        )
    )
    say("")
    say("To paste into another terminal:")
    say("")
    for line in _lines_to_paste(ports, ca):
        say(click.style(f"  {line}", fg="cyan"))
    say("")
    say("Ctrl-C stops it; the next run goes on with the same mail.")
    sys.stdout.flush()


def _lines_to_paste(ports: dict[str, int], ca: Path) -> tuple[str, str, str]:
    return (
        f"swaks --server {ADDRESS}:{ports['submissions']} --tls-on-connect --tls-ca-path {ca} --auth PLAIN"
        f" --auth-user anna --auth-password anna-secret --from anna@{DOMAIN} --to ben@{DOMAIN}",
        f'mutt -n -F /dev/null -e \'set ssl_ca_certificates_file="{ca}" imap_pass=anna-secret'
        f" imap_authenticators=login folder=imaps://anna@{ADDRESS}:{ports['imaps']}/ spoolfile=+INBOX'",
        f"openssl s_client -connect {ADDRESS}:{ports['imaps']} -CAfile {ca} -verify_return_error -crlf -quiet",
    )
