"""Lookups in pruned trees, against the trees that made them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.crypto import hash_tree
from devnet.gateway.errors import VerificationFailed
from devnet.gateway.witness import UNKNOWN, Witness, decode_cbor

LABELS = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])
TREES = st.recursive(
    st.binary(max_size=3), lambda below: st.dictionaries(LABELS, below, max_size=4), max_leaves=12
)
PATHS = st.lists(st.lists(LABELS, min_size=1, max_size=3), max_size=3)


def built(tree: Any) -> hash_tree.Node:
    if isinstance(tree, bytes):
        return hash_tree.Leaf(tree)
    return hash_tree.forest({label: built(below) for label, below in tree.items()})


def looked_up(tree: Any, path: list[bytes]) -> Any:
    for label in path:
        tree = tree.get(label) if isinstance(tree, dict) else None
    return tree


@given(TREES, PATHS, st.lists(LABELS, min_size=1, max_size=3))
def test_a_witness_shows_what_it_was_asked_for_and_never_anything_false(
    tree: Any, asked: list[list[bytes]], other: list[bytes]
) -> None:
    node = built(tree)
    witness = Witness(hash_tree.witness(node, asked).encoded())
    assert witness.digest == node.digest
    for path in [*asked, other]:
        found, truth = witness.subtree(path), looked_up(tree, path)
        if found is UNKNOWN:
            assert path is other and path not in asked
        elif truth is None:
            assert found is None
        else:
            assert isinstance(found, Witness)
            assert found.digest == built(truth).digest


@pytest.mark.parametrize(
    "tree",
    [
        [],
        [5],
        [0, 1],
        [1, [0]],
        [1, b"a", b"b"],
        [2, b"a", b"b"],
        [2, "a", [0]],
        [3, "text"],
        [4, b"short"],
        {},
        None,
        [True],
    ],
)
def test_what_is_no_tree_is_refused(tree: Any) -> None:
    with pytest.raises(VerificationFailed):
        Witness(tree)


@pytest.mark.parametrize(
    "data", [b"", b"\x83\x01", b"\x80\x80", b"\x9f" * 300, b"\xd8\x1c\x81\xd8\x1d\x00", b"\xc1\x00"]
)
def test_what_is_no_single_cbor_value_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed, match="the tree"):
        decode_cbor(data, "the tree")
