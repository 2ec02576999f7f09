"""`crockery account` and `crockery app-password`."""

import sys
from pathlib import Path
from typing import Any

import click

from crockery.actions.settings import parse_size
from crockery.cli import output
from crockery.cli.errors import CommandFailed
from crockery.cli.options import choose_password, control, json_option, log_option, password_options


@click.group()
def account() -> None:
    """Who has mail here."""


@account.command()
@click.argument("name")
@password_options
@log_option
@json_option
def add(name: str, log: Path, as_json: bool, **how: Any) -> None:
    """Add an account: NAME@your-domain."""
    password, is_made = choose_password(f"Password for {name}", **how)
    with control(log) as api:
        added = api.ask("POST", "accounts", name=name, password=password)
    if as_json:
        output.write_json(added | ({"password": password} if is_made else {}))
        return
    output.note(f"{added['address']} can get mail, and read it over IMAP with the login {added['name']}.")
    _show_made(password, is_made)


@account.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@log_option
@json_option
def remove(name: str, yes: bool, log: Path, as_json: bool) -> None:
    """Remove an account with its mail.

    The mail is kept for the retention time, in case it must come back.
    """
    with control(log) as api:
        found = api.ask("GET", "accounts", name)
    mail = f"{found['messages']:,} messages ({output.size(found['octets'])})"
    if found["messages"] and not yes:
        _confirm(f"{found['address']} has {mail}. Remove it?")
    with control(log) as api:
        gone = api.ask("DELETE", "accounts", name)
    if as_json:
        output.write_json(gone)
    else:
        output.note(f"{gone['address']} is removed, with {mail}; mail to it is refused from now on.")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed(f"{question} Say so with --yes")
    click.confirm(question, abort=True, err=True)


@account.command()
@click.argument("name")
@log_option
@json_option
def disable(name: str, log: Path, as_json: bool) -> None:
    """Let nobody log in; mail is received all the same."""
    changed = _change(log, name, disabled=True)
    _told(as_json, changed, f"{changed['address']} cannot log in any more; its mail is still received.")


@account.command()
@click.argument("name")
@log_option
@json_option
def enable(name: str, log: Path, as_json: bool) -> None:
    """Undo `disable`."""
    changed = _change(log, name, disabled=False)
    _told(as_json, changed, f"{changed['address']} can log in.")


@account.command("password")
@click.argument("name")
@password_options
@log_option
@json_option
def set_password(name: str, log: Path, as_json: bool, **how: Any) -> None:
    """Set an account's password."""
    with control(log) as api:
        found = api.ask("GET", "accounts", name)  # before asking twice for a password of nobody
    chosen, is_made = choose_password(f"New password for {found['name']}", **how)
    changed = _change(log, name, password=chosen)
    if as_json:
        output.write_json(changed | ({"password": chosen} if is_made else {}))
        return
    output.note(f"{changed['address']} has a new password.")
    _show_made(chosen, is_made)


@account.command()
@click.argument("name")
@click.argument("address", required=False)
@click.option("--no-keep", is_flag=True, help="Do not keep the mail here as well.")
@log_option
@json_option
def forward(name: str, address: str | None, no_keep: bool, log: Path, as_json: bool) -> None:
    """Let mail for NAME go on to ADDRESS elsewhere.

    A copy is kept here, unless you say --no-keep. ADDRESS off: it does not go on any more. Without ADDRESS, says where
    it goes.
    """
    with control(log) as api:
        if address is None:
            found = api.ask("GET", "accounts", name)
        else:
            there = None if address == "off" else address
            found = api.ask("PUT", "accounts", name, "forward", address=there, keep=not no_keep)
    copy = ", and stays here as well" if found["keeps"] else "; no copy stays here"
    where = f"goes on to {found['forward']}{copy}" if found["forward"] else "stays here"
    _told(as_json, found, f"Mail for {found['address']} {where}.")


@account.command()
@click.argument("name")
@click.argument("size", required=False)
@click.option("--messages", metavar="NUMBER", help="How many messages it may hold, or none.")
@log_option
@json_option
def quota(name: str, size: str | None, messages: str | None, log: Path, as_json: bool) -> None:
    """Show or set how much NAME may hold.

    SIZE is like 500M or 2G, or none, or default: what the settings quota-storage and quota-messages say.
    """
    with control(log) as api:
        found = api.ask("GET", "accounts", name)
        if size is not None or messages is not None:
            wanted = None if size == "default" else _limits(found["quota"], size, messages)
            found = api.ask("PATCH", "accounts", name, quota=wanted)
    _told(as_json, found, f"{found['address']} holds {_share(found)}.")


def _limits(now: Any, size: str | None, messages: str | None) -> dict[str, int]:
    """Both limits; what is not given stays as it is."""
    limits = {"storage": now["storage"], "messages": now["messages"]}
    for which, text in (("storage", size), ("messages", messages)):
        if text is not None:
            number = 0 if text == "none" else parse_size(text)
            if number < 0 or (number == 0 and text != "none"):
                raise CommandFailed(f"{text} is no limit: give a size like 500M or 2G, a number of messages, or none")
            limits[which] = number
    return limits


def _share(item: Any) -> str:
    most, said = item["quota"], []
    if most["storage"]:
        said.append(f"{output.size(item['octets'])} of {output.size(most['storage'])}")
    if most["messages"]:
        said.append(f"{item['messages']:,} of {most['messages']:,} messages")
    if not said:
        return f"{output.size(item['octets'])} and has no limit"
    return " and ".join(said) + ("" if most["own"] else ", the limit for all accounts")


@account.command("list")
@log_option
@json_option
def list_accounts(log: Path, as_json: bool) -> None:
    """All accounts and what they hold."""
    with control(log) as api:
        found = api.ask("GET", "accounts")
    if as_json:
        output.write_json(found)
        return
    rows = [
        (
            item["address"],
            _remarks(item),
            f"{item['messages']:,}",
            f"{item['unseen']:,}",
            output.size(item["octets"]),
            ", ".join(a for a in item["addresses"] if a != item["name"]),
        )
        for item in found["items"]
    ]
    headings = ("address", "", "messages", "unseen", "size", "also gets mail for")
    output.table(headings, rows, right=(2, 3, 4), none="No accounts yet: crockery account add NAME")


def _remarks(item: Any) -> str:
    remarks = []
    if item["postmaster"]:
        remarks.append("postmaster")
    if item["disabled"]:
        remarks.append(click.style("disabled", fg="yellow"))
    if item["forward"]:
        remarks.append(f"{'also ' if item['keeps'] else ''}goes on to {item['forward']}")
    if not item["has_password"]:
        remarks.append(click.style("no password", fg="yellow"))
    return ", ".join(remarks)


@click.group("app-password")
def app_password() -> None:
    """Passwords for single devices.

    Each has a login name of its own (anna/phone) and can be revoked without touching the others.
    """


@app_password.command("add")
@click.argument("name")
@click.argument("label")
@log_option
@json_option
def add_app(name: str, label: str, log: Path, as_json: bool) -> None:
    """Make a password for one device.

    LABEL is what you call it, as phone; the login is NAME/LABEL.
    """
    with control(log) as api:
        made = api.ask("POST", "accounts", name, "app-passwords", label=label)
    if as_json:
        output.write_json(made)
        return
    output.pairs((("login", made["login"]), ("password", click.style(made["password"], bold=True))))
    output.hint("Nobody can show this password again. `crockery app-password remove` revokes it.")


@app_password.command("remove")
@click.argument("name")
@click.argument("label")
@log_option
@json_option
def remove_app(name: str, label: str, log: Path, as_json: bool) -> None:
    """Revoke a device's password."""
    with control(log) as api:
        gone = api.ask("DELETE", "accounts", name, "app-passwords", label)
    _told(as_json, gone, f"{gone['login']} is revoked: it cannot log in any more.")


@app_password.command("list")
@click.argument("name")
@log_option
@json_option
def list_apps(name: str, log: Path, as_json: bool) -> None:
    """The devices of an account and when they were last seen."""
    with control(log) as api:
        found = api.ask("GET", "accounts", name, "app-passwords")
    if as_json:
        output.write_json(found)
        return
    rows = [
        (item["login"], output.when(item["added"]), output.when(item["last_used"]), item["last_peer"] or "")
        for item in found["items"]
    ]
    none = f"{name} has no app passwords: crockery app-password add {name} LABEL"
    output.table(("login", "added", "last used", "from"), rows, none=none)


def _change(log: Path, name: str, **what: Any) -> Any:
    with control(log) as api:
        return api.ask("PATCH", "accounts", name, **what)


def _told(as_json: bool, value: Any, sentence: str) -> None:
    if as_json:
        output.write_json(value)
    else:
        output.note(sentence)


def _show_made(password: str, is_made: bool) -> None:
    if is_made:
        output.pairs((("password", click.style(password, bold=True)),))
        output.hint("Nobody can show this password again.")
