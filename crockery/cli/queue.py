"""`crockery queue`: mail that waits to go elsewhere."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, Final

import click

from crockery.cli import output
from crockery.cli.options import control, json_option, log_option
from crockery.web.words import listed, plural

_POLICIES: Final = {"tlsa": "DANE", "sts": "MTA-STS", "no-policy-found": "none"}

_WIDTH: Final = 100
_SHOWN_RECIPIENTS: Final = 2
_STATE_WIDTH: Final = 90


@click.group()
def queue() -> None:
    """Mail that waits to go elsewhere."""


@queue.command("list")
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@click.option("--finished", is_flag=True, help="What has left the queue lately instead, the latest first.")
@log_option
@json_option
def list_queue(everything: bool, finished: bool, log: Path, as_json: bool) -> None:
    """Mail that waits, oldest first, and why it does."""
    with control(log) as api:
        found = api.ask("GET", "queue", query={"finished": "1"} if finished else {})
        while not finished and (everything or as_json) and len(found["items"]) < found["total"]:
            more = api.ask("GET", "queue", query={"after": str(found["items"][-1]["number"])})["items"]
            if not more:
                break  # some have gone meanwhile
            found["items"] += more
    if as_json:
        output.write_json(found)
        return
    rows = [
        (
            str(item["number"]),
            output.ago(item["time"]),
            output.shown(item["from"] or "<>"),
            output.shown(_recipients(list(item["states"]) if finished else item["recipients"])),
            output.size(item["octets"]),
            output.shown(_summary(item)),
        )
        for item in found["items"]
    ]
    none = "No mail has left the queue lately." if finished else "No mail is waiting."
    output.table(("number", "age", "from", "to", "size", "state"), rows, right=(0, 4), none=none)
    if rows:
        output.hint("`crockery queue show NUMBER` tells the whole story of one.")
    if not everything and found["total"] > len(rows):
        output.hint(f"{plural(found['total'] - len(rows), 'message')} more: `crockery queue list --all`.")
    for reason in found["stopped"]:
        output.note("")
        output.note(fill(output.shown(reason["text"]), _WIDTH, break_on_hyphens=False))


def _recipients(addresses: Sequence[str]) -> str:
    if len(addresses) <= _SHOWN_RECIPIENTS:
        return ", ".join(addresses)
    return f"{', '.join(addresses[:_SHOWN_RECIPIENTS])} and {len(addresses) - _SHOWN_RECIPIENTS:,} more"


def _summary(item: Any) -> str:
    """Its recipients' states, and for one that waits the next attempt and what was said at the last."""
    if item["stands_still"]:
        return "stands still"
    counts = Counter(item["states"][address] for address in item["recipients"] or item["states"])
    only = len(counts) == 1
    states = listed([state if only else f"{state} ({count:,})" for state, count in counts.items()])
    if item["next"] is None:
        return states
    if set(counts) == {"held until its time"}:
        return f"{states}, {output.until(item['next'])}"
    last = f": {item['last']}" if item["last"] else ""
    text = f"{states}, next try {output.until(item['next'])}{last}"
    return text if len(text) <= _STATE_WIDTH else text[: _STATE_WIDTH - 1] + "…"


@queue.command()
@click.argument("number")
@log_option
@json_option
def show(number: str, log: Path, as_json: bool) -> None:
    """One message, and each recipient's whole story."""
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
            ("size", output.size(found["octets"])),
        )
    )
    for story in found["stories"]:
        output.note("")
        output.note(output.shown(f"{story['address']}: {story['state']}"))
        for sentence in story["story"]:
            output.note("  " + output.shown(sentence))
    output.note("")
    for line in found["header"]:
        output.note(output.shown(line.replace("\t", " ")))


@queue.command()
@click.argument("number")
@click.argument("recipients", nargs=-1)
@log_option
@json_option
def retry(number: str, recipients: tuple[str, ...], log: Path, as_json: bool) -> None:
    """Try again at once: these RECIPIENTS, or all."""
    due = _reschedule("retry", number, recipients, log, as_json)
    if not as_json:
        output.note(f"Message {number} is tried again for {listed(due)}.")


@queue.command("send-insecure")
@click.argument("number")
@click.argument("recipients", nargs=-1)
@log_option
@json_option
def send_insecure(number: str, recipients: tuple[str, ...], log: Path, as_json: bool) -> None:
    """Send it even if there is no secure way.

    To these RECIPIENTS, or to all.
    """
    due = _reschedule("send-insecure", number, recipients, log, as_json)
    if not as_json:
        output.note(f"Message {number} goes to {listed(due)}, with a secure way or without one.")


def _reschedule(what: str, number: str, recipients: tuple[str, ...], log: Path, as_json: bool) -> list[str]:
    with control(log) as api:
        results = [
            api.ask("POST", "queue", number, what, query={"recipient": recipient} if recipient else {})
            for recipient in recipients or ("",)
        ]
    due = [recipient for result in results for recipient in result["recipients"]]
    if as_json:
        output.write_json({**results[-1], "recipients": due})
    return due


@queue.command()
@click.argument("choice", type=click.Choice(("send", "drop")))
@log_option
@json_option
def release(choice: str, log: Path, as_json: bool) -> None:
    """Send or drop the mail that stands still.

    After starting from a copy of the log, mail that waited may have left already, and waits for your word.
    """
    with control(log) as api:
        found = api.ask("POST", "queue-release", choice=choice)
    if as_json:
        output.write_json(found)
    else:
        count = f"{plural(found['messages'], 'message')} {'is' if found['messages'] == 1 else 'are'}"
        done = "sent now" if choice == "send" else "dropped; who wrote them is not told"
        output.note(f"{count} {done}.")


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
        rest = f"; it still goes to {listed(left)}" if left else ""
        output.note(f"Message {number} does not go to {listed(gone)}{rest}.")


@queue.command()
@click.option("--day", metavar="DAY", help="One day only, like 2026-11-22 (UTC).")
@log_option
@json_option
def tallies(day: str | None, log: Path, as_json: bool) -> None:
    """How secure the ways to other domains were, day by day.

    Connections under each domain's policy (DANE, MTA-STS, or none), as reports to that domain count them (RFC 8460).
    """
    with control(log) as api:
        found = api.ask("GET", "tls-tallies", query={"day": day} if day else {})
    if as_json:
        output.write_json(found)
        return
    rows = [
        (item["day"], output.shown(policy["domain"]), _POLICIES.get(policy["type"], policy["type"]),
         f"{policy['successes']:,}", f"{sum(one['sessions'] for one in policy['failures']):,}",
         output.shown(", ".join(dict.fromkeys(one["result"] for one in policy["failures"]))))
        for item in found["items"]
        for policy in item["policies"]
    ]  # fmt: skip
    output.table(
        ("day", "domain", "policy", "good", "bad", "what was wrong"), rows, right=(3, 4),
        none="No connection to another mail server has been made" + (f" on {day}." if day else " lately."),
    )  # fmt: skip
    for item in found["items"]:
        if item["left_out"]:
            output.hint(f"{item['day']}: {plural(item['left_out'], 'connection')} more, to other domains.")
