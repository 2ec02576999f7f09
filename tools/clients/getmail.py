"""getmail takes mail off the server and hands it to a delivery program."""

import re
from typing import Final

from tools.clients.material import MESSAGES
from tools.clients.served import HOST, Served, expect_same, needs, run, with_crlf
from tools.crash import PASSWORD

OWN: Final = re.compile(rb"^(?:Return-Path|X-getmail-retrieved-from-mailbox): .*\n", re.MULTILINE)


def check(served: Served) -> str:
    """Fetch all; a second run fetches what is new alone."""
    getmail = needs("getmail", "getmail6")
    served.account("getmail")
    folder = served.folder_of("getmail")
    served.put("getmail", MESSAGES[1:])
    (folder / "getmailrc").write_text(
        f"[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = {HOST}\nport = {served.port(993)}\nusername = getmail\n"
        f"password = {PASSWORD}\nca_certs = {served.ca}\n"
        "[destination]\ntype = MDA_external\npath = /bin/sh\nallow_root_commands = true\n"
        f'arguments = ("-c", "cat > $(mktemp -p {folder} --suffix .eml)")\n'
        "[options]\nread_all = false\ndelivered_to = false\nreceived = false\n"
    )
    command = [getmail, "--getmaildir", str(folder), "--rcfile", "getmailrc", "--quiet"]
    run(command)
    served.put("getmail", MESSAGES[:1])
    run(command)
    found = [re.sub(OWN, b"", path.read_bytes()) for path in folder.glob("*.eml")]
    expect_same(map(with_crlf, found), MESSAGES)
    return f"{len(MESSAGES)} mails fetched octet by octet, each once"
