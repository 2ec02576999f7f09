"""An SMTP sender that costs little: N sessions in one thread over epoll, envelope commands pipelined (RFC 2920).

Each session takes the next mail when the one before is answered: MAIL, RCPT and DATA in one write, then the message.
`smtp_load` runs it in a process of its own, so that it does not disturb what is measured meanwhile.
"""

import base64
import multiprocessing
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

from tools.bench.servers import HOST, Account

TIMEOUT = 120.0  # seconds without any answer
LOAD_POLL = 0.02  # seconds between two looks whether the load has begun
SENDER = b"bench@sender.test"


class SmtpError(Exception):
    """The server refused a mail or closed the connection."""


def dot_stuffed(message: bytes) -> bytes:
    """The message as DATA carries it, with the line that ends it (RFC 5321 section 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


class _Session:
    """One connection: what it has sent and which reply it waits for."""

    def __init__(self, port: int, account: Account | None = None) -> None:
        self._sender = account.user.encode() if account else SENDER
        self.socket = socket.create_connection((HOST, port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._mail: bytes | None = None
        self._expect(b"220", 1)
        self.socket.sendall(b"EHLO client.test\r\n")
        self._expect(b"250", 1)
        if account:
            secret = base64.b64encode(f"\0{account.user}\0{account.password}".encode())
            self.socket.sendall(b"AUTH PLAIN %s\r\n" % secret)
            self._expect(b"235", 1)

    def begin(self, mail: bytes, recipient: str) -> None:
        """Sends the envelope of the next mail, which `mail` holds dot-stuffed."""
        self._mail = mail
        self.socket.sendall(b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (self._sender, recipient.encode()))

    def proceed(self) -> bool:
        """Reads what came; sends the message when the envelope is accepted. Returns whether the mail is accepted."""
        received = self.socket.recv(65536)
        if not received:
            raise SmtpError(f"the server closed the connection after {self._received!r}")
        self._received += received
        replies = self._received.split(b"\r\n")
        if not self._received.endswith(b"\r\n"):
            return False
        if self._mail is not None:
            if len(replies) - 1 < 3:
                self._refuse_unless(replies[:-1], b"2")
                return False
            self._refuse_unless(replies[:2], b"2")
            self._refuse_unless(replies[2:-1], b"354")
            mail, self._mail, self._received = self._mail, None, b""
            self.socket.sendall(mail)
            return False
        self._refuse_unless(replies[:-1], b"250")
        self._received = b""
        return True

    def quit(self) -> None:
        self.socket.sendall(b"QUIT\r\n")
        self.socket.close()

    def _expect(self, code: bytes, replies: int) -> None:
        received = b""
        while not received.endswith(b"\r\n") or received.count(code + b" ") < replies:
            more = self.socket.recv(65536)
            if not more:
                raise SmtpError(f"closed: {received!r}")
            received += more
            self._refuse_unless([received], code)

    @staticmethod
    def _refuse_unless(replies: Sequence[bytes], code: bytes) -> None:
        for reply in replies:
            if not reply.startswith(code):
                raise SmtpError(reply.decode("utf-8", "replace"))


def send_mails(
    port: int,
    recipients: Sequence[str],
    mails: Sequence[bytes],
    sessions: int,
    account: Account | None = None,
    on_begin: Callable[[], None] = lambda: None,
) -> None:
    """Sends all `mails` over `sessions` connections, to each recipient in turn; returns when all are accepted.

    With an `account` it logs in, and the mail is from its address. `on_begin` is called when all are connected.
    """
    stuffed = [dot_stuffed(mail) for mail in mails]
    jobs = iter([(mail, recipients[n % len(recipients)]) for n, mail in enumerate(stuffed)])
    pool = [_Session(port, account) for _ in range(sessions)]
    on_begin()
    _send_over(pool, jobs)
    for session in pool:
        session.quit()


def _send_over(pool: Sequence[_Session], jobs: Iterator[tuple[bytes, str]]) -> None:
    with selectors.DefaultSelector() as selector:
        busy = 0
        for session, job in zip(pool, jobs, strict=False):
            selector.register(session.socket, selectors.EVENT_READ, session)
            session.begin(*job)
            busy += 1
        while busy:
            ready = selector.select(TIMEOUT)
            if not ready:
                raise SmtpError(f"no answer within {TIMEOUT:.0f} s")
            for key, _ in ready:
                session = key.data
                if session.proceed():
                    following = next(jobs, None)
                    if following is None:
                        busy -= 1
                    else:
                        session.begin(*following)


@contextmanager
def smtp_load(
    port: int, recipient: str, mails: Sequence[bytes], sessions: int, rate: float | None = None
) -> Iterator["Synchronized[int]"]:
    """While the context lasts, a process of its own sends the mails over and over; gives how many were accepted.

    `rate` is in mails a second; None sends as fast as the server takes them.
    """
    context = multiprocessing.get_context("fork")
    sent, stopped = context.Value("q", 0), context.Event()
    arguments = (port, recipient, mails, sessions, rate, sent, stopped)
    process = context.Process(target=_send_until, args=arguments, daemon=True)
    process.start()
    while process.is_alive() and not sent.value:
        time.sleep(LOAD_POLL)
    try:
        yield sent
    finally:
        stopped.set()
        process.join()
    if process.exitcode:
        raise SmtpError("the load ended with an error, see above")


def _send_until(
    port: int,
    recipient: str,
    mails: Sequence[bytes],
    sessions: int,
    rate: float | None,
    sent: "Synchronized[int]",
    stopped: Event,
) -> None:
    due = time.monotonic()
    while not stopped.is_set():
        send_mails(port, [recipient], mails, sessions)
        sent.value += len(mails)
        if rate:
            due += len(mails) / rate
            stopped.wait(max(0.0, due - time.monotonic()))
