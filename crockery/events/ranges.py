"""Sets of numbers inside facts: UID sets as flat ranges, message numbers as packed deltas.

A bulk action is one event, so what it names must be small and quick to unpack with NumPy: `pack_ranges` for sets that
are mostly runs (UIDs), `pack_numbers` for sequences in a given order (message numbers, which have gaps).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

NumberArray = npt.NDArray[np.uint64]

_WIDTHS = ((np.dtype("<i1"), 1), (np.dtype("<i2"), 2), (np.dtype("<i4"), 4), (np.dtype("<i8"), 8))


def pack_ranges(values: npt.NDArray[Any]) -> list[int]:
    """Sorted, distinct values to [low, high, low, high, ...], ends included."""
    if len(values) == 0:
        return []
    if len(values) == 1:
        value = int(values[0])
        return [value, value]
    breaks = np.flatnonzero(np.diff(values.astype(np.int64)) != 1)
    lows = np.concatenate((values[:1], values[breaks + 1]))
    highs = np.concatenate((values[breaks], values[-1:]))
    flat: list[int] = np.column_stack((lows, highs)).ravel().tolist()
    return flat


def unpack_ranges(flat: list[int]) -> npt.NDArray[np.int64]:
    """The inverse of `pack_ranges`."""
    if len(flat) == 2:
        return np.arange(flat[0], flat[1] + 1, dtype=np.int64)
    bounds = np.array(flat, dtype=np.int64).reshape(-1, 2)
    counts = bounds[:, 1] - bounds[:, 0] + 1
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    steps = np.arange(total, dtype=np.int64)
    values: npt.NDArray[np.int64] = steps + np.repeat(bounds[:, 0] - (ends - counts), counts)
    return values


def pack_numbers(values: npt.NDArray[Any] | Sequence[int]) -> bytes:
    """Any sequence of numbers below 2**63, in order: a width octet, the first, then differences of that width."""
    if len(values) == 0:
        return b""
    if len(values) == 1:
        return b"\1" + int(values[0]).to_bytes(8, "little")
    signed = np.asarray(values).astype(np.int64)
    deltas = np.diff(signed)
    reach = int(np.abs(deltas).max()) if len(deltas) else 0
    dtype, width = next((d, w) for d, w in _WIDTHS if w == 8 or reach < 1 << (8 * w - 1))
    return bytes((width,)) + int(signed[0]).to_bytes(8, "little") + deltas.astype(dtype).tobytes()


def unpack_numbers(data: bytes) -> NumberArray:
    """The inverse of `pack_numbers`; raises ValueError on octets it cannot have made."""
    if not data:
        return np.empty(0, dtype=np.uint64)
    dtype = next((d for d, w in _WIDTHS if w == data[0]), None)
    if dtype is None:
        raise ValueError("packed numbers with an unknown width")
    first = int.from_bytes(data[1:9], "little", signed=True)
    if len(data) == 9:
        return np.array((first,), dtype=np.int64).astype(np.uint64)
    deltas = np.frombuffer(data, dtype=dtype, offset=9).astype(np.int64)
    values = np.empty(len(deltas) + 1, dtype=np.int64)
    values[0] = first
    np.cumsum(deltas, out=values[1:])
    values[1:] += first
    return values.astype(np.uint64)
