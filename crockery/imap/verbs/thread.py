"""THREAD and UID THREAD (RFC 5256, and Dovecot's REFS)."""

from typing import Final

import numpy as np
import trio

from crockery import limits
from crockery.imap.selected import Indices, Uids
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.sorting import Answer, Keys
from crockery.imap.verbs.search import check_charset, find_messages, with_filters
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_threads
from crockery.imap.wire.sort import Thread
from crockery.message.threads import Threadable, by_references, by_references_alone, by_subject

ALGORITHMS: Final = {"ORDEREDSUBJECT": by_subject, "REFERENCES": by_references, "REFS": by_references_alone}
COLUMNS: Final = ("DATE", "SUBJECT", "REPLY", "ID", "REFERENCES")


async def handle_thread(session: Session, command: Command, arguments: Thread) -> Completed:
    """Find messages and tell them as threads."""
    selected = session.require_selected()
    check_charset(session, command, arguments.search, "UTF-8")
    found = await find_messages(session, selected, command, with_filters(session, arguments.search))
    keys = session.shared.sort_keys.of(selected.mailbox)
    await keys.load(COLUMNS, session.shared.messages, session.out)
    found, _ = selected.rows(found)
    numbers = selected.uids[found] if command.uid else found + 1
    session.out.write(await _threads(keys, arguments.algorithm, selected.uids[found], numbers), keys.mailbox.position)
    return DONE


async def _threads(keys: Keys, algorithm: str, uids: Uids, numbers: Uids | Indices) -> bytes:
    """The response. Python's own work, some microseconds a message: where there are many, in a thread."""
    answer = keys.threads.get(algorithm)
    if answer is not None and np.array_equal(answer.uids, uids) and np.array_equal(answer.numbers, numbers):
        return answer.response
    columns = [keys.values(name, uids) for name in COLUMNS[:4]]
    references, ends = keys.lists("REFERENCES", uids)

    def make() -> bytes:
        messages = Threadable(*[column.tolist() for column in (*columns, references, ends)])
        forest = ALGORITHMS[algorithm](messages)
        return render_threads(forest.roots, forest.children, numbers.tolist())

    response = make() if len(uids) < limits.IMAP_SLICE else await trio.to_thread.run_sync(make)
    keys.threads[algorithm] = Answer(uids, numbers, response)
    return response
