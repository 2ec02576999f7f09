"""What the server and its children say: encoding and reading it are inverse, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.children.frames import BadFrame, Frame, Receiver, encode
from crockery.limits import CHILD_FRAME

VALUES = st.lists(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.binary() | st.text(), max_size=4
)


@given(st.lists(st.builds(Frame, st.integers(0, 200), VALUES), max_size=5), st.integers(1, 40))
def test_what_was_said_is_heard(frames: list[Frame], size: int) -> None:
    said = b"".join(encode(frame.kind, *frame.values) for frame in frames)
    receiver, heard = Receiver(), []
    for at in range(0, len(said), size):
        receiver.receive_data(said[at : at + size])
        while (frame := receiver.next_frame()) is not None:
            heard.append(frame)
    assert heard == frames


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((CHILD_FRAME + 1).to_bytes(4, "little"), id="too long"),
        pytest.param(b"\1\0\0\0\xc1", id="no msgpack"),
        pytest.param(b"\1\0\0\0\x90", id="nothing"),
        pytest.param(b"\1\0\0\0\x01", id="no array"),
        pytest.param(b"\3\0\0\0\x91\xa1a", id="no number"),
    ],
)
def test_what_is_no_frame(said: bytes) -> None:
    receiver = Receiver()
    receiver.receive_data(said)
    with pytest.raises(BadFrame):
        receiver.next_frame()
