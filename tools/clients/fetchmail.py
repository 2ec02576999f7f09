"""fetchmail takes mail off the server and hands it to a delivery program."""

from pathlib import Path

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, expect, expect_same, needs, run
from tools.crash import PASSWORD


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
    return f"{len(MESSAGES)} mails fetched octet by octet, then taken off the server"
