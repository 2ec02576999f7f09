// What the scripts of this folder use; put before each, inside an async function.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

const server = () => MailServices.accounts.accounts[0].incomingServer;
const root = () => server().rootFolder;
const folder = path => path.split("/").reduce((parent, name) => parent.getChildNamed(name), root());
const count = path => folder(path).getTotalMessages(false);
const pane = () => document.getElementById("tabmail").currentAbout3Pane;

/** Wait until a function returns something true, and return that; `what` is said when it never does. */
async function until(what, truth) {
    let error = "";
    for (let turn = 0; turn < 400; turn++) {
        try {
            const value = await truth();
            if (value) return value;
        } catch (thrown) { error = thrown; }
        await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error(`never: ${what} ${error}`);
}

/** Call a function with a listener for URLs, and wait until that URL has been done. */
const url = (what, start) => new Promise((resolve, reject) => start({
    QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
    OnStartRunningUrl() {},
    OnStopRunningUrl(_, status) { status ? reject(new Error(`${what}: ${status.toString(16)}`)) : resolve(); },
}));

/** Call a function with a listener for copies, and wait until they are made. */
const copied = (what, start) => new Promise((resolve, reject) => start({
    QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
    onStopCopy(status) { status ? reject(new Error(`${what}: ${status.toString(16)}`)) : resolve(); },
}));

async function trust(certificate) {
    Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(certificate, "C,,");
}

async function remember(host, name, password) {
    if ((await Services.logins.getAllLogins()).length) return;
    for (const scheme of ["imap", "smtp"]) {
        const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
        login.init(`${scheme}://${host}`, null, `${scheme}://${host}`, name, password, "", "");
        await Services.logins.addLoginAsync(login);
    }
}

/** Select a mailbox anew, so that all that changed there is known. While one update runs, another may never be told of. */
const update = path => Promise.race([
    url(`update ${path}`, listener =>
        folder(path).QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, listener)),
    new Promise(resolve => setTimeout(resolve, 10000)),
]);

const messages = path => [...folder(path).messages];
const message = (path, subject) => {
    const found = messages(path).find(header => header.mime2DecodedSubject == subject);
    if (!found) throw new Error(`no "${subject}" in ${path}`);
    return found;
};

/** Move or copy the message of a subject. */
const carry = (subject, from, to, moves) => copied(`carry ${subject}`, listener =>
    MailServices.copy.copyMessages(folder(from), [message(from, subject)], folder(to), moves, listener, null, false));

const remove = (path, subject) => copied(`delete ${subject}`, listener =>
    folder(path).deleteMessages([message(path, subject)], null, false, false, listener, false));

/** The subjects that a search on the server finds for words in the body. */
async function search(path, words) {
    const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
    const term = session.createTerm();
    const value = term.value;
    value.attrib = term.attrib = Ci.nsMsgSearchAttrib.Body;
    value.str = words;
    Object.assign(term, { value, op: Ci.nsMsgSearchOp.Contains, booleanAnd: true });
    session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder(path));
    session.appendTerm(term);
    const found = [];
    await new Promise(resolve => {
        session.registerListener({
            onSearchHit: header => found.push(header.mime2DecodedSubject), onSearchDone: resolve, onNewSearch() {},
        });
        session.search(null);
    });
    return found.sort();
}

/** Send a mail with a file, as composing it does; it is also filed. */
async function send(to, subject, text) {
    const identity = MailServices.accounts.accounts[0].defaultIdentity;
    const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
    Object.assign(fields, { from: `${identity.fullName} <${identity.email}>`, to, subject });
    const file = Cc["@mozilla.org/messengercompose/attachment;1"].createInstance(Ci.nsIMsgAttachment);
    Object.assign(file, { name: "glaze.txt", url: "data:text/plain,ash%20and%20clay" });
    fields.addAttachment(file);
    await new Promise((resolve, reject) => {
        const done = (_, status) => status ? reject(new Error(`sending: ${status.toString(16)}`)) : resolve();
        Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend).createAndSendMessage(
            null, identity, MailServices.accounts.accounts[0].key, fields, false, false, Ci.nsIMsgSend.nsMsgDeliverNow,
            null, "text/plain", text, null, null, {
                QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener", "nsIMsgCopyServiceListener"]),
                onStartSending() {}, onProgress() {}, onStatus() {}, onSendNotPerformed: done, onGetDraftFolderURI() {},
                onTransportSecurityError(_, status) { reject(new Error(`TLS: ${status}`)); },
                onStopSending(_, status) { if (status) done(null, status); },
                onStartCopy() {}, setMessageKey() {}, getMessageId() { return null; },
                onStopCopy(status) { done(null, status); },
            }, "", "", Ci.nsIMsgCompType.New);
    });
}

/** The octets of a message as they are kept here, in base64. */
function kept(header) {
    const stream = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
    stream.setInputStream(header.folder.getMsgInputStream(header, {}));
    const pieces = [];
    for (let size; (size = stream.available());) pieces.push(stream.readBytes(size));
    return btoa(pieces.join(""));
}

/** Show a mailbox by threads, all of them open, and the message of a subject. */
async function show(path, subject) {
    pane().displayFolder(folder(path).URI);
    await until("the list", () => pane().gDBView?.rowCount);
    pane().gViewWrapper.showThreaded = true;
    pane().gDBView.doCommand(Ci.nsMsgViewCommandType.expandAll);
    const view = pane().gDBView;
    const row = await until("the row", () => view.findIndexOfMsgHdr(message(path, subject), true) + 1) - 1;
    pane().threadTree.selectedIndex = row;
    await until("the message", () => {
        const shown = pane().messageBrowser?.contentDocument;
        return shown?.getElementById("expandedsubjectBox")?.textContent.includes(subject.slice(0, 10))
            && shown.getElementById("attachmentList")?.itemCount;
    });
    pane().threadTree.scrollToIndex(row, true);
    await new Promise(resolve => pane().requestAnimationFrame(() => pane().requestAnimationFrame(resolve)));
    return [...Array(view.rowCount).keys()].map(index => view.getLevel(index));
}
