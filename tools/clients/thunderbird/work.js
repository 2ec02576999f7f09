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
    for (let turn = 0; turn < 1100; turn++) {
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

/** Select a mailbox anew, so that all that changed there is known. */
const update = path => url(`update ${path}`, listener =>
    folder(path).QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, listener));

const messages = path => [...folder(path).messages];
const message = (path, subject) => {
    const found = messages(path).find(header => header.mime2DecodedSubject == subject);
    if (!found) throw new Error(`no "${subject}" in ${path}`);
    return found;
};
