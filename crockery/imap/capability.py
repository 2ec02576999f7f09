"""What is offered when (RFC 9051 §6.1.1 and §7.2.2). A capability stands here only when all of it works."""

from typing import Final

LOGINS: Final = ("AUTH=PLAIN", "AUTH=LOGIN")
SCRAM: Final = "AUTH=SCRAM-SHA-256"

ALWAYS: Final = ("IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE")

SEARCHES: Final = (
    "ESEARCH", "SEARCHRES", "WITHIN", "PARTIAL", "I18NLEVEL=1", "SORT", "SORT=DISPLAY", "ESORT",
    "MULTISEARCH", "FILTERS", "CONTEXT=SEARCH", "CONTEXT=SORT",
    "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS",
)  # fmt: skip

MAILBOXES: Final = ("CONDSTORE", "QRESYNC", "UIDONLY", "OBJECTID", "UTF8=ACCEPT", "UIDBATCHES", "INPROGRESS")
MESSAGES: Final = ("BINARY", "CATENATE", "MULTIAPPEND", "PREVIEW", "REPLACE", "SAVEDATE")

AFTER_LOGIN: Final = (
    *ALWAYS, *SEARCHES, *MAILBOXES, *MESSAGES,
    "IDLE", "NAMESPACE", "CHILDREN", "UIDPLUS", "UNSELECT", "MOVE", "SPECIAL-USE", "CREATE-SPECIAL-USE",
    "LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE", "COMPRESS=DEFLATE",
    "UNAUTHENTICATE", "METADATA", "LIST-METADATA", "NOTIFY", "QUOTA", "QUOTASET", "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
)  # fmt: skip


def capabilities(
    *, logged_in: bool, tls: bool, secure: bool, scram: bool, unauthenticate: bool = True
) -> tuple[str, ...]:
    """The capabilities now.

    `secure`: passwords may pass, for the connection is TLS or does not leave the machine; `scram`: somebody can use it;
    `unauthenticate`: the setting of that name.
    """
    if logged_in:
        return AFTER_LOGIN if unauthenticate else tuple(name for name in AFTER_LOGIN if name != "UNAUTHENTICATE")
    starttls = () if tls else ("STARTTLS",)
    if not secure:
        return (*ALWAYS, *starttls, "LOGINDISABLED")
    return (*ALWAYS, *starttls, *LOGINS, *((SCRAM,) if scram else ()))
