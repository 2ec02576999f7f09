"""`crockery queue`: mail that waits to go elsewhere. Sending is not here yet."""

from pathlib import Path

import click

from crockery.cli import output
from crockery.cli.options import control, json_option, log_option
from crockery.web.words import listed


@click.group()
def queue() -> None:
    """Mail that waits to go elsewhere."""


@queue.command("list")
@log_option
@json_option
def list_queue(log: Path, as_json: bool) -> None:
    """All mail that waits, oldest first."""
    with control(log) as api:
        found = api.ask("GET", "queue")
    if as_json:
        output.write_json(found)
        return
    rows = [
        (
            str(item["number"]),
            output.when(item["time"]),
            item["from"] or "<>",
            output.shown(", ".join(item["recipients"])),
            output.size(item["octets"]),
        )
        for item in found["items"]
    ]
    output.table(("number", "since", "from", "to", "size"), rows, right=(0, 4), none="No mail is waiting.")
    if rows:
        output.hint("This version of Crockery keeps such mail and does not send it yet.")


@queue.command()
@click.argument("number")
@log_option
@json_option
def show(number: str, log: Path, as_json: bool) -> None:
    """One message: who sent it, to whom, and its header."""
    with control(log) as api:
        found = api.ask("GET", "queue", number)
    if as_json:
        output.write_json(found)
        return
    output.pairs(
        (
            ("number", str(found["number"])),
            ("since", output.when(found["time"])),
            ("account", found["account"] or "the server"),
            ("from", found["from"] or "<>"),
            ("to", ", ".join(found["recipients"])),
            ("size", output.size(found["octets"])),
        )
    )
    output.note("")
    for line in found["header"]:
        output.note(output.shown(line.replace("\t", " ")))


@queue.command()
@click.argument("number")
@click.argument("recipients", nargs=-1)
@log_option
@json_option
def cancel(number: str, recipients: tuple[str, ...], log: Path, as_json: bool) -> None:
    """Take a message back: from these RECIPIENTS, or from all."""
    with control(log) as api:
        results = [
            api.ask("DELETE", "queue", number, query={"recipient": recipient} if recipient else {})
            for recipient in recipients or ("",)
        ]
    gone = [recipient for result in results for recipient in result["cancelled"]]
    left = results[-1]["recipients"]
    if as_json:
        output.write_json({**results[-1], "cancelled": gone})
    else:
        output.note(f"Message {number} does not go to {listed(gone)}" + (f"; {listed(left)} stay." if left else "."))
