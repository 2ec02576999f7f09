"""What server and worker say to each other: encoding and reading it are inverse, however it is cut."""

import pytest

from crockery.followers.wire import BadFrame, Frame, Kind, Receiver, encode
from crockery.limits import ROWS_FRAME
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
SAID = encode(Kind.BEGIN, *BEGUN) + encode(Kind.READY) + encode(Kind.MADE, *MADE) + encode(Kind.THERE, None)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100, len(SAID)])
def test_what_was_said_is_heard(size: int) -> None:
    receiver = Receiver()
    frames: list[Frame] = []
    for at in range(0, len(SAID), size):
        receiver.receive_data(SAID[at : at + size])
        while (frame := receiver.next_frame()) is not None:
            frames.append(frame)
    assert [frame.kind for frame in frames] == [Kind.BEGIN, Kind.READY, Kind.MADE, Kind.THERE]
    assert frames[0].begun() == BEGUN
    assert frames[2].made() == MADE
    assert frames[3].values == [None]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((ROWS_FRAME + 1).to_bytes(4, "little"), id="too long"),
        pytest.param(b"\1\0\0\0\xc1", id="no msgpack"),
        pytest.param(b"\1\0\0\0\x90", id="nothing"),
        pytest.param(b"\1\0\0\0\x01", id="no array"),
        pytest.param(b"\2\0\0\0\x91\x63", id="no such kind"),
    ],
)
def test_what_is_no_frame(said: bytes) -> None:
    receiver = Receiver()
    receiver.receive_data(said)
    with pytest.raises(BadFrame):
        receiver.next_frame()


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3], [1, [[], {}], [1]], [1, [[], {1: [2]}], []]], ids=str)
def test_what_nobody_makes(values: list[object]) -> None:
    with pytest.raises(BadFrame):
        Frame(Kind.MADE, values).made()
    with pytest.raises(BadFrame):
        Frame(Kind.BEGIN, values).begun()
