"""What ties the parts together: the GPU reports to the nonce, the CPU quote to everything else.

``report_data = SHA-256("leasehold-v1" ‖ nonce ‖ session public key ‖ transport public key ‖ operator ‖
SHA-256(raw GPU evidence) ‖ SHA-256(guest claims)) ‖ 0^32``

All parts but the operator's principal have a fixed length, so the concatenation is unambiguous. *Raw GPU
evidence* is the GPU section of the bundle and, if there are any, its switches, byte for byte
(`bundle.encode_gpu_section`): a re-encoding of parsed values is never hashed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from attestation.bundle import Evidence, GpuEvidence, SwitchEvidence, encode_gpu_section
from attestation.errors import BindingMismatch, MalformedEvidence

GPU_NONCE_DOMAIN = b"leasehold-gpu"
REPORT_DATA_DOMAIN = b"leasehold-v1"
NONCE_BYTES = 32
REPORT_DATA_BYTES = 64
MAX_PRINCIPAL_BYTES = 29


@dataclass(frozen=True)
class Binding:
    """What the verifier knows: its own 32-byte `nonce` and the `operator`'s principal (raw bytes)."""

    nonce: bytes
    operator: bytes


def gpu_nonce(nonce: bytes) -> bytes:
    """Nonce (32 bytes) that every GPU of the machine must put into its report."""
    return hashlib.sha256(GPU_NONCE_DOMAIN + _checked_nonce(nonce)).digest()


def gpu_evidence_digest(gpus: tuple[GpuEvidence, ...], switches: tuple[SwitchEvidence, ...] = ()) -> bytes:
    """SHA-256 of the raw GPU evidence."""
    return hashlib.sha256(encode_gpu_section(gpus, switches)).digest()


def report_data(
    nonce: bytes,
    session_public_key: bytes,
    transport_public_key: bytes,
    operator: bytes,
    gpus: tuple[GpuEvidence, ...],
    guest_claims: bytes,
    switches: tuple[SwitchEvidence, ...] = (),
) -> bytes:
    """The 64 bytes a guest asks its CPU to sign.

    Arguments: `nonce` 32 bytes, `session_public_key` 44, `transport_public_key` 48, `operator` 1 to 29
    bytes of a principal, `gpus` and `switches` the evidence as it goes into the bundle, `guest_claims`
    canonical JSON.
    """
    if not 1 <= len(operator) <= MAX_PRINCIPAL_BYTES:
        raise MalformedEvidence("binding.operator", f"{len(operator)} bytes, a principal has 1 to 29")
    bound = hashlib.sha256(
        REPORT_DATA_DOMAIN
        + _checked_nonce(nonce)
        + session_public_key
        + transport_public_key
        + operator
        + gpu_evidence_digest(gpus, switches)
        + hashlib.sha256(guest_claims).digest()
    )
    return bound.digest() + bytes(REPORT_DATA_BYTES - 32)


def check_report_data(evidence: Evidence, found: bytes, binding: Binding) -> None:
    """Refuse a quote whose `report_data` was not made for this nonce, operator, keys, GPUs and claims."""
    expected = report_data(
        binding.nonce,
        evidence.session_public_key,
        evidence.transport_public_key,
        binding.operator,
        evidence.gpus,
        evidence.guest_claims,
        evidence.switches,
    )
    if found != expected:
        raise BindingMismatch(
            "cpu.report_data",
            f"expected {expected.hex()}, found {found.hex()}: the quote was made for another nonce, "
            "operator, session key, transport key, GPU evidence or guest claims",
        )


def _checked_nonce(nonce: bytes) -> bytes:
    if len(nonce) != NONCE_BYTES:
        raise MalformedEvidence("binding.nonce", f"{len(nonce)} bytes, must be {NONCE_BYTES}")
    return nonce
