"""Every byte of a bundle matters: whichever is changed, the bundle is refused, by name.

One bit of every byte is flipped, a different one from byte to byte; LEASEHOLD_EXHAUSTIVE=1 flips all eight.
Signatures found good once are remembered, so that only what a flip touches is computed again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from attestation import SIMULATED, AttestationError, VerifiedLinks, verify_bundle

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene

EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.usefixtures("remembered_signatures")
def test_every_flipped_byte_is_refused(scene: Scene, bundle: bytes, part: int) -> None:
    links = VerifiedLinks()
    verify_bundle(bundle, scene.binding, SIMULATED, scene.now_ns, links)
    accepted = []
    for offset in range(part, len(bundle), PARTS):
        for bit in range(8) if EXHAUSTIVE else [(offset // PARTS) % 8]:
            flipped = bundle[:offset] + bytes((bundle[offset] ^ 1 << bit,)) + bundle[offset + 1 :]
            try:
                verify_bundle(flipped, scene.binding, SIMULATED, scene.now_ns, links)
            except AttestationError:
                continue
            accepted.append((offset, bit))
    assert accepted == []
