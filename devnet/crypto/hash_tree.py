"""Hash trees: immutable labelled Merkle trees with witnesses.

Nodes are never changed, so trees of successive states share what did not change, and each node computes its
hash at most once. Source: IC interface specification, "Certificate" and "Lookup".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

Path = Sequence[bytes]

_EMPTY_DOMAIN: Final = b"\x11ic-hashtree-empty"
_FORK_DOMAIN: Final = b"\x10ic-hashtree-fork"
_LABELED_DOMAIN: Final = b"\x13ic-hashtree-labeled"
_LEAF_DOMAIN: Final = b"\x10ic-hashtree-leaf"


class Node:
    """A tree; `digest` is its hash, `encoded` its form in a certificate."""

    __slots__ = ("_digest",)

    def __init__(self) -> None:
        self._digest: bytes | None = None

    @property
    def digest(self) -> bytes:
        """32-byte hash, `reconstruct` of the specification."""
        if self._digest is None:
            self._digest = hashlib.sha256(self._preimage()).digest()
        return self._digest

    def encoded(self) -> list[Any]:
        """Nested lists for CBOR: `[0]`, `[1, l, r]`, `[2, label, t]`, `[3, value]` or `[4, hash]`."""
        raise NotImplementedError

    def _preimage(self) -> bytes:
        raise NotImplementedError


class Empty(Node):
    """A tree without anything in it."""

    __slots__ = ()

    def encoded(self) -> list[Any]:
        return [0]

    def _preimage(self) -> bytes:
        return _EMPTY_DOMAIN


class Fork(Node):
    """Two forests side by side; every label on the left is smaller than those on the right."""

    __slots__ = ("left", "right", "split")

    def __init__(self, left: Node, right: Node, split: bytes = b"") -> None:
        """Args:
        split: above every label on the left, and at most the smallest one on the right.
        """
        super().__init__()
        self.left = left
        self.right = right
        self.split = split

    def encoded(self) -> list[Any]:
        return [1, self.left.encoded(), self.right.encoded()]

    def _preimage(self) -> bytes:
        return _FORK_DOMAIN + self.left.digest + self.right.digest


class Labeled(Node):
    """A subtree under a label."""

    __slots__ = ("label", "subtree")

    def __init__(self, label: bytes, subtree: Node) -> None:
        super().__init__()
        self.label = label
        self.subtree = subtree

    def encoded(self) -> list[Any]:
        return [2, self.label, self.subtree.encoded()]

    def _preimage(self) -> bytes:
        return _LABELED_DOMAIN + self.label + self.subtree.digest


class Leaf(Node):
    """A value."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        super().__init__()
        self.value = value

    def encoded(self) -> list[Any]:
        return [3, self.value]

    def _preimage(self) -> bytes:
        return _LEAF_DOMAIN + self.value


class Pruned(Node):
    """A subtree of which only the hash is shown."""

    __slots__ = ()

    def __init__(self, digest: bytes) -> None:
        super().__init__()
        self._digest = digest

    def encoded(self) -> list[Any]:
        return [4, self.digest]


def forest(children: Mapping[bytes, Node]) -> Node:
    """Balanced tree with these labelled children."""
    return _balanced([Labeled(label, children[label]) for label in sorted(children)])


def _balanced(nodes: Sequence[Labeled]) -> Node:
    if not nodes:
        return Empty()
    if len(nodes) == 1:
        return nodes[0]
    middle = len(nodes) // 2
    return Fork(_balanced(nodes[:middle]), _balanced(nodes[middle:]), nodes[middle].label)


def lookup(node: Node, path: Path) -> Node | None:
    """Subtree at `path` of a tree without pruned parts; None when there is none."""
    for label in path:
        found = _find(node, label)
        if found is None or found.label != label:
            return None
        node = found.subtree
    return node


def witness(node: Node, paths: Sequence[Path]) -> Node:
    """The tree pruned to what `paths` ask for.

    Everything below a requested path is shown. An absent path is proved absent by the labels next to it.
    """
    if isinstance(node, Empty | Leaf | Pruned) or not all(paths):
        return node
    wanted: dict[bytes, list[Path]] = {}
    for path in paths:
        wanted.setdefault(path[0], []).append(path[1:])
    shown: dict[bytes, list[Path]] = {}
    for label, rests in wanted.items():
        for neighbour in _neighbours(node, label):
            shown.setdefault(neighbour.label, []).extend(rests if neighbour.label == label else [])
    return _prune(node, sorted(shown), shown)


def _prune(node: Node, labels: Sequence[bytes], shown: Mapping[bytes, Sequence[Path]]) -> Node:
    """Show the labelled nodes named in `labels` (sorted) with their own paths; prune all else."""
    if not labels:
        return Pruned(node.digest)
    if isinstance(node, Fork):
        cut = sum(label < node.split for label in labels)
        return Fork(
            _prune(node.left, labels[:cut], shown), _prune(node.right, labels[cut:], shown), node.split
        )
    assert isinstance(node, Labeled)
    paths = shown[node.label]
    return Labeled(node.label, witness(node.subtree, paths) if paths else Pruned(node.subtree.digest))


def _find(node: Node, label: bytes) -> Labeled | None:
    """The labelled node where a search for `label` ends; it may carry another label."""
    while isinstance(node, Fork):
        node = node.left if label < node.split else node.right
    return node if isinstance(node, Labeled) else None


def _neighbours(node: Node, label: bytes) -> list[Labeled]:
    """The node with this label, or else the ones just before and after it."""
    before: Node | None = None
    after: Node | None = None
    while isinstance(node, Fork):
        if label < node.split:
            after, node = node.right, node.left
        else:
            before, node = node.left, node.right
    if not isinstance(node, Labeled):
        return []
    if node.label < label:
        return [node, *_edge(after, leftmost=True)]
    if node.label > label:
        return [*_edge(before, leftmost=False), node]
    return [node]


def _edge(node: Node | None, *, leftmost: bool) -> list[Labeled]:
    while isinstance(node, Fork):
        node = node.left if leftmost else node.right
    return [node] if isinstance(node, Labeled) else []
