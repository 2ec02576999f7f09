"""`python -m tools.clients [NAME...]`: all programs, or some; exit code 1 if one of them sees something else."""

import argparse
import imaplib
import importlib
import sys
import tempfile
import time
from pathlib import Path

from tools.clients.served import Differs, NotInstalled, Served, serving

IN_SUITE = (
    "swaks", "curl", "python_imaplib", "python_libraries", "mutt", "neomutt", "aerc", "mbsync", "offlineimap",
    "fetchmail", "getmail",
)  # fmt: skip
"""The light ones, which tests/e2e/test_programs.py runs too."""
NOT_CLIENTS = ("served", "material", "terminal", "wire", "__pycache__", "__init__", "__main__")


def names() -> list[str]:
    """All programs, those of the suite first."""
    rest = sorted({path.stem for path in Path(__file__).parent.iterdir() if path.stem not in (*IN_SUITE, *NOT_CLIENTS)})
    return [*IN_SUITE, *rest]


def verdict(served: Served, name: str) -> bool:
    """Check one program and print its line; whether that went well."""
    begun = time.monotonic()
    if served.recorder is not None:
        served.recorder.label = name
    try:
        said, mark = importlib.import_module(f"tools.clients.{name}").check(served), "ok"
    except NotInstalled as error:
        said, mark = f"not installed: {error}", "--"
    except (Differs, OSError, ValueError, imaplib.IMAP4.error) as error:
        said, mark = str(error), "WRONG"
    print(f"{name:<15} {mark:<6} {time.monotonic() - begun:5.1f} s  {said}", flush=True)
    return mark != "WRONG"


def main() -> int:
    """All of them against one server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *names()], metavar="NAME", help=", ".join(names()))
    parser.add_argument("--wire", type=Path, metavar="FOLDER", help="write down there what passes between them")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="crockery-clients-") as folder,
        serving(Path(folder), arguments.wire) as served,
    ):
        results = [verdict(served, name) for name in arguments.names or names()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
