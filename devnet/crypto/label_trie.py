"""A persistent hash tree for many labels of equal length, such as request ids.

It is a binary radix tree over the bits of the label: inserting or removing one label makes O(log n) new nodes
and shares the rest, while a balanced forest would have to be rebuilt and hashed again.
"""

from __future__ import annotations

from devnet.crypto.hash_tree import Empty, Fork, Labeled, Node


def insert(tree: Node, label: bytes, subtree: Node) -> Node:
    """The tree with `subtree` at `label`, replacing what was there; all labels have one length."""
    added = Labeled(label, subtree)
    if isinstance(tree, Empty):
        return added
    near = tree
    while isinstance(near, Fork):
        near = near.left if label < near.split else near.right
    assert isinstance(near, Labeled)
    return _insert(tree, added, _first_difference(near.label, label))


def remove(tree: Node, label: bytes) -> Node:
    """The tree without `label`; the same tree when it has no such label."""
    if isinstance(tree, Labeled):
        return Empty() if tree.label == label else tree
    if not isinstance(tree, Fork):
        return tree
    if label < tree.split:
        left = remove(tree.left, label)
        if left is tree.left:
            return tree
        return tree.right if isinstance(left, Empty) else Fork(left, tree.right, tree.split)
    right = remove(tree.right, label)
    if right is tree.right:
        return tree
    return tree.left if isinstance(right, Empty) else Fork(tree.left, right, tree.split)


def _insert(tree: Node, added: Labeled, bit: int) -> Node:
    """Descend while the forks split at bits before `bit`, the first in which the new label differs."""
    if isinstance(tree, Fork) and _split_bit(tree) < bit:
        if added.label < tree.split:
            return Fork(_insert(tree.left, added, bit), tree.right, tree.split)
        return Fork(tree.left, _insert(tree.right, added, bit), tree.split)
    if isinstance(tree, Labeled) and tree.label == added.label:
        return added
    boundary = _boundary(added.label, bit)
    if added.label < boundary:
        return Fork(added, tree, boundary)
    return Fork(tree, added, boundary)


def _first_difference(a: bytes, b: bytes) -> int:
    """Index of the first bit in which two labels differ; their length in bits when they are equal."""
    size = 8 * len(a)
    return size - (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_length()


def _boundary(label: bytes, bit: int) -> bytes:
    """Smallest label that shares the first `bit` bits and has the next one set."""
    rest = 8 * len(label) - bit - 1
    prefix = int.from_bytes(label, "big") >> rest | 1
    return (prefix << rest).to_bytes(len(label), "big")


def _split_bit(fork: Fork) -> int:
    """The bit that a fork made here decides on: the lowest set one of its boundary."""
    value = int.from_bytes(fork.split, "big")
    return 8 * len(fork.split) - (value & -value).bit_length()
