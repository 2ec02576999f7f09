"""Debian's Postfix run from a folder of its own; the system's is neither read nor changed.

    missing() or raise
    with running(base, settings, services):       # the lines of main.cf and master.cf that this one wants
        ...

It is the peer of the benchmark and, for tests, the mail server of other domains.
"""

import contextlib
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROGRAMS: Final = Path("/usr/lib/postfix/sbin")
MAIL_UID: Final = 5000  # owner of mailboxes; needs no entry in /etc/passwd
STOP_TIMEOUT: Final = 30.0  # seconds from SIGTERM to SIGKILL

MAIN: Final = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {programs}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/postfix.log
maillog_file_prefixes = {base}
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_session_cache_database =
# the mail shall arrive as it was sent
local_header_rewrite_clients =
"""

MASTER: Final = """\
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
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

_QUEUES: Final = ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "private", "saved", "trace")


def missing() -> str:
    """Why no Postfix can be started; "" if it can."""
    if os.geteuid() != 0:
        return "Postfix starts as root only"
    if not (PROGRAMS / "master").exists():
        return "Debian's postfix is missing"
    return ""


@contextlib.contextmanager
def running(base: Path, settings: str, services: str) -> Iterator[subprocess.Popen[bytes]]:
    """Postfix in `base`, which other users must be able to enter; its master, which may not listen yet.

    `settings` are lines of main.cf after `MAIN`, whose last word counts; `services` those of master.cf that listen.
    Its log is `base/postfix.log`, and what it says before it has one `base/postfix.out`.
    """
    base.chmod(0o755)
    (base / "etc").mkdir(exist_ok=True)
    (base / "etc" / "main.cf").write_text(MAIN.format(base=base, programs=PROGRAMS) + settings)
    (base / "etc" / "master.cf").write_text(services + MASTER)
    _make_queue(base)
    with open(base / "postfix.out", "ab") as output:
        command = [str(PROGRAMS / "master"), "-c", str(base / "etc"), "-s"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _make_queue(base: Path) -> None:
    """Makes the folders of Postfix below `base`, with the owners it insists on."""
    postfix = pwd.getpwnam("postfix")
    postdrop = os.stat("/usr/sbin/postdrop").st_gid
    for name in _QUEUES:
        (base / "queue" / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chown(base / "queue" / name, postfix.pw_uid, 0)
    (base / "queue" / "pid").mkdir(exist_ok=True)
    for name, mode in (("maildrop", 0o730), ("public", 0o710)):
        (base / "queue" / name).mkdir(exist_ok=True)
        os.chown(base / "queue" / name, postfix.pw_uid, postdrop)
        (base / "queue" / name).chmod(mode)
    (base / "data").mkdir(exist_ok=True)
    os.chown(base / "data", postfix.pw_uid, postfix.pw_gid)
