"""Debian's Postfix as a submission server: it takes mail for anywhere from whoever logs in, as `me` with `secret`.

Dovecot answers for the logins, as most do it. Both run from folders of their own.
"""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Made
from tests.support.far_postfix import FarHost, FarPostfix, far_postfix
from tests.support.waiting import PATIENCE

DOVECOT = Path("/usr/sbin/dovecot")
USER, PASSWORD = "me", "secret"

CONFIG = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users
}}
service auth {{
  unix_listener {base}/sasl {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

SETTINGS = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_tls_auth_only": "yes",
    "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
}


@contextlib.contextmanager
def sasl_postfix(starttls: Made, implicit: Made) -> Iterator[FarPostfix]:
    """The hosts mx.implicit.test (TLS from the first octet) and mx.relay.test (STARTTLS), on the same port.

    Where there is no Postfix or no Dovecot the test is skipped.
    """
    if not DOVECOT.exists():
        pytest.skip("needs Debian's dovecot-core")
    with tempfile.TemporaryDirectory(prefix="sasl-postfix-") as name, _logins(Path(name)) as socket:
        settings = {**SETTINGS, "smtpd_sasl_path": str(socket)}
        hosts = [
            FarHost("implicit.test", implicit, {**settings, "smtpd_tls_wrappermode": "yes"}),
            FarHost("relay.test", starttls, settings),
        ]
        with far_postfix(hosts, {}) as running:
            yield running


@contextlib.contextmanager
def _logins(base: Path) -> Iterator[Path]:
    """Dovecot's answers to logins, at a socket."""
    base.chmod(0o755)
    (base / "users").write_text(f"{USER}:{PASSWORD}\n")
    (base / "dovecot.conf").write_text(CONFIG.format(base=base))
    with (base / "dovecot.out").open("wb") as output:
        process = subprocess.Popen([DOVECOT, "-F", "-c", base / "dovecot.conf"], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while not (base / "sasl").exists():
            if time.monotonic() > deadline or process.poll() is not None:
                logs = [base / name for name in ("dovecot.out", "dovecot.log")]
                raise RuntimeError("Dovecot does not start: " + "".join(p.read_text() for p in logs if p.exists()))
            time.sleep(0.02)
        yield base / "sasl"
    finally:
        process.terminate()
        process.wait(PATIENCE)
