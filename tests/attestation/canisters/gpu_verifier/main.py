"""A canister that verifies one GPU's evidence alone: what that costs inside Wasm."""

from kybra import Vec, blob, nat64, text, update

from attestation import AttestationError, GpuEvidence, VerifiedLinks
from attestation.nvidia import verify as nvidia


@update
def verify_gpu(report: blob, chain: Vec[blob], nonce: blob, now_ns: nat64) -> text:
    """The verdict: `accepted`, or the name of the error and its claim."""
    try:
        found = nvidia.read_evidence(GpuEvidence(report, tuple(chain)), nonce, now_ns, "gpu[0]")
        nvidia.check_signatures(found, VerifiedLinks(), "gpu[0]")
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return "accepted"
