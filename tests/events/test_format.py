"""The octets: headers, records, upcasts, sets of numbers, bodies. What goes in comes out."""

import contextlib
import hashlib
import random
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery import events
from crockery.events.body import (
    FRAME_SIZE,
    SMALL,
    WITH_DICTIONARY,
    BodyWriter,
    compress_body,
    compress_frame,
    decompress_frame,
    decompress_frames,
)
from crockery.events.catalog import Catalog
from crockery.events.codec import decode_facts, encode
from crockery.events.dictionary import DICTIONARY
from crockery.events.errors import UnknownEvent
from crockery.events.format import (
    FLAG_LAST,
    FLAG_SECRET,
    FLAG_SKIPPABLE,
    HEADER_SIZE,
    NO_HASH,
    OVERHEAD,
    Hasher,
    decode_head,
    decode_header,
    encode_header,
)
from crockery.events.ranges import pack_numbers, pack_ranges, unpack_numbers, unpack_ranges
from crockery.events.types import TYPES, Event, EventType
from tests.support.logs import KEY, LOG_ID

HASHER = Hasher(KEY)
NUMBERS = st.integers(0, 2**63 - 1)

facts = st.dictionaries(
    st.text(max_size=10),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=50) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=10,
    ),
    max_size=6,
)


def test_header_round_trip() -> None:
    data = encode_header(LOG_ID, -5, KEY)
    header = decode_header(data + b"records")
    assert len(data) == HEADER_SIZE == 88
    assert (header.log_id, header.created, header.key, header.length) == (LOG_ID, -5, KEY, 88)
    assert header.hash == HASHER(data[:72])


def test_the_marker_is_the_files_own() -> None:
    assert HASHER.marker == HASHER(b"marker")[:4] != Hasher(bytes(32)).marker


@given(facts, st.binary(max_size=200), st.integers(1, 2**64 - 1), st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_record_round_trip(said: dict[str, Any], body: bytes, number: int, time: int, last: bool) -> None:
    kind = next(iter(TYPES.values()))
    stored = compress_body(body) if body else None
    record = encode(Event(kind, said, stored), number, time, last=last, previous=b"p" * 16, hasher=HASHER)
    head = decode_head(record.record)
    assert (head.sequence, head.time, head.previous, bool(head.flags & FLAG_LAST)) == (number, time, b"p" * 16, last)
    assert len(record.record) == OVERHEAD + head.facts_length and head.body_length == len(record.body)
    assert head.body_hash == (HASHER(record.body) if body else NO_HASH)
    assert record.record.endswith(record.hash) and record.hash == HASHER(record.record[:-16])
    assert decode_facts(head, record.facts) == (kind, said)
    assert record.length == len(record.record) + len(record.body)


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        (EventType(9999, "Plain"), FLAG_LAST),
        (EventType(9999, "Skippable", skippable=True), FLAG_LAST | FLAG_SKIPPABLE),
        (EventType(9999, "Secret", secret=True), FLAG_LAST | FLAG_SECRET),
    ],
)
def test_flags(kind: EventType, flags: int) -> None:
    record = encode(Event(kind, {}), 1, 1, last=True, previous=NO_HASH, hasher=HASHER)
    assert decode_head(record.record).flags == flags


def test_older_versions_are_lifted_and_newer_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lift = (lambda old: {**old, "two": 2}, lambda old: {**old, "three": old["two"] + 1})
    kinds = [EventType(9999, "Thing", version=n, upcasts=lift[: n - 1]) for n in (1, 2, 3)]
    said = [{"one": 1}, {"one": 1, "two": 20}, {"one": 1, "two": 20, "three": 30}]
    records = [
        encode(Event(kind, facts), 7, 1, last=True, previous=NO_HASH, hasher=HASHER)
        for kind, facts in zip(kinds, said, strict=True)
    ]
    monkeypatch.setitem(TYPES, 9999, kinds[2])
    assert [decode_facts(decode_head(record.record), record.facts) for record in records] == [
        (kinds[2], {"one": 1, "two": 2, "three": 3}),
        (kinds[2], {"one": 1, "two": 20, "three": 21}),
        (kinds[2], {"one": 1, "two": 20, "three": 30}),
    ]
    monkeypatch.setitem(TYPES, 9999, kinds[0])
    with pytest.raises(UnknownEvent, match="event 7 of this log"):
        decode_facts(decode_head(records[2].record), records[2].facts)


def test_codes_and_names_are_given_once() -> None:
    assert len({kind.name for kind in TYPES.values()}) == len(TYPES)
    assert all(len(kind.upcasts) == kind.version - 1 for kind in TYPES.values())


# Sets of numbers.


@given(st.sets(st.integers(1, 2**32 - 1), max_size=60) | st.sets(st.integers(1, 80), max_size=60))
def test_ranges_round_trip(values: set[int]) -> None:
    array = np.array(sorted(values), dtype=np.uint32)
    flat = pack_ranges(array)
    assert unpack_ranges(flat).tolist() == array.tolist()
    assert all(high + 1 < low for high, low in zip(flat[1::2], flat[2::2], strict=False)), "neighbours are joined"


@given(st.lists(NUMBERS | st.integers(0, 1000), max_size=40))
def test_numbers_round_trip_in_any_order(values: list[int]) -> None:
    assert unpack_numbers(pack_numbers(np.array(values, dtype=np.uint64))).tolist() == values


@given(st.binary(max_size=40))
def test_octets_that_are_no_numbers(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        unpack_numbers(data)


def test_a_bulk_action_is_small() -> None:
    assert pack_ranges(np.arange(1, 1_000_001)) == [1, 1_000_000]
    assert len(pack_numbers(np.arange(5, 1_000_005))) == 1_000_008


# Bodies.


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3 * FRAME_SIZE), st.integers(0, 9), st.lists(st.integers(1, FRAME_SIZE), max_size=8))
def test_a_body_in_pieces_is_the_body_at_once(size: int, seed: int, pieces: list[int]) -> None:
    data = random.Random(seed).randbytes(size)
    writer = BodyWriter()
    at = 0
    for piece in pieces:
        writer.write(data[at : at + piece])
        at += piece
    writer.write(data[at:])
    assert writer.size == size
    body = writer.finish()
    assert body == compress_body(data)
    assert decompress_frames(body.data, body.frames) == data
    if size:
        assert [len(decompress_frame(f)) for f in _frames(body.data, body.frames)][:-1] == [FRAME_SIZE] * (
            len(body.frames) - 1
        )


def _frames(data: bytes, lengths: tuple[int, ...]) -> list[bytes]:
    ends = np.cumsum(lengths).tolist()
    return [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]


@pytest.mark.parametrize("size", [0, 1, FRAME_SIZE, 4 * FRAME_SIZE, 4 * FRAME_SIZE + 1, 9 * FRAME_SIZE + 7])
def test_parts_of_whole_frames(size: int) -> None:
    data = random.Random(size).randbytes(size)
    writer, parts = BodyWriter(), []
    for at in range(0, size, 100_000):
        writer.write(data[at : at + 100_000])
        if (part := writer.take_part()) is not None:
            parts.append(part)
    parts.append(writer.finish())
    assert all(part.size % FRAME_SIZE == 0 for part in parts[:-1])
    assert sum(part.size for part in parts) == size
    assert b"".join(decompress_frames(p.data, p.frames) for p in parts) == data
    assert all(len(part.data) < 2 * BodyWriter.PART_SIZE for part in parts)


def test_a_frame_that_claims_gigabytes_is_not_believed() -> None:
    bomb = b"\x28\xb5\x2f\xfd" + b"\xe4" + b"\xff" * 7 + b"\x0f" + b"\0" * 20
    with pytest.raises(Exception, match=r".") as caught:
        decompress_frame(bomb)
    assert not isinstance(caught.value, MemoryError)


# The catalog.


@given(st.dictionaries(st.integers(1, 2**50), st.integers(88, 2**60), max_size=40), st.data())
def test_catalog_is_a_map_and_survives_a_dump(entries: dict[int, int], data: st.DataObject) -> None:
    catalog = Catalog()
    for number in sorted(entries):
        catalog.add(number, entries[number])
    erased = data.draw(st.sets(st.integers(1, 2**50) | st.sampled_from(sorted(entries) or [1])))
    catalog.erase(erased)
    other = Catalog()
    other.load(*catalog.dump())
    for each in (catalog, other):
        assert {number: each.find(number) for number in entries} == entries
        assert {n for n in entries if each.is_erased(n)} == erased & set(entries)
        assert each.find(0) is None and not each.is_erased(0)


def test_the_dictionary_never_changes() -> None:
    digest = hashlib.sha256(DICTIONARY).hexdigest()
    assert digest in (events.__doc__ or "")
    assert digest == "6d58f17eae71b777615d73088ea015494597bf6214dffad2e3aadd55591a1d4a"


@pytest.mark.parametrize("size", [0, 1, 1000, SMALL, SMALL + 1, FRAME_SIZE])
def test_frames_with_and_without_dictionary(size: int) -> None:
    data = (b"From: anna@example.test\r\nSubject: lines\r\n\r\n" * 10_000)[:size]
    frame = compress_frame(data)
    assert frame.startswith(WITH_DICTIONARY) is (size <= SMALL)
    assert decompress_frame(frame) == data
    assert decompress_frame(zstandard.compress(data)) == data, "as earlier programs wrote them"
