"""Debian's Postfix as the mail server of other domains: one instance, an address of 127.0.0.0/8 for each host.

    with far_postfix([FarHost("good.test", certificate)]) as far:
        World(..., port=far.port)
        far.mails("ben@good.test")

Every host is the MX `mx.DOMAIN` of its domain and listens on the same port of its own address. It runs from a folder of
its own; the system's Postfix is neither read nor changed.
"""

import contextlib
import dataclasses
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

from tests.support.certificates import PEM, Made
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE
from tools import postfix

FIRST_ADDRESS = 31  # 127.0.0.31 is that of the first host

SETTINGS = """\
mynetworks =
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {base}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_transport = virtual
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_peername_lookup = no
smtpd_delay_reject = no
smtpd_error_sleep_time = 0
smtpd_recipient_restrictions = check_recipient_access texthash:{base}/at_rcpt, reject_unauth_destination
smtpd_data_restrictions = check_recipient_access texthash:{base}/at_data
smtpd_end_of_data_restrictions = check_recipient_access texthash:{base}/at_end
"""


@dataclasses.dataclass(frozen=True)
class FarHost:
    """The MX of a domain: what it shows (None: it offers no TLS), and settings of Postfix for it alone."""

    domain: str
    certificate: Made | None = None
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"mx.{self.domain}"


@dataclasses.dataclass(frozen=True)
class FarPostfix:
    """A Postfix that runs."""

    folder: Path
    port: int
    addresses: Mapping[str, str]
    """By domain."""

    def mails(self, recipient: str) -> list[bytes]:
        """What has arrived for a recipient, lines ending in LF."""
        box = self.folder / "mail" / "all" / "new"
        mails = [file.read_bytes() for file in sorted(box.iterdir())] if box.exists() else []
        return [mail for mail in mails if f"\nDelivered-To: {recipient}\n".encode() in mail]

    def show(self, domain: str, shown: Made) -> Path:
        """From its next process on (see max_use in postconf(5)) the domain's host shows this; the file it is in."""
        file = self.folder / "etc" / f"{domain}.pem"
        key = shown.key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(key + b"".join(one.public_bytes(PEM) for one in (shown.certificate, *shown.above)))
        file.chmod(0o600)
        return file


@contextlib.contextmanager
def far_postfix(hosts: Sequence[FarHost], access: Mapping[str, Mapping[str, str]]) -> Iterator[FarPostfix]:
    """Serve `hosts`. `access` maps a stage (at_rcpt, at_data, at_end) to access(5) entries, recipient to action.

    Its folder is not below pytest's, which other users than root cannot enter. Where there is no Postfix the test is
    skipped.
    """
    reason = postfix.missing()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="far-postfix-") as name:
        addresses = {host.domain: f"127.0.0.{FIRST_ADDRESS + n}" for n, host in enumerate(hosts)}
        far = FarPostfix(Path(name), free_port(), addresses)
        _make_folders(far.folder)
        for stage in ("at_rcpt", "at_data", "at_end"):
            lines = [f"{recipient} {action}\n" for recipient, action in access.get(stage, {}).items()]
            (far.folder / stage).write_text("".join(lines))
        settings = SETTINGS.format(base=far.folder, uid=postfix.MAIL_UID, domains=" ".join(addresses))
        with postfix.running(far.folder, settings, _services(far, hosts)) as master:
            _await_connections(far, master)
            yield far


def _make_folders(base: Path) -> None:
    for name, uid in (("mail", postfix.MAIL_UID), ("etc", 0)):
        (base / name).mkdir()
        os.chown(base / name, uid, -1)


def _services(far: FarPostfix, hosts: Sequence[FarHost]) -> str:
    services = ""
    for host in hosts:
        settings = {"myhostname": host.name, **host.settings}
        if host.certificate is None:
            settings["smtpd_tls_security_level"] = "none"
        else:
            settings["smtpd_tls_chain_files"] = str(far.show(host.domain, host.certificate))
        services += f"{far.addresses[host.domain]}:{far.port} inet n - n - - smtpd\n"
        services += "".join(f"  -o {{ {key} = {value} }}\n" for key, value in settings.items())
    return services


def _await_connections(far: FarPostfix, process: subprocess.Popen[bytes]) -> None:
    """Master listens on all addresses before it does anything else."""
    deadline = time.monotonic() + PATIENCE
    address = list(far.addresses.values())[-1]
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((address, far.port), timeout=PATIENCE) as sock:
            if sock.recv(1):
                return
        time.sleep(0.02)
    logs = [far.folder / name for name in ("postfix.out", "postfix.log")]
    raise RuntimeError("Postfix does not answer: " + "".join(log.read_text() for log in logs if log.exists()))
