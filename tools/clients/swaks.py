"""swaks hands in mail with attachments on all three ports."""

import re

from tools.clients.served import DOMAIN, Differs, Served, below_trace, expect, expect_same, needs, run
from tools.crash import PASSWORD


def check(served: Served) -> str:
    """What it says it sent is what is there."""
    needs("swaks", "swaks libnet-ssleay-perl")
    sender, receiver = served.account("swaks"), served.account("swaks-reader")
    folder = served.folder_of("swaks")
    attached = folder / "plate.bin"
    attached.write_bytes(bytes(range(256)) * 40)
    login = ["--auth-user", "swaks", "--auth-password", PASSWORD, "--from", sender]
    ca = ["--tls-ca-path", str(served.ca), "--tls-verify"]
    runs = (
        (465, ["--tls-on-connect", *ca, "--auth", "PLAIN", *login]),
        (587, ["--tls", *ca, "--auth", "LOGIN", *login]),
        (25, ["--from", "carla@elsewhere.test"]),
        (25, ["--tls", *ca, "--from", "<>", "--pipeline"]),
    )
    sent = [_send(served, port, [*options, "--to", receiver, "--attach", f"@{attached}"]) for port, options in runs]
    stored = served.stored("swaks-reader")
    expect_same(map(below_trace, stored), sent)
    for message in stored:
        expect(message.startswith(b"Return-Path: <"), "there is no Return-Path on top")
    _check_refusals(served, receiver, ca)
    return f"{len(sent)} mails with an attachment over 465, 587 and 25, read octet by octet"


def _send(served: Served, port: int, options: list[str]) -> bytes:
    """Send; returns the message as the transcript shows it, without dot stuffing."""
    body = "A mail with a file.\n.\n..a line with dots\nlast"
    command = ["swaks", "--server", f"127.0.0.1:{served.port(port)}", *options, "--body", body]
    printed = run(command)
    data = re.search(r"^<[-~]  354 .*\n((?: [-~]> .*\n)*?) [-~]> \.\n", printed, re.MULTILINE)
    if data is None:
        raise Differs(f"no message in what swaks prints: {printed}")
    lines = [line[4:] for line in data[1].splitlines()]
    return "".join(f"{line.removeprefix('.')}\r\n" for line in lines).encode()


def _check_refusals(served: Served, receiver: str, ca: list[str]) -> None:
    server = ["swaks", "--server", f"127.0.0.1:{served.port(465)}", "--tls-on-connect", *ca]
    wrong = [*server, "--auth", "PLAIN", "--auth-user", "swaks", "--auth-password", "wrong"]
    expect("535 5.7.8" in run([*wrong, "--to", receiver], codes=(28,)), "a wrong password is not 535 5.7.8")
    mx = ["swaks", "--server", f"127.0.0.1:{served.port(25)}", "--from", "carla@elsewhere.test"]
    expect("550 5.7.1" in run([*mx, "--to", "x@elsewhere.test"], codes=(24,)), "relaying is not 550 5.7.1")
    expect("550 5.1.1" in run([*mx, "--to", f"nobody@{DOMAIN}"], codes=(24,)), "an unknown name is not 550 5.1.1")
