"""Responses: known octets; strings are read back; hundred thousand FLAGS lines at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.wire import render, response_codes, responses
from crockery.imap.wire.access import Login
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.dates import parse_date_time
from crockery.imap.wire.errors import BadCommand, BadMailboxName, StreamLost, TooBig
from crockery.imap.wire.framer import Frame
from tests.support.imap_wire import parse

KNOWN: list[tuple[bytes, bytes]] = [
    (render.render_status(b"OK", "IDLE terminated", tag=b"a1"), b"a1 OK IDLE terminated\r\n"),
    (render.render_status(b"OK", "done", code=b"UIDNEXT 5"), b"* OK [UIDNEXT 5] done\r\n"),
    (render.render_status(b"NO", "a\r\nb ä", tag=b"x"), b"x NO a??b ?\r\n"),
    (render.render_status(b"BYE", ""), b"* BYE Done\r\n"),
    (render.render_error(BadCommand("why", b"a")), b"a BAD why\r\n"),
    (render.render_error(BadCommand("why")), b"* BAD why\r\n"),
    (render.render_error(TooBig("why", b"a")), b"a NO [TOOBIG] why\r\n"),
    (render.render_error(BadMailboxName("why", b"a")), b"a NO [CANNOT] why\r\n"),
    (render.render_error(StreamLost("why", b"a")), b"* BYE [TOOBIG] why\r\n"),
    (render.render_continuation("idling"), b"+ idling\r\n"),
    (render.render_continuation(""), b"+ \r\n"),
    (render.render_string(b'a"b\\'), b'"a\\"b\\\\"'),
    (render.render_string("ä".encode()), b"{2}\r\n\xc3\xa4"),
    (render.render_string("ä".encode(), utf8=True), b'"\xc3\xa4"'),
    (render.render_string(b"a\r\nb"), b"{4}\r\na\r\nb"),
    (render.render_string(b"a\0b"), b'"ab"'),
    (render.render_nstring(None), b"NIL"),
    (render.render_nstring(b""), b'""'),
    (render.render_astring(b"nil"), b'"nil"'),
    (render.render_astring(b""), b'""'),
    (render.render_literal(b"\0", binary=True), b"~{1}\r\n\0"),
    (render.render_mailbox("Entwürfe"), b"Entw&APw-rfe"),
    (render.render_mailbox("Entwürfe", utf8=True), b'"Entw\xc3\xbcrfe"'),
    (render.render_flags(["\\Seen", "$Junk"]), b"(\\Seen $Junk)"),
    (render.render_internal_date(837596665), b'"17-Jul-1996 09:44:25 +0000"'),
    (render.render_internal_date(-1), b'"31-Dec-1969 23:59:59 +0000"'),
    (response_codes.render_append_uid(38505, [3955]), b"APPENDUID 38505 3955"),
    (
        response_codes.render_copy_uid(38505, [304, 319, 320], [3956, 3957, 3958]),
        b"COPYUID 38505 304,319:320 3956:3958",
    ),
    (response_codes.render_permanent_flags(["\\Seen", "\\*"]), b"PERMANENTFLAGS (\\Seen \\*)"),
    (response_codes.render_uid_validity(1), b"UIDVALIDITY 1"),
    (response_codes.render_uid_next(2), b"UIDNEXT 2"),
    (response_codes.render_unseen(3), b"UNSEEN 3"),
    (responses.render_capabilities(["IMAP4rev1", "ID"]), b"* CAPABILITY IMAP4rev1 ID\r\n"),
    (responses.render_enabled([]), b"* ENABLED\r\n"),
    (responses.render_enabled(["IMAP4rev2"]), b"* ENABLED IMAP4rev2\r\n"),
    (responses.render_id(None), b"* ID NIL\r\n"),
    (responses.render_id({"name": "Crockery", "version": None}), b'* ID ("name" "Crockery" "version" NIL)\r\n'),
    (responses.render_namespace(), b'* NAMESPACE (("" "/")) NIL NIL\r\n'),
    (responses.render_list("INBOX", ["\\HasNoChildren"]), b'* LIST (\\HasNoChildren) "/" INBOX\r\n'),
    (responses.render_list("a b", [], lsub=True), b'* LSUB () "/" "a b"\r\n'),
    (responses.render_list("", ["\\Noselect"]), b'* LIST (\\Noselect) "/" ""\r\n'),
    (
        responses.render_list("Foo", [], None, child_info=["SUBSCRIBED"], old_name="Ä"),
        b'* LIST () NIL Foo ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" (&AMQ-))\r\n',
    ),
    (responses.render_status_data("x", {"MESSAGES": 231, "UIDNEXT": 44}), b"* STATUS x (MESSAGES 231 UIDNEXT 44)\r\n"),
    (responses.render_flags_data(["\\Seen"]), b"* FLAGS (\\Seen)\r\n"),
    (responses.render_exists(172), b"* 172 EXISTS\r\n"),
    (responses.render_recent(1), b"* 1 RECENT\r\n"),
    (responses.render_expunges([3, 3, 5]), b"* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n* 5 EXPUNGE\r\n"),
    (b"".join(responses.render_numbers(b"SEARCH", np.array([], dtype=np.int64))), b"* SEARCH\r\n"),
    (b"".join(responses.render_numbers(b"SEARCH", np.array([2, 84, 882]))), b"* SEARCH 2 84 882\r\n"),
    (responses.render_esearch(b"A282", uid=False, smallest=2, count=3), b'* ESEARCH (TAG "A282") MIN 2 COUNT 3\r\n'),
    (
        responses.render_esearch(b"a", uid=True, members=[2, 10, 11], more=[b"MODSEQ 9"]),
        b'* ESEARCH (TAG "a") UID ALL 2,10:11 MODSEQ 9\r\n',
    ),
    (responses.render_esearch(b"a", uid=False, members=[]), b'* ESEARCH (TAG "a")\r\n'),
    (responses.render_section(b"BODY[1]<0>", b"ab"), b"BODY[1]<0> {2}\r\nab"),
    (responses.render_section(b"BODY[9]", None), b"BODY[9] NIL"),
]


@pytest.mark.parametrize(("rendered", "octets"), KNOWN, ids=[repr(octets)[2:50] for _, octets in KNOWN])
def test_known_octets(rendered: bytes, octets: bytes) -> None:
    assert rendered == octets


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.booleans())
def test_strings_are_read_back(value: str, utf8: bool) -> None:
    wire = render.render_astring(value.encode("utf-8"), utf8=utf8).replace(b"}\r\n", b"+}\r\n", 1)
    assert parse(b"a LOGIN " + wire + b" x").arguments == Login(value, "x")


@given(st.integers(-62135596800, 253402300799))
def test_internal_dates_are_read_back(seconds: int) -> None:
    moment = parse_date_time(Cursor(Frame(render.render_internal_date(seconds), {})))
    assert int(moment.timestamp()) == seconds
