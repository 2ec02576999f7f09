"""The row about mail on its way out: submitted over many sessions, sent on over verified TLS to a sink.

Each measurement has servers of its own, which know the sink and its CA: Postfix with Debian's defaults and
`smtp_tls_security_level = secure`, Crockery as it is. Crockery signs each mail twice with DKIM meanwhile, Postfix does
not sign.
"""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tools import postfix
from tools.bench.crockery_server import SMTP, CrockeryServer
from tools.bench.material import SEED, check_received, mark
from tools.bench.peer import Peer
from tools.bench.round import WORK, Round, Row
from tools.bench.servers import ACCOUNTS, DOMAIN, HOST, Account, free_ports, wait_for_greeting
from tools.bench.sink import DOMAIN as SINK_DOMAIN
from tools.bench.sink import HOSTNAME as SINK_HOST
from tools.bench.sink import Sink, running_sink
from tools.bench.smtp_load import send_mails

SUBMISSION = 587
SESSIONS = 10
POLL = 0.002  # seconds between two looks whether all has arrived
TIMEOUT = 600.0  # seconds without anything arriving would be shorter, but no run lasts so long
WORDS = 640  # of a mail of some 4 KiB
SENDER = ACCOUNTS[0]
FOLDER = WORK / "sending"

POSTFIX_SETTINGS = """\
myhostname = mail.{domain}
mynetworks = 127.0.0.0/8
relayhost = [{host}]:{port}
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = {sink}
smtp_tls_CAfile = {ca}
in_flow_delay = 0
"""

Submission = tuple[int, Account | None]
"""The port that takes the mail, and who must log in there."""


def sending(r: Round) -> float:
    """Mails a second, from the first MAIL command of the submission until the sink has the last mail."""
    return _rate(r, is_open=True)


def sending_accepted(r: Round) -> float:
    """Mails a second, from when the last mail is accepted, and the sink opens, until it has them all."""
    return _rate(r, is_open=False)


def _rate(r: Round, *, is_open: bool) -> float:
    mails = four_kib_mails(r.scale.sent_mails)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    FOLDER.chmod(0o755)
    start = _postfix if isinstance(r.server, Peer) else _crockery
    with running_sink(FOLDER, is_open=is_open) as sink, start(sink) as (port, account):
        began = []
        send_mails(port, [f"sink@{SINK_DOMAIN}"], mails, SESSIONS, account, lambda: began.append(time.perf_counter()))
        if not is_open:
            began = [time.perf_counter()]
            sink.open()
        _wait_until_arrived(sink, len(mails))
        taken = time.perf_counter() - began[0]
        check_received(sink.mails(), mails)
    return len(mails) / taken


def four_kib_mails(count: int) -> list[bytes]:
    """Mails of our own account, for submission: 4 KiB each, all different."""
    source = random.Random(SEED)
    header = b"From: %b\r\nTo: sink@%b\r\nSubject: bench\r\n" % (SENDER.user.encode(), SINK_DOMAIN.encode())
    mails = []
    for n in range(count):
        words = [b"%05x" % source.randrange(1 << 20) for _ in range(WORDS)]
        text = b"\r\n".join(b" ".join(words[at : at + 12]) for at in range(0, WORDS, 12))
        unique = b"Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%d@bench.test>\r\n" % n
        mails.append(header + unique + b"\r\n" + text + b"\r\n")
    return mark(mails)


def _wait_until_arrived(sink: Sink, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while sink.arrived.value < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sink.arrived.value} of {count} mails arrived")
        time.sleep(POLL)


@contextmanager
def _crockery(sink: Sink) -> Iterator[Submission]:
    options = ["--resolver", f"{HOST}:{sink.dns_port}", "--outbound-port", str(sink.port)]
    server = CrockeryServer(FOLDER / "crockery", options, {"SSL_CERT_FILE": str(sink.ca)})
    server.initialise()
    server.command("change", "max-mails-per-day", "100000", "--log", str(server.log))
    try:
        yield server.run().smtp - SMTP + SUBMISSION, SENDER
    finally:
        server.stop()


@contextmanager
def _postfix(sink: Sink) -> Iterator[Submission]:
    base = FOLDER / "postfix"
    base.mkdir()
    (smtp,) = free_ports(1)
    settings = POSTFIX_SETTINGS.format(domain=DOMAIN, host=HOST, port=sink.port, sink=SINK_HOST, ca=sink.ca)
    with postfix.running(base, settings, f"{HOST}:{smtp} inet n - n - - smtpd\n") as master:
        wait_for_greeting(smtp, master)
        yield smtp, None


ROWS = (
    Row(
        "sending", "4 KiB mail from submission, 10 sessions, until sent on over verified TLS", "mails/s", sending,
        goal=2, more_is_better=True,
    ),
    Row(
        "sending-accepted", "the same, from the last one accepted until all are sent on", "mails/s", sending_accepted,
        goal=2, more_is_better=True,
    ),
)  # fmt: skip
