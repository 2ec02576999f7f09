"""References counted in columns against references counted in a dict."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery.projections.references import References

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "drop", "orphans", "dump"]), st.lists(st.integers(1, 12), max_size=9), st.booleans()
    ),
    max_size=40,
)


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("crockery.projections.references.FEW", 3)
        patched.setattr("crockery.projections.references.NEW", 5)
        yield


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_columns_count_as_a_dict_does(steps: list[tuple[str, list[int], bool]]) -> None:
    references, counted = References(), Counter[int]()
    for verb, numbers, high in steps:
        packed = np.array(numbers, dtype=np.uint64) + np.uint64((1 << 40) * high)
        if verb == "add":
            references.add(packed)
            counted.update(packed.tolist())
        elif verb == "drop":
            references.drop(packed)
            for number in packed.tolist():
                counted[number] = max(counted[number] - 1, 0)
        elif verb == "orphans":
            expected = {n for n, times in Counter(packed.tolist()).items() if times > counted[n]}
            assert set(references.orphans(packed).tolist()) == expected
        else:
            dumped = references.dump()
            references = References()
            references.load(dumped)
            assert references.dump() == dumped
    numbers_, extra = references.dump()
    kept = dict(zip(np.frombuffer(numbers_, "<u8").tolist(), np.frombuffer(extra, "<u4").tolist(), strict=True))
    assert kept == {number: count for number, count in sorted(counted.items()) if count}
