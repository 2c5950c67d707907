"""Hash trees over nested dicts, and their witnesses.

A tree is a dict of labels, or bytes for a leaf. Source: IC interface specification, "Certificate".
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Union

from canisters.frontend.core.cbor import array, byte_string

Tree = Union[dict[bytes, "Tree"], bytes]
Path = Sequence[bytes]

_EMPTY = b"\x11ic-hashtree-empty"
_FORK = b"\x10ic-hashtree-fork"
_LABELED = b"\x13ic-hashtree-labeled"
_LEAF = b"\x10ic-hashtree-leaf"


def digest(tree: Tree) -> bytes:
    """32-byte root hash."""
    if isinstance(tree, bytes):
        return sha256(_LEAF + tree).digest()
    return _digest_forest(tree, sorted(tree))


def _digest_forest(children: dict[bytes, Tree], labels: Sequence[bytes]) -> bytes:
    if not labels:
        return sha256(_EMPTY).digest()
    if len(labels) == 1:
        return sha256(_LABELED + labels[0] + digest(children[labels[0]])).digest()
    middle = len(labels) // 2
    left = _digest_forest(children, labels[:middle])
    return sha256(_FORK + left + _digest_forest(children, labels[middle:])).digest()


def witness(tree: Tree, paths: Sequence[Path]) -> bytes:
    """CBOR of the tree, pruned to what `paths` ask for: what lies at each, or that nothing does."""
    if isinstance(tree, bytes):
        return array(b"\x03", byte_string(tree))
    if not all(paths):
        return _whole(tree)
    labels = sorted(tree)
    shown: dict[bytes, list[Path]] = {}
    for path in paths:
        for label in _neighbours(labels, path[0]):
            rest = shown.setdefault(label, [])
            if label == path[0]:
                rest.append(path[1:])
    return _witness_forest(tree, labels, shown)


def _witness_forest(
    children: dict[bytes, Tree], labels: Sequence[bytes], shown: dict[bytes, list[Path]]
) -> bytes:
    if not any(label in shown for label in labels):
        return array(b"\x00") if not labels else _pruned(_digest_forest(children, labels))
    if len(labels) == 1:
        label, paths = labels[0], shown[labels[0]]
        subtree = witness(children[label], paths) if paths else _pruned(digest(children[label]))
        return array(b"\x02", byte_string(label), subtree)
    middle = len(labels) // 2
    left = _witness_forest(children, labels[:middle], shown)
    return array(b"\x01", left, _witness_forest(children, labels[middle:], shown))


def _whole(tree: dict[bytes, Tree]) -> bytes:
    return _witness_forest(tree, sorted(tree), {label: [()] for label in tree})


def _neighbours(labels: Sequence[bytes], label: bytes) -> Sequence[bytes]:
    """The label itself, or else those just before and after it, which prove that it is absent."""
    if label in labels:
        return [label]
    at = sum(1 for other in labels if other < label)
    return [*labels[max(0, at - 1) : at + 1]]


def _pruned(hash_of_tree: bytes) -> bytes:
    return array(b"\x04", byte_string(hash_of_tree))
