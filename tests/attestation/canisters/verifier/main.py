"""A canister that only verifies evidence: shows that the core runs inside Wasm, and what it costs there."""

from kybra import blob, nat64, text, update, void

from attestation import SIMULATED, AttestationError, Binding, VerifiedLinks, verify_bundle

links = VerifiedLinks()


@update
def warm_up() -> void:
    pass


@update
def verify(bundle: blob, nonce: blob, operator: blob, now_ns: nat64, remember: bool) -> text:
    """The verdict: `accepted`, or the name of the error and its claim."""
    try:
        verify_bundle(bundle, Binding(nonce, operator), SIMULATED, now_ns, links if remember else None)
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return "accepted"
