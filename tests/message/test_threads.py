"""Threads: the steps of RFC 5256, one by one; every message is in one thread once, whatever its headers say."""

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.wire.responses import render_threads
from crockery.message.threads import Forest, Threadable, by_references, by_references_alone, by_subject

Mail = tuple[str, str, str, int]
"""Id, references, subject ("Re: " marks a reply), sent."""


def threadable(mails: Sequence[Mail]) -> Threadable:
    numbers: dict[str, int] = {"": 0}

    def number(text: str) -> int:
        return numbers.setdefault(text, len(numbers))

    return Threadable(
        [mail[3] for mail in mails],
        [number(mail[2].removeprefix("Re: ").lower()) for mail in mails],
        [mail[2].startswith("Re: ") for mail in mails],
        [number(mail[0]) for mail in mails],
        [number(name) for mail in mails for name in mail[1].split()],
        list(accumulate(len(mail[1].split()) for mail in mails)),
    )


def shown(forest: Forest) -> str:
    line = render_threads(forest.roots, forest.children, range(1, forest.count + 1)).decode()
    return line.removeprefix("* THREAD ").rstrip()


REFERENCES = {
    "a chain": ([("a", "", "x", 1), ("b", "a", "Re: x", 2), ("c", "a b", "Re: x", 3)], "(1 2 3)"),
    "the child came first": ([("b", "a", "Re: x", 1), ("a", "", "x", 2)], "(2 1)"),
    "two children": ([("a", "", "x", 1), ("b", "a", "Re: x", 3), ("c", "a", "Re: x", 2)], "(1 (3)(2))"),
    "a dummy between goes": ([("a", "", "x", 1), ("c", "a b", "y", 3)], "(1 2)"),
    "a dummy at the top with one child goes": ([("b", "a", "x", 1)], "(1)"),
    "a dummy at the top with two stays": ([("b", "a", "x", 1), ("c", "a", "y", 2)], "((1)(2))"),
    "of nested dummies the highest stays": (
        [("c", "a b", "x", 1), ("d", "a b", "y", 2), ("e", "a", "z", 3)], "((1)(2)(3))",
    ),
    "one id twice is two messages": ([("a", "", "x", 1), ("a", "", "y", 2), ("b", "a", "z", 3)], "(1 3)(2)"),
    "no ids at all": ([("", "", "x", 1), ("", "", "y", 2)], "(1)(2)"),
    "its own ancestor": ([("a", "a", "x", 1)], "(1)"),
    "a loop of two": ([("a", "b", "x", 1), ("b", "a", "y", 2)], "(2 1)"),
    "a loop of three": ([("a", "b", "x", 1), ("b", "c", "y", 2), ("c", "a", "z", 3)], "(3 2 1)"),
    "its own word counts before that of others": (
        [("c", "x b a", "p", 1), ("b", "a", "q", 2), ("a", "", "r", 3)], "(3 (1)(2))",
    ),
    "what others say of one that says nothing": (
        [("b", "", "q", 2), ("c", "a b", "p", 3), ("a", "", "r", 1)], "(3 1 2)",
    ),
    "an empty subject joins nothing": ([("a", "", "", 1), ("b", "", "", 2)], "(1)(2)"),
    "a reply joins its subject": ([("a", "", "x", 1), ("b", "", "Re: x", 2)], "(1 2)"),
    "a reply joins the original though it is older": ([("a", "", "Re: x", 1), ("b", "", "x", 2)], "(2 1)"),
    "two originals become siblings": ([("a", "", "x", 1), ("b", "", "x", 2)], "((1)(2))"),
    "two replies become siblings": ([("a", "", "Re: x", 2), ("b", "", "Re: x", 1)], "((2)(1))"),
    "three originals": ([("a", "", "x", 1), ("b", "", "x", 2), ("c", "", "x", 3)], "((1)(2)(3))"),
    "a thread joins below a dummy": (
        [("b", "a", "x", 2), ("c", "a", "x", 3), ("d", "", "x", 1), ("e", "d", "y", 4)], "((3 4)(1)(2))",
    ),
    "two dummies become one": (
        [("b", "a", "x", 2), ("c", "a", "x", 3), ("d", "z", "x", 1), ("e", "z", "x", 4)], "((3)(1)(2)(4))",
    ),
    "threads by date of their first": ([("a", "", "x", 5), ("b", "a", "q", 1), ("c", "", "y", 3)], "(3)(1 2)"),
    "same date: by number": ([("a", "", "x", 1), ("b", "", "y", 1), ("c", "", "z", 0)], "(3)(1)(2)"),
}  # fmt: skip


@pytest.mark.parametrize(("mails", "threads"), REFERENCES.values(), ids=list(REFERENCES))
def test_references(mails: list[Mail], threads: str) -> None:
    assert shown(by_references(threadable(mails))) == threads


def test_refs_leaves_subjects_and_puts_the_newest_last() -> None:
    mails = [("a", "", "x", 1), ("b", "", "x", 2), ("c", "a", "Re: x", 3), ("d", "z", "q", 4), ("e", "z", "q", 0)]
    assert shown(by_references_alone(threadable(mails))) == "(2)(1 3)((5)(4))"


def test_by_subject() -> None:
    mails = [("a", "", "x", 3), ("b", "", "y", 2), ("c", "", "Re: x", 1), ("d", "", "X", 4), ("e", "", "", 5)]
    assert shown(by_subject(threadable(mails))) == "(3 (1)(4))(2)(5)"


ids = st.sampled_from(["", "a", "b", "c", "d", "e", "f"])
mails = st.tuples(
    ids,
    st.lists(ids.filter(bool), max_size=4).map(" ".join),
    st.sampled_from(["", "x", "Re: x", "y"]),
    st.integers(0, 5),
)


@given(st.lists(mails, max_size=12))
def test_every_message_is_in_one_place(mails: list[Mail]) -> None:
    messages = threadable(mails)
    for algorithm in (by_subject, by_references, by_references_alone):
        forest = algorithm(messages)
        seen = [node for node in _nodes(forest) if node < forest.count]
        assert sorted(seen) == list(range(len(mails)))
        assert all(len(forest.children[root]) > 1 for root in forest.roots if root >= forest.count)
        text = shown(forest)
        assert text.count("(") == text.count(")")
        for siblings in forest.children.values():
            dates = [(messages.sent[node], node) for node in siblings]
            assert dates == sorted(dates)


def _nodes(forest: Forest) -> list[int]:
    found, waiting = [], list(forest.roots)
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(forest.children.get(node, ()))
    return found


@pytest.mark.parametrize("backwards", [False, True])
def test_depth_costs_nothing(backwards: bool) -> None:
    count = 20_000
    chain = [(f"m{n}", f"m{n - 1}" if n else "", "x", 0) for n in range(count)]
    chain = chain[::-1] if backwards else chain
    forest = by_references(threadable(chain))
    assert len(forest.roots) == 1
    assert shown(forest).count("(") == 1
