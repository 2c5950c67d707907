"""The hash tree inside a certificate: its root hash, and what it says about a path.

A tree is decoded CBOR: `[0]`, `[1, left, right]`, `[2, label, tree]`, `[3, leaf]` or `[4, pruned hash]`.
Source: IC interface specification, "Certification", "Encoding of certificates" and "Lookup".
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from leasehold.agent.errors import CertificateError

EMPTY, FORK, LABELED, LEAF, PRUNED = range(5)
MAX_DEPTH = 128

Tree = Sequence[Any]


def root_hash(tree: Tree, depth: int = 0) -> bytes:
    """The tree's 32-byte root hash.

    Raises:
        CertificateError: no hash tree, or deeper than `MAX_DEPTH`.
    """
    match _checked(tree, depth):
        case [0]:
            return _digest("ic-hashtree-empty")
        case [1, left, right]:
            return _digest("ic-hashtree-fork", root_hash(left, depth + 1), root_hash(right, depth + 1))
        case [2, bytes() as label, below]:
            return _digest("ic-hashtree-labeled", label, root_hash(below, depth + 1))
        case [3, bytes() as value]:
            return _digest("ic-hashtree-leaf", value)
        case [4, bytes() as pruned] if len(pruned) == 32:
            return pruned
    raise CertificateError("the certificate contains something that is no hash tree")


def lookup(tree: Tree, path: Sequence[bytes]) -> bytes | None:
    """The value at the path; `None` when the tree does not contain it (absent and pruned alike).

    Raises:
        CertificateError: there is a subtree, not a value, at the path.
    """
    below = subtree(tree, path)
    if below is None or below[0] == EMPTY:
        return None
    if below[0] != LEAF:
        raise CertificateError(f"the certificate has no value at {_shown(path)}")
    value: bytes = below[1]
    return value


def subtree(tree: Tree, path: Sequence[bytes]) -> Tree | None:
    """The tree below the path, or `None` when it is not contained."""
    for label in path:
        found = next((below for name, below in children(tree) if name == label), None)
        if found is None:
            return None
        tree = found
    return tree


def children(tree: Tree, depth: int = 0) -> Iterator[tuple[bytes, Tree]]:
    """The labelled trees directly below, in order."""
    _checked(tree, depth)
    if tree[0] == FORK:
        yield from children(tree[1], depth + 1)
        yield from children(tree[2], depth + 1)
    elif tree[0] == LABELED:
        yield tree[1], tree[2]


def _checked(tree: Any, depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise CertificateError(f"the certificate's tree is deeper than {MAX_DEPTH}")
    if not isinstance(tree, list | tuple) or not tree:
        raise CertificateError("the certificate contains something that is no hash tree")
    return tree


def _digest(domain: str, *parts: bytes) -> bytes:
    return hashlib.sha256(bytes([len(domain)]) + domain.encode() + b"".join(parts)).digest()


def _shown(path: Sequence[bytes]) -> str:
    return "/" + "/".join(part.decode() if part.isascii() else part.hex() for part in path)
