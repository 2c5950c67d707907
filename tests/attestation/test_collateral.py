"""The container of collateral: one encoding for each content, bounds, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation import Collateral, MalformedEvidence, decode_collateral, encode_collateral
from attestation import collateral as container

pieces = st.lists(st.binary(min_size=1, max_size=20), max_size=4).map(tuple)
collaterals = st.builds(Collateral, ocsp=pieces, rims=pieces)


@given(collaterals)
def test_what_is_encoded_comes_back_the_same(collateral: Collateral) -> None:
    assert decode_collateral(encode_collateral(collateral)) == collateral


@given(collaterals, st.data())
def test_a_changed_container_is_refused_or_decodes_to_what_encodes_to_it(
    collateral: Collateral, data: st.DataObject
) -> None:
    changed = bytearray(encode_collateral(collateral))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_collateral(bytes(changed))
    except MalformedEvidence:
        return
    assert encode_collateral(decoded) == bytes(changed)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"LHCO\x01" + rest))
def test_arbitrary_bytes_are_refused_by_name_or_canonical(data: bytes) -> None:
    try:
        assert encode_collateral(decode_collateral(data)) == data
    except MalformedEvidence as error:
        assert error.claim.startswith("collateral")


def test_every_truncation_and_an_extension_are_refused() -> None:
    data = encode_collateral(Collateral((b"one", b"two"), (b"three",)))
    for length in range(len(data)):
        with pytest.raises(MalformedEvidence):
            decode_collateral(data[:length])
    with pytest.raises(MalformedEvidence):
        decode_collateral(data + b"\0")


def test_pieces_out_of_order_are_refused() -> None:
    data = encode_collateral(Collateral((b"one",), (b"two",)))
    first, second = data[6:14], data[14:]
    assert (first[0], second[0]) == (1, 2)
    with pytest.raises(MalformedEvidence, match="out of order"):
        decode_collateral(data[:6] + second + first)


@pytest.mark.parametrize("kind", container.KINDS, ids=lambda kind: kind.field)
def test_bounds_hold_at_and_one_past_the_limit(kind: container.Kind) -> None:
    def of(*contents: bytes) -> Collateral:
        fields: dict[str, Any] = {kind.field: contents}
        return Collateral(**fields)

    of(b"x" * kind.maximum_bytes)
    of(*[b"x"] * container.MAX_PIECES)
    for contents in ((b"x" * (kind.maximum_bytes + 1),), (b"",), (b"x",) * (container.MAX_PIECES + 1)):
        with pytest.raises(MalformedEvidence):
            of(*contents)


def test_a_container_over_1_mib_is_refused() -> None:
    heavy = Collateral(rims=(b"x" * 64 * 1024,) * 17)
    with pytest.raises(MalformedEvidence, match="at most"):
        encode_collateral(heavy)
    with pytest.raises(MalformedEvidence):
        decode_collateral(b"LHCO\x01\x00" + bytes(container.MAX_COLLATERAL_BYTES))
