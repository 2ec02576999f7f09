"""The peer: Debian's Postfix (smtpd, queue, LMTP client) in front of Dovecot (LMTP, mdbox, IMAP).

Both run from configuration and folders of their own below one directory; the system's are not read or changed. The
settings are those of a production server: Debian's defaults, mdbox, TLS offered, hashed passwords, log files. Changed
is only what a benchmark from one address would trip over (connection limits, the slowing of senders) and what would
alter the mail (header rewriting).
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tools.bench.servers import (
    ACCOUNTS,
    DOMAIN,
    Endpoints,
    ServerError,
    end_process,
    free_ports,
    size_of_tree,
    wait_for_greeting,
)

POSTFIX_PROGRAMS = Path("/usr/lib/postfix/sbin")
MAIL_UID = 5000  # owner of the mailboxes; needs no entry in /etc/passwd

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
default_process_limit = 1000
mail_max_userip_connections = 1000
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

POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {programs}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/postfix.log
maillog_file_prefixes = {base}
myhostname = mail.{domain}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{base}/recipients
virtual_transport = lmtp:unix:{base}/lmtp
smtpd_tls_security_level = may
smtpd_tls_cert_file = {base}/cert.pem
smtpd_tls_key_file = {base}/key.pem
smtpd_tls_session_cache_database =
# the mail shall arrive as it was sent, as with Crockery
local_header_rewrite_clients =
message_drop_headers =
line_length_limit = 2048
lmtp_line_length_limit = 0
message_size_limit = 67108864
# Senders are not held back to let deliveries catch up: this is the peer's fastest way through
in_flow_delay = 0
"""

POSTFIX_MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

QUEUE_FOLDERS = ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "private", "saved", "trace")


class Peer:
    """Postfix and Dovecot in `directory`; `mail_fsync` is Dovecot's setting (its default is `optimized`)."""

    def __init__(self, directory: Path, mail_fsync: str = "optimized") -> None:
        self.name = "Postfix + Dovecot" + (f" (mail_fsync={mail_fsync})" if mail_fsync != "optimized" else "")
        self._directory = directory
        self._mail_fsync = mail_fsync
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> Endpoints:
        """Writes the configuration and starts both; returns when both answer. Raises ServerError."""
        self._check_installed()
        smtp, imap, imaps = free_ports(3)
        self._write_dovecot(imap, imaps)
        self._write_postfix(smtp)
        dovecot = self._spawn("dovecot", ["/usr/sbin/dovecot", "-F", "-c", str(self._directory / "dovecot.conf")])
        wait_for_greeting(imap, dovecot)
        config = self._directory / "postfix"
        postfix = self._spawn("postfix", [str(POSTFIX_PROGRAMS / "master"), "-c", str(config), "-s"])
        wait_for_greeting(smtp, postfix)
        return Endpoints(smtp, imap, imaps, ACCOUNTS, (dovecot.pid, postfix.pid))

    def stop(self) -> None:
        """Ends both, Postfix first, so that no delivery meets a Dovecot that is gone."""
        while self._processes:
            end_process(self._processes.pop())

    def disk_usage(self) -> int:
        """Octets of the mailboxes: mdbox files, indexes, logs and caches."""
        return size_of_tree(self._directory / "mail")

    def _check_installed(self) -> None:
        if os.geteuid() != 0:
            raise ServerError("Postfix starts as root only: run the benchmark as root, or with --only crockery.")
        if not (POSTFIX_PROGRAMS / "master").exists() or shutil.which("doveadm") is None:
            raise ServerError("The peer is missing: apt-get install postfix dovecot-imapd dovecot-lmtpd")

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with open(self._directory / f"{name}.out", "ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._processes.append(process)
        return process

    def _write_dovecot(self, imap: int, imaps: int) -> None:
        base = self._directory
        base.mkdir(parents=True, exist_ok=True)
        base.chmod(0o755)
        mail = base / "mail"
        mail.mkdir(exist_ok=True)
        os.chown(mail, MAIL_UID, MAIL_UID)
        if not (base / "cert.pem").exists():
            make_certificate(base / "cert.pem", base / "key.pem")
            (base / "passwd").write_text("".join(f"{a.user}:{_hash_password(a.password)}::::::\n" for a in ACCOUNTS))
        conf = DOVECOT_CONF.format(
            base=base, uid=MAIL_UID, domain=DOMAIN, imap=imap, imaps=imaps, mail_fsync=self._mail_fsync
        )
        (base / "dovecot.conf").write_text(conf)

    def _write_postfix(self, smtp: int) -> None:
        base = self._directory
        make_queue(base)
        (base / "postfix").mkdir(exist_ok=True)
        (base / "recipients").write_text("".join(f"{a.user} ok\n" for a in ACCOUNTS))
        main = POSTFIX_MAIN.format(base=base, domain=DOMAIN, programs=POSTFIX_PROGRAMS)
        (base / "postfix" / "main.cf").write_text(main)
        (base / "postfix" / "master.cf").write_text(POSTFIX_MASTER.format(smtp=smtp))


def make_queue(base: Path) -> None:
    """Makes the folders of Postfix below `base`, with the owners it insists on."""
    postfix = pwd.getpwnam("postfix")
    postdrop = os.stat("/usr/sbin/postdrop").st_gid
    for name in QUEUE_FOLDERS:
        (base / "queue" / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chown(base / "queue" / name, postfix.pw_uid, 0)
    (base / "queue" / "pid").mkdir(exist_ok=True)
    for name, mode in (("maildrop", 0o730), ("public", 0o710)):
        (base / "queue" / name).mkdir(exist_ok=True)
        os.chown(base / "queue" / name, postfix.pw_uid, postdrop)
        (base / "queue" / name).chmod(mode)
    (base / "data").mkdir(exist_ok=True)
    os.chown(base / "data", postfix.pw_uid, postfix.pw_gid)


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
