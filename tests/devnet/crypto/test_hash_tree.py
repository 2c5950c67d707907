"""Hash trees against the specification's example and against a plain dictionary."""

from typing import Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from devnet.crypto.hash_tree import Empty, Fork, Labeled, Leaf, Node, forest, lookup, witness
from tests.devnet.agent import find, reconstruct

# IC interface specification, "Certification", section "Example".
EXAMPLE = Fork(
    Fork(
        Labeled(
            b"a",
            Fork(Fork(Labeled(b"x", Leaf(b"hello")), Empty(), b"y"), Labeled(b"y", Leaf(b"world")), b"y"),
        ),
        Labeled(b"b", Leaf(b"good")),
        b"b",
    ),
    Fork(Labeled(b"c", Empty()), Labeled(b"d", Leaf(b"morning")), b"d"),
    b"c",
)
EXAMPLE_CBOR = (
    "8301830183024161830183018302417882034568656c6c6f810083024179820345776f726c6483024162820344676f6f64830183"
    "0241638100830241648203476d6f726e696e67"
)
EXAMPLE_ROOT = "eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0"
PRUNED_CBOR = (
    "83018301830241618301820458201b4feff9bef8131788b0c9dc6dbad6e81e524249c879e9f10f71ce3749f5a638830241798203"
    "45776f726c6483024162820458207b32ac0c6ba8ce35ac82c255fc7906f7fc130dab2a090f80fe12f9c2cae83ba6830182045820"
    "ec8324b8a1f1ac16bd2e806edba78006479c9877fed4eb464a25485465af601d830241648203476d6f726e696e67"
)


def test_the_example_of_the_specification_has_its_encoding_and_root_hash() -> None:
    assert cbor2.dumps(EXAMPLE.encoded()).hex() == EXAMPLE_CBOR
    assert EXAMPLE.digest.hex() == EXAMPLE_ROOT


def test_the_example_is_pruned_as_the_specification_shows() -> None:
    pruned = witness(EXAMPLE, [(b"a", b"y"), (b"ax",), (b"d",)])
    assert cbor2.dumps(pruned.encoded()).hex() == PRUNED_CBOR
    assert pruned.digest == EXAMPLE.digest
    tree = pruned.encoded()
    assert [find(tree, path) for path in ([b"a", b"a"], [b"a", b"y"], [b"aa"], [b"ax"])] == [
        "unknown",
        b"world",
        "absent",
        "absent",
    ]
    assert [find(tree, [label]) for label in (b"b", b"bb", b"d", b"e")] == [
        "unknown",
        "unknown",
        b"morning",
        "absent",
    ]


labels = st.binary(max_size=3)
values = st.recursive(
    st.binary(max_size=4), lambda inner: st.dictionaries(labels, inner, max_size=6), max_leaves=25
)
trees = st.dictionaries(labels, values, min_size=1, max_size=8)
paths = st.lists(st.lists(labels, min_size=1, max_size=3).map(tuple), min_size=1, max_size=5)


def build(value: Any) -> Node:
    if isinstance(value, bytes):
        return Leaf(value)
    return forest({label: build(item) for label, item in value.items()})


def expected(value: Any, path: tuple[bytes, ...]) -> bytes | str:
    if not path:
        return value if isinstance(value, bytes) else ("error" if value else "absent")
    if isinstance(value, bytes) or path[0] not in value:
        return "absent"
    return expected(value[path[0]], path[1:])


def every_path(value: Any) -> list[tuple[bytes, ...]]:
    if isinstance(value, bytes):
        return [()]
    return [(label, *rest) for label, item in value.items() for rest in every_path(item)]


@given(trees, paths)
def test_a_witness_shows_requested_paths_or_proves_them_absent(
    value: dict[bytes, Any], paths: list[tuple[bytes, ...]]
) -> None:
    tree = build(value)
    pruned = witness(tree, paths)
    assert reconstruct(pruned.encoded()) == tree.digest == reconstruct(tree.encoded())
    for path in paths:
        assert find(pruned.encoded(), path) == expected(value, path)


@given(trees, paths)
def test_a_witness_shows_no_value_that_was_not_asked_for(
    value: dict[bytes, Any], paths: list[tuple[bytes, ...]]
) -> None:
    encoded = witness(build(value), paths).encoded()
    for path in every_path(value):
        if not any(path[: len(asked)] == asked or asked[: len(path)] == path for asked in paths):
            assert not isinstance(find(encoded, path), bytes)


@given(trees)
def test_a_requested_prefix_shows_everything_below(value: dict[bytes, Any]) -> None:
    label = min(value)
    encoded = witness(build(value), [(label,)]).encoded()
    for path in every_path(value):
        if path[0] == label:
            assert find(encoded, path) == expected(value, path)


@given(trees, paths)
def test_lookup_finds_what_is_there(value: dict[bytes, Any], paths: list[tuple[bytes, ...]]) -> None:
    tree = build(value)
    for path in [*paths, *every_path(value)]:
        node = lookup(tree, path)
        wanted = expected(value, path)
        assert (node.value if isinstance(node, Leaf) else None) == (
            wanted if isinstance(wanted, bytes) else None
        )
