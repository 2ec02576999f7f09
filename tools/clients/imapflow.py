"""imapflow, the client of many Node programs; `CLIENTS_NODE` names a folder where `npm install imapflow` was run."""

import os
from pathlib import Path
from typing import Final

from tools.clients.material import MESSAGES, STRANGE
from tools.clients.served import HOST, NotInstalled, Served, expect_same, needs, run
from tools.crash import PASSWORD

SCRIPT: Final = """
const { ImapFlow } = require('imapflow');
const fs = require('fs');
const [host, port, ca, user, pass, folder] = process.argv.slice(2);
const check = (truth, what) => { if (!truth) throw new Error(what); };
(async () => {
    const connect = async () => {
        const client = new ImapFlow({host, port: +port, secure: true, auth: {user, pass}, logger: false, qresync: true,
            tls: {ca: fs.readFileSync(ca)}});
        await client.connect();
        return client;
    };
    const client = await connect();
    const lock = await client.getMailboxLock('INBOX');
    let count = 0;
    for await (const m of client.fetch('1:*', {source: true, envelope: true, bodyStructure: true, flags: true}))
        fs.writeFileSync(`${folder}/${++count}.eml`, m.source);
    check((await client.search({subject: 'dots'})).length === 1, 'search');
    const {content} = await client.download('10', '2');
    let size = 0;
    for await (const piece of content) size += piece.length;
    check(size === 2000000, `attachment of ${size}`);
    await client.messageFlagsAdd('1', ['\\\\Flagged', '$Work']);
    check((await client.fetchOne('1', {flags: true})).flags.has('$Work'), 'flags');
    await client.mailboxCreate(['Töpfe', 'Große']);
    await client.messageMove('1:2', 'Töpfe/Große');
    check((await client.status('Töpfe/Große', {messages: true})).messages === 2, 'move');
    await client.append('Drafts', 'Subject: draft\\r\\n\\r\\nx', ['\\\\Draft']);
    check((await client.list()).some(box => box.specialUse === '\\\\Drafts'), 'special use');
    const other = await connect();
    const news = new Promise(resolve => client.once('exists', resolve));
    const flagged = new Promise(resolve => client.once('flags', resolve));
    const idling = client.idle();
    await other.append('INBOX', 'Subject: news\\r\\n\\r\\nx', []);
    check((await news).count === count - 1, 'news in IDLE');
    await other.mailboxOpen('INBOX');
    await other.messageFlagsAdd('1', ['\\\\Answered']);
    check((await flagged).flags.has('\\\\Answered'), 'flags in IDLE');
    const {uidValidity, highestModseq, exists} = client.mailbox;
    lock.release();
    await client.logout();
    await idling;
    await other.messageDelete('2');
    await other.messageFlagsAdd('3', ['$Later']);
    await other.logout();
    const again = await connect();
    const gone = [], changed = [];
    again.on('expunge', event => gone.push(event));
    again.on('flags', event => changed.push(event));
    await again.mailboxOpen('INBOX', {changedSince: highestModseq, uidValidity});
    check(again.mailbox.exists === exists - 1, 'number after coming back');
    check(again.enabled.has('QRESYNC'), 'QRESYNC is not enabled');
    check(gone.length === 1 && gone[0].vanished && gone[0].earlier, `vanished: ${JSON.stringify(gone)}`);
    check(changed.some(event => event.flags.has('$Later')), 'changed since');
    await again.logout();
})().catch(error => { console.error(error); process.exit(1); });
"""


def check(served: Served) -> str:
    """Read, search, flag, move, append, download in pieces, wait in IDLE, come back with QRESYNC."""
    node = needs("node", "nodejs npm")
    modules = Path(os.environ.get("CLIENTS_NODE", "."))
    if not (modules / "node_modules" / "imapflow").is_dir():
        raise NotInstalled("npm install imapflow")
    served.account("imapflow")
    messages = [*MESSAGES, *STRANGE]
    served.put("imapflow", messages)
    folder = served.folder_of("imapflow")
    (folder / "node_modules").symlink_to((modules / "node_modules").absolute())
    (folder / "script.js").write_text(SCRIPT)
    arguments = [HOST, str(served.port(993)), str(served.ca), "imapflow", PASSWORD, str(folder)]
    run([node, str(folder / "script.js"), *arguments])
    expect_same([path.read_bytes() for path in folder.glob("*.eml")], messages)
    return f"{len(messages)} mails octet by octet, search, download in pieces, flags, move, append, IDLE, QRESYNC"
