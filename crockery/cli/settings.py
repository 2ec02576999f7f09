"""`crockery change` and `crockery settings`."""

from pathlib import Path
from typing import Any

import click

from crockery.cli import output
from crockery.cli.options import control, json_option, log_option
from crockery.projections.settings import SETTINGS


@click.command(epilog="Settings: " + ", ".join(setting.name for setting in SETTINGS))
@click.argument("setting")
@click.argument("value")
@log_option
@json_option
def change(setting: str, value: str, log: Path, as_json: bool) -> None:
    """Change a setting.

    The VALUE default takes the change back.
    `change domain NEW` keeps all accounts and goes on receiving mail for the old domain.
    """
    with control(log) as api:
        changed = api.ask("PUT", "settings", setting, value=value)
    if as_json:
        output.write_json(changed)
    else:
        output.note(f"{changed['name']} is {_value(changed)} now.")


@click.command()
@log_option
@json_option
def settings(log: Path, as_json: bool) -> None:
    """All settings, their values and what they do."""
    with control(log) as api:
        found = api.ask("GET", "settings")
    if as_json:
        output.write_json(found)
        return
    rows = [
        (item["name"], click.style(_value(item), bold=item["changed"]), item["help"]) for item in found["items"]
    ]  # fmt: skip
    output.table(("setting", "value", "what it is"), rows)
    output.hint("`crockery change SETTING VALUE` changes one; what is in bold differs from the default.")


def _value(item: Any) -> str:
    value = item["value"]
    if isinstance(value, bool):
        return "on" if value else "off"
    return "-" if value in (None, "") else str(value)
