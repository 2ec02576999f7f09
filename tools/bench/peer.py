"""The peer: Debian's Postfix (smtpd, queue, LMTP client) in front of Dovecot (LMTP, mdbox, IMAP).

Both run from configuration and folders of their own below one directory; the system's are not read or changed. The
settings are those of a production server: Debian's defaults, mdbox, TLS offered, hashed passwords, log files. Changed
is only what a benchmark from one address would trip over (connection limits, the slowing of senders) and what would
alter the mail (header rewriting).
"""

import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tools import postfix
from tools.bench.servers import (
    ACCOUNTS,
    DOMAIN,
    HOST,
    Endpoints,
    ServerError,
    end_process,
    free_ports,
    size_of_tree,
    wait_for_greeting,
)

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_NEEDED = 4096  # each connection in IDLE takes one, or looks twice a minute: administrators raise it

DOVECOT_CONF = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
protocols = imap lmtp
mail_location = mdbox:~/mdbox
mail_home = {base}/mail/%n
mail_uid = {uid}
mail_gid = {uid}
mail_fsync = {mail_fsync}
first_valid_uid = {uid}
postmaster_address = postmaster@{domain}
hostname = mail.{domain}
auth_mechanisms = plain login
auth_cache_size = 10M
disable_plaintext_auth = yes
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
default_process_limit = 2500
default_client_limit = 5000
mail_max_userip_connections = 2500
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  args = scheme=SHA512-CRYPT username_format=%u {base}/passwd
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={base}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  unix_listener {base}/lmtp {{
    mode = 0666
  }}
}}
"""

POSTFIX_SETTINGS = """\
myhostname = mail.{domain}
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{base}/recipients
virtual_transport = lmtp:unix:{base}/lmtp
smtpd_tls_security_level = may
smtpd_tls_cert_file = {base}/cert.pem
smtpd_tls_key_file = {base}/key.pem
# as with Crockery
message_drop_headers =
line_length_limit = 2048
lmtp_line_length_limit = 0
message_size_limit = 67108864
# Senders are not held back to let deliveries catch up: this is the peer's fastest way through
in_flow_delay = 0
"""


class Peer:
    """Postfix and Dovecot in `directory`; `mail_fsync` is Dovecot's setting (its default is `optimized`)."""

    def __init__(self, directory: Path, mail_fsync: str = "optimized") -> None:
        self.name = "Postfix + Dovecot" + (f" (mail_fsync={mail_fsync})" if mail_fsync != "optimized" else "")
        self._directory = directory
        self._mail_fsync = mail_fsync
        self._running = ExitStack()

    def start(self) -> Endpoints:
        """Writes the configuration and starts both; returns when both answer. Raises ServerError."""
        self._check_installed()
        if int(INOTIFY.read_text()) < INOTIFY_NEEDED:
            INOTIFY.write_text(str(INOTIFY_NEEDED))
        smtp, imap, imaps = free_ports(3)
        self._write_dovecot(imap, imaps)
        dovecot = self._run_dovecot()
        wait_for_greeting(imap, dovecot)
        base = self._directory
        (base / "recipients").write_text("".join(f"{a.user} ok\n" for a in ACCOUNTS))
        settings = POSTFIX_SETTINGS.format(base=base, domain=DOMAIN)
        master = self._running.enter_context(postfix.running(base, settings, f"{HOST}:{smtp} inet n - n - - smtpd\n"))
        wait_for_greeting(smtp, master)
        return Endpoints(smtp, imap, imaps, ACCOUNTS, (dovecot.pid, master.pid))

    def stop(self) -> None:
        """Ends both, Postfix first, so that no delivery meets a Dovecot that is gone."""
        self._running.close()

    def disk_usage(self) -> int:
        """Octets of the mailboxes: mdbox files, indexes, logs and caches."""
        return size_of_tree(self._directory / "mail")

    def mail_usage(self) -> int:
        """Octets of the mdbox files."""
        return sum(path.stat().st_size for path in (self._directory / "mail").rglob("storage/m.*"))

    def _check_installed(self) -> None:
        if os.geteuid() != 0:
            raise ServerError("Postfix starts as root only: run the benchmark as root, or with --only crockery.")
        if postfix.missing() or shutil.which("doveadm") is None:
            raise ServerError("The peer is missing: apt-get install postfix dovecot-imapd dovecot-lmtpd")

    def _run_dovecot(self) -> subprocess.Popen[bytes]:
        command = ["/usr/sbin/dovecot", "-F", "-c", str(self._directory / "dovecot.conf")]
        with open(self._directory / "dovecot.out", "ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._running.callback(end_process, process)
        return process

    def _write_dovecot(self, imap: int, imaps: int) -> None:
        base = self._directory
        base.mkdir(parents=True, exist_ok=True)
        base.chmod(0o755)
        mail = base / "mail"
        mail.mkdir(exist_ok=True)
        os.chown(mail, postfix.MAIL_UID, postfix.MAIL_UID)
        if not (base / "cert.pem").exists():
            make_certificate(base / "cert.pem", base / "key.pem")
            (base / "passwd").write_text("".join(f"{a.user}:{_hash_password(a.password)}::::::\n" for a in ACCOUNTS))
        conf = DOVECOT_CONF.format(
            base=base, uid=postfix.MAIL_UID, domain=DOMAIN, imap=imap, imaps=imaps, mail_fsync=self._mail_fsync
        )
        (base / "dovecot.conf").write_text(conf)


def make_certificate(certificate: Path, key: Path) -> None:
    """Writes a self-signed ECDSA certificate for the mail host, and its key."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
    ]
    command += ["-subj", f"/CN=mail.{DOMAIN}", "-addext", f"subjectAltName=DNS:mail.{DOMAIN}"]
    subprocess.run([*command, "-out", certificate, "-keyout", key], check=True, capture_output=True)


def _hash_password(password: str) -> str:
    command = ["doveadm", "-o", "stats_writer_socket_path=", "pw", "-s", "SHA512-CRYPT", "-p", password]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
