"""Messages as threads (RFC 5256 §3): ORDEREDSUBJECT, REFERENCES, and REFS as Dovecot has it. Pure, near linear.

A message is known by its index in the columns given. `Forest` holds nodes: below `count` these are messages, above it
dummies, which stand at the top only and have two children at least. Siblings are in order of sent date, then of index.
Never recursive: a thread may be as deep as there are messages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

NOBODY = 0
"""The id of a message without one."""


@dataclass(frozen=True, slots=True)
class Threadable:
    """What threads are made of, a column each. `ids` are numbers that stand for message ids, NOBODY for none."""

    sent: Sequence[int]
    """Sort keys: Unix seconds."""
    subjects: Sequence[int]
    """Numbers that stand for base subjects; 0 is the empty one."""
    is_reply: Sequence[bool]
    ids: Sequence[int]
    references: Sequence[int]
    """The ids that messages refer to, each one's the oldest first, all joined."""
    ends: Sequence[int]
    """Of each message, where its own end in `references`."""


@dataclass(slots=True)
class Forest:
    """Threads: their roots in order, and the children of each node that has some."""

    count: int
    roots: list[int] = field(default_factory=list)
    children: dict[int, list[int]] = field(default_factory=dict)


def by_subject(messages: Threadable) -> Forest:
    """ORDEREDSUBJECT: the first of a base subject, all others below it; threads in order of their first messages."""
    forest = Forest(len(messages.sent))
    first: dict[int, int] = {}
    for index in _in_order(messages.sent):
        root = first.setdefault(messages.subjects[index], index)
        if root == index:
            forest.roots.append(index)
        else:
            forest.children.setdefault(root, []).append(index)
    return forest


def by_references(messages: Threadable) -> Forest:
    """REFERENCES: steps 1 to 6 of RFC 5256."""
    order = _in_order(messages.sent)
    forest = _prune(messages, order, _Links(messages))
    return _merge_subjects(messages, order, forest)


def by_references_alone(messages: Threadable) -> Forest:
    """REFS: as REFERENCES without a look at subjects; the thread with the newest message comes last."""
    order = _in_order(messages.sent)
    forest = _prune(messages, order, _Links(messages))
    top = _tops(forest)
    newest: dict[int, int] = {}
    for rank, index in enumerate(order):
        newest[top[index]] = rank
    forest.roots.sort(key=newest.__getitem__)
    return forest


def _in_order(sent: Sequence[int]) -> list[int]:
    order: list[int] = np.argsort(np.asarray(sent, dtype=np.int64), kind="stable").tolist()
    return order


class _Links:
    """Step 1: who is whose child, between messages and ids that are only referred to.

    What a message says of its own parent counts before what others say (step 1.B), so it goes first; nothing then has
    to be taken back, and a set forest tells loops.
    """

    def __init__(self, messages: Threadable) -> None:
        count = len(messages.ids)
        self.parents: list[int] = [-1] * count
        self._above: list[int] = list(range(count))
        self._nodes: dict[int, int] = {}
        for index, number in enumerate(messages.ids):
            if number != NOBODY:
                self._nodes.setdefault(number, index)  # of several with one id, the first has it
        references, ends = messages.references, messages.ends
        for index, (start, end) in enumerate(pairwise((0, *ends))):
            if end > start:
                self._link(self._node(references[end - 1]), index)
        for start, end in pairwise((0, *ends)):
            for at in range(start + 1, end):
                self._link(self._node(references[at - 1]), self._node(references[at]))

    def _node(self, number: int) -> int:
        node = self._nodes.get(number)
        if node is None:
            node = self._nodes[number] = len(self.parents)
            self.parents.append(-1)
            self._above.append(node)
        return node

    def _link(self, parent: int, child: int) -> None:
        if self.parents[child] < 0 and self._root(parent) != child:
            self.parents[child] = parent
            self._above[child] = parent

    def _root(self, node: int) -> int:
        above = self._above
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node


def _prune(messages: Threadable, order: Sequence[int], links: _Links) -> Forest:
    """Steps 2 to 4: dummies go, but for those at the top with several children."""
    count = len(messages.sent)
    forest = Forest(count)
    for index in order:
        parent = _real_parent(links.parents, index, count)
        if parent < 0:
            forest.roots.append(index)
            continue
        siblings = forest.children.setdefault(parent, [])
        if parent >= count and not siblings:
            forest.roots.append(parent)
        siblings.append(index)
    for place, root in enumerate(forest.roots):
        if root >= count and len(forest.children[root]) == 1:
            (forest.roots[place],) = forest.children.pop(root)
    return forest


def _real_parent(parents: list[int], index: int, count: int) -> int:
    """The nearest message above, else the highest dummy, else -1. Shortens the way for those who come later."""
    nearest = parents[index]
    if nearest < count:
        return nearest
    way = []
    while nearest >= count and parents[nearest] >= 0:
        way.append(nearest)
        nearest = parents[nearest]
    for dummy in way:
        parents[dummy] = nearest
    return nearest


def _tops(forest: Forest) -> dict[int, int]:
    top: dict[int, int] = {}
    for root in forest.roots:
        below = [root]
        while below:
            node = below.pop()
            top[node] = root
            below.extend(forest.children.get(node, ()))
    return top


def _merge_subjects(messages: Threadable, order: Sequence[int], forest: Forest) -> Forest:
    """Steps 5 and 6: threads of one subject become one."""
    count, children = forest.count, forest.children

    def lead(node: int) -> int:
        return node if node < count else children[node][0]

    def is_reply(node: int) -> bool:
        return messages.is_reply[lead(node)]

    table: dict[int, int] = {}
    for root in forest.roots:
        subject = messages.subjects[lead(root)]
        known = table.get(subject)
        if known is None or (known < count and (root >= count or (is_reply(known) and not is_reply(root)))):
            table[subject] = root
    table.pop(0, None)
    gone: set[int] = set()
    changed: set[int] = set()
    added: list[int] = []
    free = max(max(children, default=0) + 1, count)
    for root in forest.roots:
        subject = messages.subjects[lead(root)]
        known = table.get(subject, root)
        if known == root:
            continue
        gone.add(root)
        if root >= count:
            children[known].extend(children.pop(root))  # both are dummies: the table prefers them
        elif known >= count or (is_reply(root) and not is_reply(known)):
            children.setdefault(known, []).append(root)
        else:
            gone.add(known)
            children[free] = [known, root]
            added.append(free)
            table[subject], known, free = free, free, free + 1
        changed.add(known)
    if not gone:
        return forest
    rank = [0] * count
    for place, index in enumerate(order):
        rank[index] = place
    for node in changed:
        children[node].sort(key=rank.__getitem__)
    forest.roots = [root for root in [*forest.roots, *added] if root not in gone]
    forest.roots.sort(key=lambda root: rank[lead(root)])
    return forest
