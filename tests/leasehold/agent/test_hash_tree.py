from typing import Any

import pytest

from leasehold.agent import CertificateError
from leasehold.agent.hash_tree import MAX_DEPTH, children, lookup, root_hash
from tests.leasehold.fake_node import build_tree

STATE = {b"a": {b"x": b"hello", b"y": b"world"}, b"b": b"good", b"d": b"morning"}

# Interface specification, "Certification", the example of a hash tree and the pruned one beside it.
EXAMPLE: list[Any] = [
    1,
    [
        1,
        [2, b"a", [1, [1, [2, b"x", [3, b"hello"]], [0]], [2, b"y", [3, b"world"]]]],
        [2, b"b", [3, b"good"]],
    ],
    [1, [2, b"c", [0]], [2, b"d", [3, b"morning"]]],
]
EXAMPLE_ROOT = "eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0"


def test_the_root_hash_of_the_specification_s_example() -> None:
    assert root_hash(EXAMPLE).hex() == EXAMPLE_ROOT


def test_a_pruned_tree_has_the_same_root() -> None:
    pruned = [1, [1, [4, root_hash(EXAMPLE[1][1])], EXAMPLE[1][2]], [4, root_hash(EXAMPLE[2])]]
    assert root_hash(pruned).hex() == EXAMPLE_ROOT
    assert lookup(pruned, (b"b",)) == b"good"
    assert lookup(pruned, (b"d",)) is None


def test_values_are_found_by_path() -> None:
    tree = build_tree(STATE)
    assert lookup(tree, (b"a", b"y")) == b"world"
    assert lookup(tree, (b"a", b"z")) is None
    assert lookup(tree, (b"zz",)) is None
    assert [label for label, _ in children(tree)] == [b"a", b"b", b"d"]
    assert lookup(EXAMPLE, (b"c",)) is None


def test_a_subtree_is_no_value() -> None:
    with pytest.raises(CertificateError, match="no value at /a"):
        lookup(build_tree(STATE), (b"a",))


@pytest.mark.parametrize(
    "tree",
    [
        [],
        [9],
        [0, 1],
        [1, [0]],
        [2, "text", [0]],
        [2, b"x"],
        [3, 5],
        [4, b"short"],
        "tree",
        None,
        [1, [0], 7],
    ],
)
def test_what_is_no_tree_is_refused(tree: Any) -> None:
    with pytest.raises(CertificateError, match="no hash tree"):
        root_hash(tree)


def nested(depth: int) -> list[Any]:
    tree: list[Any] = [0]
    for _ in range(depth):
        tree = [1, tree, [0]]
    return tree


def test_the_depth_is_bounded() -> None:
    root_hash(nested(MAX_DEPTH))
    with pytest.raises(CertificateError, match="deeper than"):
        root_hash(nested(MAX_DEPTH + 1))
