"""Hash trees as they come in certificates: with pruned parts, so a lookup has three outcomes.

Source: IC interface specification, "Certificate", "Lookup" and "Encoding of certificates".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from devnet.gateway.errors import VerificationFailed
from devnet.http.cbor import decode_value
from devnet.http.errors import MalformedRequest

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 200

_EMPTY, _FORK, _LABELED, _LEAF, _PRUNED = range(5)
_SIZES: Final = (1, 3, 3, 2, 2)
_DOMAINS: Final = (b"\x11ic-hashtree-empty", b"\x10ic-hashtree-fork", b"\x13ic-hashtree-labeled",
                   b"\x10ic-hashtree-leaf")  # fmt: skip

Tree = list[Any]


class Unknown:
    """The outcome of a lookup that runs into a pruned part."""


UNKNOWN: Final = Unknown()


def decode_cbor(data: bytes, what: str) -> Any:
    """One CBOR value, with or without the self-describing tag.

    Raises:
        VerificationFailed: it is none, or too large.
    """
    if len(data) > MAX_BYTES:
        raise VerificationFailed(f"{what} has {len(data)} bytes, more than {MAX_BYTES}")
    try:
        return decode_value(data, MAX_DEPTH)
    except MalformedRequest as error:
        raise VerificationFailed(f"{what}: {error}") from error


class Witness:
    """A tree that may be pruned."""

    def __init__(self, tree: Any) -> None:
        """Raises:
        VerificationFailed: it is no hash tree.
        """
        self.digest: bytes = _digest(tree)
        self._tree: Tree = tree

    def subtree(self, path: Sequence[bytes]) -> Witness | Unknown | None:
        """What lies at a path: a tree, None if it is proved absent, or `UNKNOWN`."""
        tree = self._tree
        for label in path:
            found = _find(tree, label)
            if not isinstance(found, list):
                return found
            tree = found
        return UNKNOWN if tree[0] == _PRUNED else Witness(tree)

    def value(self, path: Sequence[bytes]) -> bytes | None:
        """The leaf at a path; None if there is none or it is not shown."""
        found = self.subtree(path)
        return found.leaf if isinstance(found, Witness) else None

    @property
    def leaf(self) -> bytes | None:
        """The value, if this tree is a leaf."""
        return self._tree[1] if self._tree[0] == _LEAF else None


def _digest(tree: Any) -> bytes:
    if type(tree) is not list or not tree or type(tree[0]) is not int or not 0 <= tree[0] <= _PRUNED:
        raise VerificationFailed("a hash tree's node must be an array that begins with 0 to 4")
    kind = tree[0]
    if len(tree) != _SIZES[kind]:
        raise VerificationFailed(f"a hash tree's node of kind {kind} must have {_SIZES[kind]} items")
    if kind in (_LABELED, _LEAF, _PRUNED) and type(tree[1]) is not bytes:
        raise VerificationFailed("labels, values and hashes in a hash tree must be byte strings")
    if kind == _PRUNED:
        if len(tree[1]) != 32:
            raise VerificationFailed(f"a pruned node must have a hash of 32 bytes, got {len(tree[1])}")
        return bytes(tree[1])
    first = tree[1] if kind in (_LABELED, _LEAF) else _digest(tree[1]) if kind == _FORK else b""
    second = _digest(tree[2]) if kind in (_FORK, _LABELED) else b""
    return hashlib.sha256(_DOMAINS[kind] + first + second).digest()


def _find(tree: Tree, label: bytes) -> Tree | Unknown | None:
    """The subtree under a label of this forest."""
    nodes = _flatten(tree)
    for node in nodes:
        if node[0] == _LABELED and node[1] == label:
            return list(node[2])
    return None if _proves_absence(nodes, label) else UNKNOWN


def _proves_absence(nodes: Sequence[Tree], label: bytes) -> bool:
    """Whether the label would lie between two labels that stand side by side, or beyond a shown edge."""
    if not nodes or nodes[0][0] == _LEAF:
        return True
    labels = [node[1] if node[0] == _LABELED else None for node in nodes]
    for index in range(len(labels) + 1):
        low = labels[index - 1] if index else b""
        high = labels[index] if index < len(labels) else None
        is_above = index == 0 or (low is not None and low < label)
        is_below = index == len(labels) or (high is not None and label < high)
        if is_above and is_below:
            return True
    return False


def _flatten(tree: Tree) -> list[Tree]:
    if tree[0] == _EMPTY:
        return []
    return _flatten(tree[1]) + _flatten(tree[2]) if tree[0] == _FORK else [tree]
