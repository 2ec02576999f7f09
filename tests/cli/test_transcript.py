"""`transcript.txt`: commands and what they print, one after another, the same while the server runs and while not.

"$" begins a command, "!" a line on stderr, "?" the exit code where it is not 0; times, numbers and random passwords
stand as <time>, <number>, <password>.
"""

import shlex
from pathlib import Path

from tests.support.commands import crockery, steady

TRANSCRIPT = Path(__file__).with_name("transcript.txt")


def test_transcript(log: Path, tmp_path: Path) -> None:
    commands = [line[2:] for line in TRANSCRIPT.read_text().splitlines() if line.startswith("$ ")]
    seen = []
    for command in commands:
        result = crockery(*shlex.split(command)[1:], log=log)
        seen.append(f"$ {command}")
        seen += steady(result.out, tmp_path).splitlines()
        seen += [f"! {line}".rstrip() for line in steady(result.err, tmp_path).splitlines()]
        if result.code:
            seen.append(f"? {result.code}")
        seen.append("")
    assert "\n".join(seen) == TRANSCRIPT.read_text()
