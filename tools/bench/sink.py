"""Where mail is sent to: an SMTP server that takes everything over TLS, and the DNS server that leads to it.

Postfix' smtp-sink has no STARTTLS. This one is a process of its own with a thread a connection, the same for both
servers under test; it keeps the mail, so that it can be checked when the clock has stopped.
"""

import multiprocessing
import random
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from tests.support.certificates import PEM, make
from tools.bench.servers import HOST

DOMAIN = "sink.test"
HOSTNAME = f"mx.{DOMAIN}"
DAY = 86_400  # seconds
RECORDS = {(DOMAIN, "MX"): f"10 {HOSTNAME}.", (HOSTNAME, "A"): HOST}


@dataclass(frozen=True, slots=True)
class Sink:
    """A sink that runs; `ca` is the file of the CA that signed its certificate."""

    port: int
    dns_port: int
    ca: Path
    arrived: "Synchronized[int]"
    _pipe: Connection
    _gate: Event

    def open(self) -> None:
        """Greet those who wait; a sink that began closed lets them wait until then."""
        self._gate.set()

    def mails(self) -> list[bytes]:
        """What has arrived, dots unstuffed. To be asked once."""
        self._pipe.send(None)
        return list(self._pipe.recv())


@contextmanager
def running_sink(folder: Path, pause: float = 0.0, *, is_open: bool = True) -> Iterator[Sink]:
    """A sink on free ports; its certificate lies in `folder`. It answers to a mail after `pause` seconds at most.

    One that is not open greets nobody before `open`.
    """
    root = make(ca=True, common_name="Bench Root", begin=int(time.time()) - DAY, end=int(time.time()) + DAY)
    shown = make(HOSTNAME, signer=root, begin=int(time.time()) - DAY, end=int(time.time()) + DAY)
    ca = folder / "ca.pem"
    ca.write_bytes(root.certificate.public_bytes(PEM))
    listener = socket.create_server((HOST, 0), backlog=128)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((HOST, 0))
    context = multiprocessing.get_context("fork")
    arrived, (ours, theirs), gate = context.Value("q", 0), context.Pipe(), context.Event()
    if is_open:
        gate.set()
    process = context.Process(
        target=_run, args=(listener, names, shown.server_context(folder), arrived, theirs, gate, pause), daemon=True
    )
    process.start()
    with listener, names:
        try:
            yield Sink(listener.getsockname()[1], names.getsockname()[1], ca, arrived, ours, gate)
        finally:
            process.terminate()
            process.join()


def _run(
    listener: socket.socket,
    names: socket.socket,
    context: ssl.SSLContext,
    arrived: "Synchronized[int]",
    pipe: Connection,
    gate: Event,
    pause: float,
) -> None:
    mails: list[bytes] = []
    threading.Thread(target=_answer_names, args=(names,), daemon=True).start()
    threading.Thread(target=_accept, args=(listener, context, arrived, mails, gate, pause), daemon=True).start()
    with suppress(EOFError):
        pipe.recv()
        pipe.send(mails)
        pipe.recv()


def _answer_names(names: socket.socket) -> None:
    while True:
        wire, peer = names.recvfrom(4096)
        query = dns.message.from_wire(wire)
        name = query.question[0].name
        rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
        response = dns.message.make_response(query, recursion_available=True)
        found = RECORDS.get((name.to_text(omit_final_dot=True).lower(), rdtype))
        if found:
            response.answer.append(dns.rrset.from_text(name, 300, "IN", rdtype, found))
        else:
            response.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", ". . 1 1 1 1 60"))
        names.sendto(response.to_wire(), peer)


def _accept(
    listener: socket.socket,
    context: ssl.SSLContext,
    arrived: "Synchronized[int]",
    mails: list[bytes],
    gate: Event,
    pause: float,
) -> None:
    gate.wait()
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(sock, context, arrived, mails, pause), daemon=True).start()


def _serve(
    sock: socket.socket, context: ssl.SSLContext, arrived: "Synchronized[int]", mails: list[bytes], pause: float
) -> None:
    """One connection; nothing is taken before STARTTLS."""
    with suppress(OSError):
        lines = sock.makefile("rb")
        sock.sendall(b"220 sink\r\n")
        is_secure = False
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                offered = b"" if is_secure else b"250-STARTTLS\r\n"
                sock.sendall(b"250-sink\r\n%b250-PIPELINING\r\n250 8BITMIME\r\n" % offered)
            elif verb == b"STAR":
                sock.sendall(b"220 go on\r\n")
                lines.close()
                sock = context.wrap_socket(sock, server_side=True)
                lines, is_secure = sock.makefile("rb"), True
            elif verb == b"DATA" and is_secure:
                sock.sendall(b"354 go on\r\n")
                mails.append(_read_mail(lines))
                with arrived.get_lock():
                    arrived.value += 1
                if pause:
                    time.sleep(random.uniform(0, pause))
                sock.sendall(b"250 taken\r\n")
            elif verb == b"QUIT":
                sock.sendall(b"221 bye\r\n")
                break
            else:
                sock.sendall(b"250 ok\r\n" if is_secure else b"530 say STARTTLS first\r\n")
    sock.close()


def _read_mail(lines: "object") -> bytes:
    found: list[bytes] = []
    while True:
        line = lines.readline()  # type: ignore[attr-defined]
        if not line:
            raise ConnectionResetError
        if line == b".\r\n":
            return b"".join(found)
        found.append(line[1:] if line.startswith(b".") else line)
