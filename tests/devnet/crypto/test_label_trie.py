"""The persistent trie against a dictionary."""

from hypothesis import given
from hypothesis import strategies as st

from devnet.crypto.hash_tree import Empty, Fork, Labeled, Leaf, Node, lookup, witness
from devnet.crypto.label_trie import insert, remove
from tests.devnet.agent import find, reconstruct

# Two bytes with few distinct values, so that labels share prefixes and repeat.
labels = st.lists(st.sampled_from([0, 1, 2, 3, 127, 128, 255]), min_size=2, max_size=2).map(bytes)
steps = st.lists(st.tuples(st.booleans(), labels, st.binary(max_size=2)), max_size=40)


def apply(steps: list[tuple[bool, bytes, bytes]]) -> tuple[Node, dict[bytes, bytes]]:
    tree: Node = Empty()
    model: dict[bytes, bytes] = {}
    for removing, label, value in steps:
        if removing:
            tree = remove(tree, label)
            model.pop(label, None)
        else:
            tree = insert(tree, label, Leaf(value))
            model[label] = value
    return tree, model


def in_order(tree: Node) -> list[bytes]:
    if isinstance(tree, Fork):
        return in_order(tree.left) + in_order(tree.right)
    return [tree.label] if isinstance(tree, Labeled) else []


@given(steps, labels)
def test_it_holds_what_a_dictionary_holds_in_order(
    steps: list[tuple[bool, bytes, bytes]], label: bytes
) -> None:
    tree, model = apply(steps)
    assert in_order(tree) == sorted(model)
    node = lookup(tree, (label,))
    assert (node.value if isinstance(node, Leaf) else None) == model.get(label)
    encoded = witness(tree, [(label,)]).encoded()
    assert find(encoded, [label]) == model.get(label, "absent")
    assert reconstruct(encoded) == tree.digest


@given(steps)
def test_its_hash_depends_only_on_what_it_holds(steps: list[tuple[bool, bytes, bytes]]) -> None:
    tree, model = apply(steps)
    again, _ = apply([(False, label, value) for label, value in sorted(model.items())])
    assert tree.digest == again.digest


def test_an_insertion_shares_all_but_one_path() -> None:
    tree: Node = Empty()
    for number in range(1000):
        tree = insert(tree, number.to_bytes(2, "big"), Leaf(b""))
    before = set(nodes(tree))
    after = set(nodes(insert(tree, b"\xff\xff", Leaf(b""))))
    assert len(after - before) <= 2 * 16 + 3


def nodes(tree: Node) -> list[int]:
    below = nodes(tree.left) + nodes(tree.right) if isinstance(tree, Fork) else []
    return [id(tree), *below]
