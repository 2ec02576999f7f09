"""fetchmail takes mail off the server and hands it to a delivery program."""

import subprocess
import time
from pathlib import Path

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, expect, expect_same, needs, run
from tools.crash import PASSWORD, TIMEOUT


def check(served: Served) -> str:
    """Fetch all; what was fetched is seen, or gone."""
    fetchmail = needs("fetchmail", "fetchmail")
    served.account("fetchmail")
    folder = served.folder_of("fetchmail")
    served.put("fetchmail", MESSAGES)
    settings = folder / "fetchmailrc"
    settings.write_text(
        f"set invisible\npoll {HOST} protocol imap port {served.port(993)} "
        f'user "fetchmail" password "{PASSWORD}" ssl sslcertck '
        f'sslcertfile "{served.ca}" mda "cat > $(mktemp -p {folder} --suffix .eml)" no rewrite\n'
    )
    settings.chmod(0o600)
    command = [fetchmail, "-f", str(settings), "--pidfile", str(folder / "pid"), "--idfile", str(folder / "ids")]
    run([*command, "--keep"])
    expect_same(map(Path.read_bytes, folder.glob("*.eml")), MESSAGES, lf=True)
    expect(all("\\Seen" in flags for flags in served.flags("fetchmail")), "what was fetched is not \\Seen")
    run([*command, "--all", "--nokeep"])
    expect(served.stored("fetchmail") == [], "fetched mail is still there")
    _wait_in_idle(served, [*command, "--idle", "--keep", "--nodetach"], folder)
    return f"{len(MESSAGES)} mails fetched octet by octet, then taken off the server; one more in IDLE"


def _wait_in_idle(served: Served, command: list[str], folder: Path) -> None:
    """What comes while it waits is fetched at once."""
    known = {*folder.glob("*.eml")}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        served.put("fetchmail", MESSAGES[:1])  # before or after its first look: both ways it is fetched
        _expect_files(folder, known, 1)
        served.put("fetchmail", MESSAGES[1:2])
        _expect_files(folder, known, 2)
    finally:
        process.kill()
        process.wait()


def _expect_files(folder: Path, known: set[Path], count: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while len([path for path in folder.glob("*.eml") if path not in known and path.stat().st_size]) < count:
        expect(time.monotonic() < deadline, "new mail is not fetched in IDLE")
        time.sleep(0.05)
