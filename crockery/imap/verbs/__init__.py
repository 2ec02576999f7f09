"""The verbs: one file a verb or a tight family of them, and the table of who handles what.

A handler is called in a state where its verb is legal (`wire.verbs.VERBS`), with its parsed arguments. It writes
untagged responses to `session.out` and returns what its tagged OK says, or None if it has sent that itself; it raises
Refusal for a NO and BadCommand for a BAD. Changes of the selected mailbox are told after it, by the session loop.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from crockery.imap.session import Completed, Session
from crockery.imap.verbs import (
    anytime,
    append,
    batches,
    compress,
    contexts,
    copy,
    expunge,
    fetch,
    idle,
    listing,
    login,
    mailboxes,
    metadata,
    multisearch,
    notify,
    quota,
    search,
    select,
    sort,
    status,
    store,
    thread,
)
from crockery.imap.wire.parser import Command

Handler = Callable[[Session, Command, Any], Awaitable[Completed | None]]
"""The third argument is of the verb's own type of arguments."""

HANDLERS: Final[dict[str, Handler]] = {
    "CAPABILITY": anytime.handle_capability,
    "NOOP": anytime.handle_noop,
    "LOGOUT": anytime.handle_logout,
    "ID": anytime.handle_id,
    "STARTTLS": login.handle_starttls,
    "AUTHENTICATE": login.handle_authenticate,
    "LOGIN": login.handle_login,
    "ENABLE": anytime.handle_enable,
    "COMPRESS": compress.handle_compress,
    "UNAUTHENTICATE": compress.handle_unauthenticate,
    "SELECT": select.handle_select,
    "EXAMINE": select.handle_select,
    "CREATE": mailboxes.handle_create,
    "DELETE": mailboxes.handle_delete,
    "RENAME": mailboxes.handle_rename,
    "SUBSCRIBE": mailboxes.handle_subscribe,
    "UNSUBSCRIBE": mailboxes.handle_unsubscribe,
    "LIST": listing.handle_list,
    "LSUB": listing.handle_lsub,
    "NAMESPACE": anytime.handle_namespace,
    "STATUS": status.handle_status,
    "GETMETADATA": metadata.handle_get_metadata,
    "SETMETADATA": metadata.handle_set_metadata,
    "NOTIFY": notify.handle_notify,
    "GETQUOTA": quota.handle_get_quota,
    "GETQUOTAROOT": quota.handle_get_quota_root,
    "SETQUOTA": quota.handle_set_quota,
    "APPEND": append.handle_append,
    "REPLACE": append.handle_replace,
    "UID REPLACE": append.handle_replace,
    "UIDBATCHES": batches.handle_uid_batches,
    "IDLE": idle.handle_idle,
    "CHECK": anytime.handle_noop,
    "CLOSE": expunge.handle_close,
    "UNSELECT": expunge.handle_unselect,
    "EXPUNGE": expunge.handle_expunge,
    "UID EXPUNGE": expunge.handle_uid_expunge,
    "SEARCH": search.handle_search,
    "UID SEARCH": search.handle_search,
    "ESEARCH": multisearch.handle_multisearch,
    "CANCELUPDATE": contexts.handle_cancel_update,
    "SORT": sort.handle_sort,
    "UID SORT": sort.handle_sort,
    "THREAD": thread.handle_thread,
    "UID THREAD": thread.handle_thread,
    "FETCH": fetch.handle_fetch,
    "UID FETCH": fetch.handle_fetch,
    "STORE": store.handle_store,
    "UID STORE": store.handle_store,
    "COPY": copy.handle_copy,
    "UID COPY": copy.handle_copy,
    "MOVE": copy.handle_move,
    "UID MOVE": copy.handle_move,
}
