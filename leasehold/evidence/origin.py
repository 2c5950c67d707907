"""Whether evidence comes from a simulator, told without verifying it."""

import hashlib

from attestation import AttestationError, Evidence, decode_guest_claims
from attestation.intel.pck import certificates_of_pem
from attestation.intel.quote import parse_quote
from attestation.policy import DEVELOPMENT_ROOTS


def is_simulated(evidence: Evidence) -> bool:
    """True when any chain ends in a development root, or the guest says that it is simulated.

    Only to warn people: genuine-looking evidence is not thereby genuine, the policy decides that.
    """
    chains = [_cpu_chain(evidence)]
    chains += [gpu.chain for gpu in evidence.gpus]
    chains += [switch.chain for switch in evidence.switches]
    roots = {hashlib.sha256(chain[-1]).hexdigest() for chain in chains if chain}
    return bool(roots & DEVELOPMENT_ROOTS) or _guest_says_so(evidence)


def _cpu_chain(evidence: Evidence) -> tuple[bytes, ...]:
    if evidence.cpu_kind != "tdx":
        return evidence.cpu_chain
    try:
        return certificates_of_pem(parse_quote(evidence.cpu_report).pck_chain, "cpu.chain")
    except AttestationError:
        return ()


def _guest_says_so(evidence: Evidence) -> bool:
    try:
        return decode_guest_claims(evidence.guest_claims).simulated
    except AttestationError:
        return False
