"""SEARCH by the text files finds what a plain reading of every message finds; the keys themselves are in dialogs."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.features import Features
from crockery.imap.matching import Matching
from crockery.imap.messages import Messages
from crockery.imap.recent import Recents
from crockery.imap.selected import Selected
from crockery.imap.sorting import Keys
from crockery.imap.wire.search import And, Dated, HasHeader, HasText, Key, Not, Or, Sized
from crockery.message.dates import parse_date
from crockery.message.headers import field_values, iterate_fields, unfold
from crockery.message.html import html_text
from crockery.message.structure import Part, iterate_parts, parse_structure
from crockery.message.text import fold, header_texts, part_text
from crockery.message.words import decode_words
from crockery.net.budget import Budget
from tests.support.rows import Rows
from tests.support.store import TestStore

CORPUS = Path(__file__).parent.parent / "data" / "corpus"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n"
MAILS = [
    b"From: anna@example.test\r\nTo: =?utf-8?q?Caf=C3=A9?= <c@example.test>\r\nSubject: lunch\r\n\r\nat noon\r\n",
    b"Subject: Re: lunch\r\nCc: anna@example.test\r\nX-Word: noon\r\n\r\n" + "schöne Grüße".encode(),
    b"Subject: base\r\nContent-Transfer-Encoding: base64\r\n\r\nbHVuY2ggYXQgbm9vbg==\r\n",
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p class=noon>l<b>un</b>ch</p><script>anna</script>&eacute;",
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n",
    MIXED + b"Subject: outer\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Anna\r\n\r\nnoon\r\n--b\r\n"
    b"Content-Type: application/pdf; name=lunch.pdf\r\n\r\nx\r\n--b--\r\n",
    b"no header at noon",
    b"",
    b"Subject: large\r\n\r\n" + b"nothing here " * 30_000 + b"lunch",
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nBcc: noon@example.test\r\n\r\nlunch and noon\r\n",
]
WORDS = ("lunch", "noon", "anna", "é", "café", "subject: ", "at noon", "unc", "class", "x", "", "nowhere", "re: l")
NAMES = ("Subject", "From", "to", "CC", "Bcc", "x-word", "Content-Type", "nothing", "")

leaves = st.one_of(
    st.builds(HasText, st.sampled_from(WORDS), st.booleans()),
    st.builds(HasHeader, st.sampled_from(NAMES), st.sampled_from(WORDS)),
    st.builds(Sized, st.integers(0, 200), st.booleans()),
    st.builds(Dated, st.sampled_from(("on", "since", "before")), st.just(date(1994, 2, 7)), st.just(True)),
)
keys: st.SearchStrategy[Key] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


class Quiet:
    """An Output that nobody waits for."""

    async def pause(self) -> None:
        pass


def search_plainly(key: Key, data: bytes) -> bool:
    """What the RFC says of one message, as simply as can be."""
    match key:
        case And(inner):
            return all(search_plainly(one, data) for one in inner)
        case Or(inner):
            return any(search_plainly(one, data) for one in inner)
        case Not(inner):
            return not search_plainly(inner, data)
        case Sized(size, larger):
            return len(data) > size if larger else len(data) < size
        case HasHeader(name, value):
            return any(fold(value) in fold(text) for text in header_texts(data, name.encode()))
        case HasText(value, headers):
            root = parse_structure(data)
            texts = [*(header_lines(data, root) if headers else ()), *body_texts(data, root)]
            return value == "" or any(fold(value) in fold(text) for text in texts)
        case Dated(relation):
            values = field_values(data, b"date")
            sent = parse_date(values[0]) if values else None
            return sent is not None and {
                "on": sent.day == key.day, "before": sent.day < key.day, "since": sent.day >= key.day
            }[relation]  # fmt: skip
    raise TypeError(key)


def header_lines(data: bytes, part: Part) -> Iterator[str]:
    position = part.header_start
    for name, start, value, stop in iterate_fields(data, position, part.body_start):
        yield from (decode_words(line.strip()) for line in data[position:start].splitlines())
        yield f"{decode_words(name)}: {decode_words(unfold(data[value:stop]))}"
        position = stop
    yield from (decode_words(line.strip()) for line in data[position : part.body_start].splitlines())


def body_texts(data: bytes, root: Part) -> Iterator[str]:
    for part in iterate_parts(root):
        if part is not root and part.envelope is not None:
            yield from header_lines(data, part)
        yield part.filename or ""
        if part.maintype == "text":
            text = part_text(data, part)
            yield " ".join(html_text(text).split()) if part.subtype == "html" else text


class Searched:
    """One mailbox of MAILS and some of the corpus, with rows for as many messages as the test wants."""

    def __init__(self, store: TestStore) -> None:
        anna = store.account()
        self.mails = [*MAILS, *[path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))[:15]]]
        self.numbers = [store.append(anna, mail) for mail in self.mails]
        store.commit()
        self.log = store.log
        self.view = Selected(store.inbox(anna), Recents(0), read_only=True, features=Features())
        self.rows = Rows(store)

    def make_rows(self, count: int) -> None:
        self.keys = Keys(self.view.mailbox)
        self.rows.files.clear()
        self.rows.make(self.numbers[:count])

    async def search(self, key: Key, among: list[int]) -> list[int]:
        reading = Messages(self.log, self.rows.structures, self.rows.texts, Budget())
        out: Any = Quiet()
        matching = Matching(self.view, reading, self.keys, out, now=0, among=np.array(among, dtype=np.int64))
        return list((await matching.search(key)).tolist())


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    return Searched(TestStore(tmp_path_factory.mktemp("store") / "log.crk"))


@given(st.data(), keys)
async def test_it_finds_what_a_plain_reading_finds(mailbox: Searched, data: st.DataObject, key: Key) -> None:
    count = len(mailbox.mails)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crockery.projections.text_file.TEXT_BLOCK_ROWS", data.draw(st.sampled_from((1, 3, 50))))
        patch.setattr("crockery.projections.text_file.TEXT_SPARSE", data.draw(st.sampled_from((1, 1_000_000))))
        mailbox.make_rows(data.draw(st.sampled_from((0, 2, count // 2, count))))
        among = data.draw(st.one_of(st.just(list(range(count))), st.lists(st.integers(0, count - 1), unique=True)))
        among.sort()
        found = await mailbox.search(key, among)
    assert found == [index for index in among if search_plainly(key, mailbox.mails[index])]
