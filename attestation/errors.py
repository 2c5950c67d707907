"""Errors of the attestation package: one base class, one subclass per failure a caller may handle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attestation.claims import Claim


class AttestationError(Exception):
    """Base of everything this package raises.

    `claim` names the property that could not be established, in the same vocabulary as `Claim.name`
    (for example ``cpu.signature`` or ``gpu[0].nonce``). `claims` is empty except in `PolicyRefused`.
    """

    def __init__(self, claim: str, message: str) -> None:
        super().__init__(f"{claim}: {message}")
        self.claim = claim
        self.message = message
        self.claims: tuple[Claim, ...] = ()


class MalformedEvidence(AttestationError):
    """Bytes that are not what the format's specification says: length, order, encoding or bounds."""


class ChainInvalid(AttestationError):
    """A certificate chain whose names, constraints, usages or key types do not fit its role."""


class CertificateExpired(ChainInvalid):
    """A certificate that is not valid at the time of verification."""


class SignatureInvalid(AttestationError):
    """A signature that does not verify."""


class EvidenceInconsistent(AttestationError):
    """Two parts of the evidence that must agree do not, for example certificate and report."""


class FirmwareMismatch(EvidenceInconsistent):
    """A GPU's report of other firmware than its key was certified for."""


class DuplicateDevice(EvidenceInconsistent):
    """One device, presented as several."""


class HardwareIdMismatch(EvidenceInconsistent):
    """A report of one chip beside another chip's certificate."""


class SecurityVersionMismatch(EvidenceInconsistent):
    """A report of other firmware versions than the chip's key was derived for."""


class BindingMismatch(AttestationError):
    """Evidence made for another nonce, operator, session or transport key."""


class NonceMismatch(AttestationError):
    """A device's report that answers another nonce than the one it was asked with."""


class PolicyMalformed(AttestationError):
    """A policy that cannot be read, or that contradicts itself."""

    def __init__(self, message: str) -> None:
        super().__init__("policy", message)


class PolicyRefused(AttestationError):
    """Sound evidence that the policy does not accept; `claims` holds every row, failed ones included."""

    def __init__(self, policy: str, claims: tuple[Claim, ...]) -> None:
        failed = [claim for claim in claims if claim.verdict != "valid"]
        rows = "; ".join(f"{c.name} is {c.verdict}: expected {c.expected}, found {c.found}" for c in failed)
        super().__init__("policy", f"policy {policy!r} refuses the evidence: {rows}")
        self.policy = policy
        self.claims = claims
        self.failed = tuple(failed)


class RevocationInvalid(AttestationError):
    """A revocation answer or list about another certificate, or by somebody not entitled to it."""


class CertificateRevoked(RevocationInvalid):
    """A certificate that its issuer has withdrawn."""


class ManifestInvalid(AttestationError):
    """A reference manifest with the wrong signature, chain or content."""


class MeasurementMismatch(AttestationError):
    """A measurement that is none of the values its vendor publishes for this firmware."""


class TopologyInvalid(AttestationError):
    """GPUs and switches that do not make up one whole machine."""


class CollateralUnavailable(AttestationError):
    """Vendor-signed collateral that the evidence cannot be judged without, and that was not supplied."""


class CollateralExpired(CollateralUnavailable):
    """A revocation answer or list, or a statement, outside its window at the time of verification."""


class PlatformUnrecognized(AttestationError):
    """Firmware versions, or a module, that the vendor's statement does not list."""
