"""A canister that verifies a CPU's evidence alone: genuine samples inside Wasm, and what they cost there."""

from kybra import Vec, blob, nat64, text, update, void

from attestation import AttestationError, VerifiedLinks, decode_collateral
from attestation.bundle import Evidence
from attestation.cpu import check_cpu, read_cpu

links = VerifiedLinks()


@update
def warm_up() -> void:
    pass


@update
def verify_cpu(
    kind: text, report: blob, chain: Vec[blob], collateral: blob, now_ns: nat64, remember: bool
) -> text:
    """Kind and measurement, or the name of the error and its claim."""
    evidence = Evidence(kind, report, tuple(chain), (), b"", b"", b"")
    try:
        cpu = read_cpu(evidence, decode_collateral(collateral), now_ns)
        facts = check_cpu(cpu, now_ns, links if remember else VerifiedLinks())
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return f"{facts.kind} {facts.measurement}"
