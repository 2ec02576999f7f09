"""What server and worker say to each other: what is encoded is read as it was."""

import pytest

from crockery.children.frames import BadFrame, Receiver, encode
from crockery.followers.wire import Kind, begun_of, made_of
from crockery.projections.block_file import Block
from crockery.projections.gathering import Begun
from crockery.projections.gathering import Made as OfFile
from crockery.projections.rows import AllBegun, Made
from crockery.projections.structure import kept_of

KEPT = kept_of(b"Subject: =?utf-16?b?3AA=?=\r\nReferences: <a@b> <c@d>\r\n\r\nx")
TEXT = (b"\xffONE", b"")
BEGUN = AllBegun(Begun(7, {8: KEPT}), [Begun(5, {6: TEXT, 1 << 60: TEXT}), Begun(0, {})])
MADE = Made(
    2,
    OfFile([Block(1, 8, [b"frame", b""]), Block(9, 9, [b"other"])], {10: KEPT}),
    [OfFile([], {10: TEXT}), OfFile([Block(1, 10, [b"x"])], {})],
)


def heard(kind: Kind, *values: object) -> list[object]:
    receiver = Receiver()
    receiver.receive_data(encode(kind, *values))
    frame = receiver.next_frame()
    assert frame is not None
    assert frame.kind == kind
    return frame.values


def test_what_was_said_is_heard() -> None:
    assert begun_of(heard(Kind.BEGIN, *BEGUN)) == BEGUN
    assert made_of(heard(Kind.MADE, *MADE)) == MADE


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3], [1, [[], {}], [1]], [1, [[], {1: [2]}], []]], ids=str)
def test_what_nobody_makes(values: list[object]) -> None:
    with pytest.raises(BadFrame):
        made_of(values)
    with pytest.raises(BadFrame):
        begun_of(values)
