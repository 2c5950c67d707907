"""A canister that says what genuine files mean, each by itself: what tests do on the desk, inside Wasm."""

from kybra import Vec, blob, nat64, text, update

from attestation import AttestationError, VerifiedLinks
from tests.attestation.meanings import MEANINGS, written


@update
def meaning(kind: text, parts: Vec[blob], now_ns: nat64) -> text:
    """What parts of a kind mean, or the name of the error and its claim. Nothing is remembered."""
    try:
        return written(MEANINGS[kind](parts, now_ns, VerifiedLinks()))
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
