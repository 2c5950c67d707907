"""A canister that only verifies evidence: shows that the core runs inside Wasm, and what it costs there."""

import dataclasses

from kybra import blob, nat64, text, update, void

from attestation import (
    SIMULATED,
    AttestationError,
    Binding,
    VerifiedLinks,
    decode_collateral,
    verify_bundle,
)

links = VerifiedLinks()
checking = dataclasses.replace(
    SIMULATED, gpu_modes=("single-gpu", "protected-pcie"), require_reference_values=True
)


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


@update
def verify_with(
    bundle: blob, collateral: blob, nonce: blob, operator: blob, now_ns: nat64, remember: bool
) -> text:
    """The same with collateral, under a policy that asks for reference values."""
    kept = links if remember else None
    try:
        given = decode_collateral(collateral)
        verify_bundle(bundle, Binding(nonce, operator), checking, now_ns, kept, given)
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return "accepted"
