"""The table of verbs: how each is read, in which states it is legal, what it means for the session around it.

An extension with a verb of its own adds a file with its parser and a row here (RFC 9051 sections 3 and 6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from typing import Final

from crockery.imap.wire import (
    access,
    append,
    batches,
    compress,
    fetch,
    listing,
    mailboxes,
    messages,
    metadata,
    multisearch,
    notify,
    quota,
    search,
    search_program,
    search_returns,
    sort,
)
from crockery.imap.wire.cursor import Cursor

Arguments = (
    access.NoArguments
    | access.Login
    | access.Authenticate
    | access.Id
    | access.Enable
    | compress.Compress
    | mailboxes.Select
    | mailboxes.Create
    | mailboxes.MailboxArgument
    | mailboxes.Rename
    | mailboxes.Status
    | listing.List
    | metadata.GetMetadata
    | metadata.SetMetadata
    | notify.Notify
    | quota.GetQuota
    | quota.SetQuota
    | append.Append
    | append.Replace
    | batches.UidBatches
    | fetch.Fetch
    | messages.Store
    | messages.Copy
    | messages.UidExpunge
    | search.Search
    | search_returns.CancelUpdate
    | multisearch.Multisearch
    | sort.Sort
    | sort.Thread
)


class State(Flag):
    """The states of a connection (RFC 9051 section 3); after LOGOUT there are no commands."""

    NOT_AUTHENTICATED = auto()
    AUTHENTICATED = auto()
    SELECTED = auto()


class Trait(Flag):
    """What the session must know of a verb beside its arguments."""

    NONE = 0
    HOLDS_EXPUNGE = auto()
    """No EXPUNGE may be sent before it completes: it speaks of sequence numbers (section 7.5.1)."""
    READS_LINES = auto()
    """The handler goes on reading raw lines: AUTHENTICATE, IDLE."""
    CHANGES_STREAM = auto()
    """The octets after it are of another layer: STARTTLS."""
    LEAVES_MAILBOX = auto()
    """The selected mailbox is gone after it, even if it fails: SELECT, EXAMINE (section 6.3.2), CLOSE, UNSELECT."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A row of the table."""

    parse: Callable[[Cursor], Arguments]
    states: State
    traits: Trait = Trait.NONE


ANY: Final = State.NOT_AUTHENTICATED | State.AUTHENTICATED | State.SELECTED
BEFORE: Final = State.NOT_AUTHENTICATED
AFTER: Final = State.AUTHENTICATED | State.SELECTED
SELECTED: Final = State.SELECTED

VERBS: Final[dict[str, Verb]] = {
    "CAPABILITY": Verb(access.parse_no_arguments, ANY),
    "NOOP": Verb(access.parse_no_arguments, ANY),
    "LOGOUT": Verb(access.parse_no_arguments, ANY),
    "ID": Verb(access.parse_id, ANY),
    "STARTTLS": Verb(access.parse_no_arguments, BEFORE, Trait.CHANGES_STREAM),
    "AUTHENTICATE": Verb(access.parse_authenticate, BEFORE, Trait.READS_LINES),
    "LOGIN": Verb(access.parse_login, BEFORE),
    "ENABLE": Verb(access.parse_enable, AFTER),  # RFC 5161: authenticated state only; rev2 lets it be (section 6.3.1)
    "COMPRESS": Verb(compress.parse_compress, AFTER, Trait.CHANGES_STREAM),
    "UNAUTHENTICATE": Verb(access.parse_no_arguments, AFTER, Trait.CHANGES_STREAM | Trait.LEAVES_MAILBOX),
    "SELECT": Verb(mailboxes.parse_select, AFTER, Trait.LEAVES_MAILBOX),
    "EXAMINE": Verb(mailboxes.parse_select, AFTER, Trait.LEAVES_MAILBOX),
    "CREATE": Verb(mailboxes.parse_create, AFTER),
    "DELETE": Verb(mailboxes.parse_mailbox_argument, AFTER),
    "RENAME": Verb(mailboxes.parse_rename, AFTER),
    "SUBSCRIBE": Verb(mailboxes.parse_mailbox_argument, AFTER),
    "UNSUBSCRIBE": Verb(mailboxes.parse_mailbox_argument, AFTER),
    "LIST": Verb(listing.parse_list, AFTER),
    "LSUB": Verb(listing.parse_lsub, AFTER),
    "NAMESPACE": Verb(access.parse_no_arguments, AFTER),
    "STATUS": Verb(mailboxes.parse_status, AFTER),
    "GETMETADATA": Verb(metadata.parse_get_metadata, AFTER),
    "SETMETADATA": Verb(metadata.parse_set_metadata, AFTER),
    "NOTIFY": Verb(notify.parse_notify, AFTER),
    "GETQUOTA": Verb(quota.parse_get_quota, AFTER),
    "GETQUOTAROOT": Verb(mailboxes.parse_mailbox_argument, AFTER),
    "SETQUOTA": Verb(quota.parse_set_quota, AFTER),
    "APPEND": Verb(append.parse_append, AFTER),
    "IDLE": Verb(access.parse_no_arguments, AFTER, Trait.READS_LINES),
    "CHECK": Verb(access.parse_no_arguments, SELECTED),
    "CLOSE": Verb(access.parse_no_arguments, SELECTED, Trait.LEAVES_MAILBOX),
    "UNSELECT": Verb(access.parse_no_arguments, SELECTED, Trait.LEAVES_MAILBOX),
    "EXPUNGE": Verb(access.parse_no_arguments, SELECTED),
    "SEARCH": Verb(search_program.parse_search, SELECTED, Trait.HOLDS_EXPUNGE),
    "ESEARCH": Verb(multisearch.parse_multisearch, AFTER, Trait.HOLDS_EXPUNGE),
    "CANCELUPDATE": Verb(search_returns.parse_cancel_update, SELECTED),
    "SORT": Verb(sort.parse_sort, SELECTED, Trait.HOLDS_EXPUNGE),
    "THREAD": Verb(sort.parse_thread, SELECTED, Trait.HOLDS_EXPUNGE),
    "FETCH": Verb(fetch.parse_fetch, SELECTED, Trait.HOLDS_EXPUNGE),
    "STORE": Verb(messages.parse_store, SELECTED, Trait.HOLDS_EXPUNGE),
    "COPY": Verb(messages.parse_copy, SELECTED),
    "MOVE": Verb(messages.parse_copy, SELECTED),
    "UID EXPUNGE": Verb(messages.parse_uid_expunge, SELECTED),
    "UID SEARCH": Verb(search_program.parse_search, SELECTED),
    "UID SORT": Verb(sort.parse_sort, SELECTED),
    "UID THREAD": Verb(sort.parse_thread, SELECTED),
    "UID FETCH": Verb(fetch.parse_fetch, SELECTED),
    "UID STORE": Verb(messages.parse_store, SELECTED),
    "UID COPY": Verb(messages.parse_copy, SELECTED),
    "REPLACE": Verb(append.parse_replace, SELECTED),
    "UID REPLACE": Verb(append.parse_replace, SELECTED),
    "UIDBATCHES": Verb(batches.parse_uid_batches, SELECTED),
    "UID MOVE": Verb(messages.parse_copy, SELECTED),
}
