"""IMAPClient, imap-tools and aioimaplib, each in a script of its own; `CLIENTS_PYTHON` names a Python that has them."""

import os
import subprocess
import sys
from typing import Final

from tools.clients.material import MESSAGES, STRANGE
from tools.clients.served import HOST, NotInstalled, Served, expect_same, run
from tools.crash import PASSWORD

SCRIPTS: Final = {
    "imapclient": """
from imapclient import IMAPClient
with IMAPClient(host, port=port, ssl_context=context) as client:
    client.login(name, password)
    client.select_folder("INBOX")
    found = client.fetch(client.search("ALL"), ["BODY.PEEK[]", "ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE"])
    save(item[b"BODY[]"] for item in found.values())
    assert client.search(["SUBJECT", "dots"]) == [3], "search"
    assert client.search("BODY глина".split(), "UTF-8") == [7], "search in UTF-8"
    client.create_folder("Töpfe/Große")
    assert "Töpfe/Große" in [item[2] for item in client.list_folders()], "folders"
    client.move([1], "Töpfe/Große")
    client.add_flags([2], [b"\\\\Flagged", "$Work"])
    assert set(client.get_flags([2])[2]) >= {b"\\\\Flagged", b"$Work"}, "flags"
    client.idle()
    client.idle_check(timeout=0.1)
    client.idle_done()
    assert client.folder_status("Töpfe/Große")[b"MESSAGES"] == 1, "move"
""",
    "imap_tools": """
import imap_tools
with imap_tools.MailBox(host, port, ssl_context=context).login(name, password) as box:
    mails = list(box.fetch(mark_seen=False, bulk=100))
    assert [m.subject for m in mails][:3] == ["plain", "no body", "dots"], "subjects"
    assert len(mails[9].attachments[0].payload) == 2_000_000, "attachment"
    assert [m.uid for m in box.fetch(imap_tools.AND(subject="small"), mark_seen=False)] == ["9"], "search"
    box.flag(["1", "2"], imap_tools.MailMessageFlags.FLAGGED, True)
    box.move(["1"], "Archive")
    box.delete(["2"])
    assert box.folder.status("Archive")["MESSAGES"] == 1, "move"
""",
    "aioimaplib": """
import asyncio, aioimaplib
async def main():
    client = aioimaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=120)
    await client.wait_hello_from_server()
    await client.login(name, password)
    await client.select("INBOX")
    answer = await client.uid("fetch", "1:*", "(BODY.PEEK[])")
    save(bytes(line) for line in answer.lines if isinstance(line, bytearray))
    waiting = await client.idle_start(timeout=120)
    client.idle_done()
    await asyncio.wait_for(waiting, 120)
    await client.logout()
asyncio.run(main())
""",
}
BEGIN: Final = """
import ssl, sys
host, port, ca, name, password, folder = sys.argv[1:]
port, context = int(port), ssl.create_default_context(cafile=ca)
def save(messages):
    for number, message in enumerate(messages):
        open(f"{folder}/{number}.eml", "wb").write(message)
"""


def check(served: Served) -> str:
    """Each reads, and does what its users do."""
    python = os.environ.get("CLIENTS_PYTHON", sys.executable)
    missing = [
        name for name in SCRIPTS if subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode
    ]
    if len(missing) == len(SCRIPTS):
        raise NotInstalled("pip install imapclient imap-tools aioimaplib")
    messages = [*MESSAGES, *STRANGE]
    for name in SCRIPTS.keys() - missing:
        served.account(name.replace("_", "-"))
        served.put(name.replace("_", "-"), messages)
        folder = served.folder_of(name)
        arguments = [HOST, str(served.port(993)), str(served.ca), name.replace("_", "-"), PASSWORD, str(folder)]
        run([python, "-c", BEGIN + SCRIPTS[name], *arguments])
        if "save(" in SCRIPTS[name]:
            expect_same([path.read_bytes() for path in folder.glob("*.eml")], messages)
    return f"{', '.join(sorted(SCRIPTS.keys() - missing))}: mails octet by octet, search, flags, move, IDLE"
