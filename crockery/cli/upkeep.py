"""`crockery verify`, `repair`, `reindex`, `backup`: the file itself.

verify and backup read the file beside a running server; repair needs it stopped.
"""

import sys
from pathlib import Path

import click

from crockery.cli import output
from crockery.cli.control import is_served
from crockery.cli.errors import CommandFailed, about
from crockery.cli.options import control, json_option, log_argument, log_option, log_path
from crockery.events.backup import BackupReport
from crockery.events.backup import backup as make_backup
from crockery.events.repair import repair as do_repair
from crockery.events.repair import repair_plan
from crockery.events.verify import Finding, Report, verify_log
from crockery.web.words import moment


@click.command()
@log_argument
@json_option
def verify(log: Path, as_json: bool) -> None:
    """Check every octet of the log.

    The exit code is 1 if anything is wrong.
    """
    with about(log), output.reading_bar(f"Checking {log.name}") as progress:
        report = verify_log(log, progress)
    if as_json:
        output.write_json(_report(report))
    else:
        _say(report.sentences(), sound=report.is_sound)
    if not report.is_sound:
        sys.exit(1)


@click.command()
@log_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def repair(log: Path, yes: bool, as_json: bool) -> None:
    """Let a damaged log open again.

    Shows what is lost, and goes on without it once you say so.
    """
    if is_served(log):
        raise CommandFailed("a server runs on this log, so there is nothing to repair: `crockery verify` checks it")
    with about(log), output.reading_bar(f"Checking {log.name}") as progress:
        plan = repair_plan(log, progress)
    if not as_json:
        _say(plan.sentences(), sound=not plan.is_needed)
    if plan.is_needed and not yes:
        if not sys.stdin.isatty():
            raise CommandFailed("nothing was changed: --yes says that what is lost may be left out")
        click.confirm("Go on without it?", abort=True, err=True)
    with about(log):
        number = do_repair(log, plan) if plan.is_needed else None
    if as_json:
        gaps = [{"start": gap.start, "end": gap.end, "lost": gap.sentence()} for gap in plan.gaps]
        output.write_json({"repaired": plan.is_needed, "gaps": gaps, "event": number})
    elif number is not None:
        output.note(f"The log opens again, from event {number:,} on: `crockery run {log}`")


@click.command()
@log_argument
@json_option
def reindex(log: Path, as_json: bool) -> None:
    """Make the derived files (LOG.d) anew."""
    with control(log) as api, output.reading_bar("Reading the log") as progress:
        last = {}
        for last in api.lines("POST", "reindex"):
            progress(last["done"], last["total"])
    if as_json:
        output.write_json(last)
    else:
        output.note(f"The derived files of {log} are new.")


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[LOG] DEST")
@log_option
@json_option
def backup(arguments: tuple[str, ...], log: Path, as_json: bool) -> None:
    """Copy the log while it is in use, and check the copy.

    DEST is a file or a folder. An earlier copy that is there is gone on with. Plain `cp` is as good, only slower and
    unchecked.
    """
    if len(arguments) > 2:
        raise click.UsageError("backup takes [LOG] DEST")
    if len(arguments) == 2:
        log = log_path(arguments[0])
    dest = arguments[-1]
    folder = Path(dest).absolute() if dest.endswith("/") else Path(dest).absolute().parent
    if not folder.is_dir():
        raise CommandFailed(f"there is no folder {folder}: `mkdir -p {folder}` makes it")
    with about(log), output.reading_bar(f"Copying {log.name}") as progress:
        report = make_backup(log, Path(dest), progress)
    if as_json:
        output.write_json(_backup_report(report))
    else:
        _say(report.sentences(), sound=report.is_sound)
    if not report.is_sound:
        sys.exit(1)


def _say(sentences: list[str], *, sound: bool) -> None:
    for sentence in sentences[:-1]:
        output.note(sentence[:1].upper() + sentence[1:] + ".")
    last = sentences[-1][:1].upper() + sentences[-1][1:] + "."
    output.note(click.style(last, fg="green" if sound else "red", bold=True))


def _report(report: Report) -> dict[str, object]:
    return {
        "sound": report.is_sound,
        "log_id": report.header.log_id.hex(),
        "octets": report.size,
        "events": report.events,
        "atoms": report.atoms,
        "batches": report.batches,
        "bodies": report.bodies,
        "body_octets": report.body_octets,
        "erased": report.erased,
        "unfinished_octets": report.tail,
        "first_time": moment(report.first_time) if report.first_time else None,
        "last_time": moment(report.last_time) if report.last_time else None,
        "accepted": [{"start": gap.start, "end": gap.end} for gap in report.accepted],
        "findings": [_finding(finding) for finding in report.findings],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {**finding._asdict(), "number": finding.number or None}


def _backup_report(report: BackupReport) -> dict[str, object]:
    return {
        "sound": report.is_sound,
        "path": str(report.path),
        "octets": report.size,
        "copied": report.copied,
        "erased": report.erased,
        "check": _report(report.check),
    }
