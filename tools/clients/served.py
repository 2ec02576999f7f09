"""A server as a process of its own, with a CA, and the accounts and mail that clients meet."""

import contextlib
import datetime
import imaplib
import json
import shutil
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crockery.cli.demo.authority import make_authority
from tools.clients.wire import Recorder, recording
from tools.crash import PASSWORD, TIMEOUT, Wrong, crockery, free_offset, running

DOMAIN: Final = "example.test"
HOST: Final = "localhost"
TRACE: Final = (b"return-path:", b"delivered-to:", b"received:")


class Differs(Exception):
    """A program does not see what is there."""


class NotInstalled(Exception):
    """A program is not on this machine; the text is the command that installs it."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs, for programs outside."""

    folder: Path
    offset: int
    ca: Path
    recorder: Recorder | None = None
    """Stands before the ports with TLS from the first octet."""

    @property
    def log(self) -> Path:
        """Its log."""
        return self.folder / "served.crk"

    def port(self, number: int) -> int:
        """The port that stands for a well-known one."""
        own = number + self.offset
        return self.recorder.ports.get(own, own) if self.recorder else own

    def command(self, *arguments: str) -> str:
        """What a `crockery` command says. Raises Differs when it fails."""
        return run([*crockery(*arguments), "--log", str(self.log)])

    def account(self, name: str) -> str:
        """Add an account; returns its address. Its password is PASSWORD."""
        self.command("account", "add", name, "--password", PASSWORD)
        return f"{name}@{DOMAIN}"

    def app_password(self, account: str, label: str) -> str:
        """Add an app password; its login is `account/label`."""
        return str(json.loads(self.command("app-password", "add", account, label, "--json"))["password"])

    def folder_of(self, program: str) -> Path:
        """An empty folder for a program's files."""
        folder = self.folder / program
        folder.mkdir()
        return folder

    @contextlib.contextmanager
    def imap(self, name: str) -> Iterator[imaplib.IMAP4_SSL]:
        """Logged in over TLS, INBOX selected."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with imaplib.IMAP4_SSL(HOST, 993 + self.offset, ssl_context=context, timeout=TIMEOUT) as client:
            client.login(name, PASSWORD)
            client.select("INBOX")
            yield client

    def put(self, name: str, messages: Iterable[bytes], mailbox: str = "INBOX") -> None:
        """APPEND messages."""
        with self.imap(name) as client:
            for message in messages:
                # imaplib's append() would change bare line feeds
                client.literal = message  # type: ignore[assignment]
                expect(client._simple_command("APPEND", mailbox)[0] == "OK", "APPEND is refused")

    def stored(self, name: str, mailbox: str = "INBOX") -> list[bytes]:
        """All messages of a mailbox, by imaplib."""
        with self.imap(name) as client:
            client.select(mailbox, readonly=True)
            _, data = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [item[1] for item in data if isinstance(item, tuple)]

    def flags(self, name: str, mailbox: str = "INBOX") -> list[set[str]]:
        """The flags of all messages of a mailbox, without \\Recent."""
        with self.imap(name) as client:
            client.select(mailbox, readonly=True)
            _, data = client.uid("FETCH", "1:*", "(FLAGS)")
            found = [imaplib.ParseFlags(item) for item in data if isinstance(item, bytes)]
            return [{flag.decode() for flag in flags} - {"\\Recent"} for flags in found]


@contextlib.contextmanager
def serving(folder: Path, wire: Path | None = None) -> Iterator[Served]:
    """Make a log in `folder` and serve it on free ports; killed at the end. Transcripts go to `wire`."""
    files = make_authority(folder, f"mail.{DOMAIN}", datetime.datetime.now(datetime.UTC))
    recorder = Recorder(wire, files.chain, files.key, files.ca, HOST) if wire else None
    served = Served(folder, free_offset(), files.ca, recorder)
    run(
        [
            *crockery("init", served.log, "--domain", DOMAIN, "--cert", files.chain, "--key", files.key),
            "--postmaster-password",
            PASSWORD,
        ]
    )
    try:
        with running(served.log, served.offset), contextlib.ExitStack() as stack:
            if recorder is not None:
                stack.enter_context(recording(recorder, [number + served.offset for number in (993, 465)]))
            yield served
    except Wrong as error:
        raise Differs((folder / "server.log").read_text()) from error


def needs(program: str, packages: str) -> str:
    """Where a program is. Raises NotInstalled."""
    path = shutil.which(program)
    if path is None:
        raise NotInstalled(f"apt-get install {packages}")
    return path


def run(command: list[str], *, codes: tuple[int, ...] = (0,), env: dict[str, str] | None = None, data: str = "") -> str:
    """What a program prints. Raises Differs, with all it said, when it ends with another code."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT, env=env, input=data, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Differs(f"{' '.join(command)} hangs: {error.stdout!r} {error.stderr!r}") from error
    if done.returncode not in codes:
        raise Differs(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def expect(truth: object, sentence: str) -> None:
    """Raise Differs with the sentence unless it is true."""
    if not truth:
        raise Differs(sentence)


def expect_same(found: Iterable[bytes], wanted: Iterable[bytes], *, lf: bool = False) -> None:
    """The same messages in any order; `lf`: the program keeps mail with line feeds alone."""
    got = sorted(with_crlf(message) if lf else message for message in found)
    should = sorted(wanted)
    if got == should:
        return
    missing = [message for message in should if message not in got]
    extra = [message for message in got if message not in should]
    examples = f"{missing[:1]!r:.2000} {extra[:1]!r:.2000}"
    raise Differs(f"{len(missing)} of {len(should)} messages are not as they were: {examples}")


def with_crlf(data: bytes) -> bytes:
    """With CRLF line ends."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def below_trace(message: bytes) -> bytes:
    """The message without the trace fields on top."""
    while message.lower().startswith(TRACE):
        _, _, message = message.partition(b"\r\n")
        while message.startswith((b" ", b"\t")):
            _, _, message = message.partition(b"\r\n")
    return message
