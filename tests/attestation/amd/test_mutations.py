"""Every changed byte and truncation of genuine SEV-SNP evidence is refused, or changes the root's digest.

The root's own signature is the one exception: no verifier needs it, because a policy names the digest of the
whole certificate, which any change changes. A stride by default; LEASEHOLD_EXHAUSTIVE=1 tries every byte.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from attestation import PRODUCTION, AttestationError, VerifiedLinks
from attestation.amd import verify as amd
from attestation.amd.report import parse_report
from attestation.crypto import ecdsa_p384

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

STRIDE = 1 if os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1" else 9
NOW_NS = 1_763_000_000 * 1_000_000_000
GENUINE = {
    "Milan, version 2": ("milan_v2_report.bin", "milan_v2_vcek.der", "ask_ark_milan.pem"),
    "Milan, version 2, debug": ("milan_v2_debug_report.bin", "milan_v2_debug_vcek.der", "ask_ark_milan.pem"),
    "Genoa, version 3": ("genoa_v3_azure_report.bin", "genoa_v3_azure_vcek.pem", "ask_ark_genoa.pem"),
}


def root_of(report: bytes, chain: tuple[bytes, ...], links: VerifiedLinks) -> str:
    """Fingerprint of the root of evidence that verifies."""
    evidence = amd.read_evidence(report, chain, NOW_NS)
    amd.check_signatures(evidence, links)
    return evidence.root_sha256


def mutations(data: bytes, start: int) -> list[bytes]:
    """One bit changed in each byte, and every truncation, of which a stride."""
    flipped = [
        data[:at] + bytes((data[at] ^ 1 << (at // STRIDE + start) % 8,)) + data[at + 1 :]
        for at in range(start % STRIDE, len(data), STRIDE)
    ]
    return flipped + [data[:length] for length in range(start % STRIDE, len(data), STRIDE)]


@pytest.mark.parametrize("name", GENUINE)
def test_every_change_of_genuine_evidence(
    samples: Samples, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tuple(f"amd/{entry}" for entry in GENUINE[name])
    report, chain = samples.amd(*names)
    links = VerifiedLinks()
    root = root_of(report, chain, links)
    assert root in PRODUCTION.cpu_roots

    good = (report, chain)
    compute = ecdsa_p384.verify

    def verify(
        key: ecdsa_p384.Point, message: bytes, r: int, s: int, claim: str, recurs: bool = False
    ) -> None:
        # The report itself did not change when a certificate did.
        if message != good[0][:0x2A0] or (r, s) != signature:
            compute(key, message, r, s, claim, recurs)

    parsed = parse_report(report)
    signature = (parsed.r, parsed.s)
    for changed in mutations(report, 0):
        with pytest.raises(AttestationError):
            root_of(changed, chain, links)
    monkeypatch.setattr(ecdsa_p384, "verify", verify)
    for place in range(len(chain)):
        for changed in mutations(chain[place], place):
            try:
                found = root_of(report, (*chain[:place], changed, *chain[place + 1 :]), links)
            except AttestationError:
                continue
            assert place == len(chain) - 1
            assert found not in PRODUCTION.cpu_roots
