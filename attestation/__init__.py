"""Verification of trusted-execution evidence: CPU quotes, GPU reports, their binding, and policy.

Pure Python on the standard library, so that the very same code runs inside the canister, in the
command line and in the worker. `attestation.simulator` (off chain only, never imported from here) makes
evidence in the genuine formats under a development root.

The one call most users need is `verify_bundle`. It raises a subclass of `AttestationError` for evidence
that is malformed, inconsistent, wrongly signed or bound to something else, and `PolicyRefused` (with one
`Claim` per checked property) for evidence that is sound but not acceptable to the policy.
"""

from attestation.binding import Binding, gpu_evidence_digest, gpu_nonce, report_data
from attestation.bundle import (
    MAX_BUNDLE_BYTES,
    Evidence,
    GpuEvidence,
    SwitchEvidence,
    decode_bundle,
    encode_bundle,
)
from attestation.certificate_chain import Unfinished, VerifiedLinks
from attestation.claims import Attestation, Claim, CpuSummary, GpuSummary, SwitchSummary
from attestation.collateral import Collateral, decode_collateral, encode_collateral
from attestation.collateral_needs import Need, collateral_needs, posting_batches, with_issuers
from attestation.errors import (
    AttestationError,
    BindingMismatch,
    CertificateExpired,
    CertificateRevoked,
    ChainInvalid,
    CollateralExpired,
    CollateralUnavailable,
    DuplicateDevice,
    EvidenceInconsistent,
    FirmwareMismatch,
    HardwareIdMismatch,
    MalformedEvidence,
    ManifestInvalid,
    MeasurementMismatch,
    NonceMismatch,
    PlatformUnrecognized,
    PolicyMalformed,
    PolicyRefused,
    RevocationInvalid,
    SecurityVersionMismatch,
    SignatureInvalid,
    TopologyInvalid,
)
from attestation.guest import GuestClaims, decode_guest_claims, encode_guest_claims
from attestation.policy import (
    BUILTIN_POLICIES,
    PRODUCTION,
    SIMULATED,
    AllOf,
    AnyOf,
    Policy,
    PolicyExpression,
)
from attestation.policy_json import policy_from_json, policy_to_json
from attestation.verify import verify_bundle

__all__ = [
    "BUILTIN_POLICIES",
    "MAX_BUNDLE_BYTES",
    "PRODUCTION",
    "SIMULATED",
    "AllOf",
    "AnyOf",
    "Attestation",
    "AttestationError",
    "Binding",
    "BindingMismatch",
    "CertificateExpired",
    "CertificateRevoked",
    "ChainInvalid",
    "Claim",
    "Collateral",
    "CollateralExpired",
    "CollateralUnavailable",
    "CpuSummary",
    "DuplicateDevice",
    "Evidence",
    "EvidenceInconsistent",
    "FirmwareMismatch",
    "GpuEvidence",
    "GpuSummary",
    "GuestClaims",
    "HardwareIdMismatch",
    "MalformedEvidence",
    "ManifestInvalid",
    "MeasurementMismatch",
    "Need",
    "NonceMismatch",
    "PlatformUnrecognized",
    "Policy",
    "PolicyExpression",
    "PolicyMalformed",
    "PolicyRefused",
    "RevocationInvalid",
    "SecurityVersionMismatch",
    "SignatureInvalid",
    "SwitchEvidence",
    "SwitchSummary",
    "TopologyInvalid",
    "Unfinished",
    "VerifiedLinks",
    "collateral_needs",
    "decode_bundle",
    "decode_collateral",
    "decode_guest_claims",
    "encode_bundle",
    "encode_collateral",
    "encode_guest_claims",
    "gpu_evidence_digest",
    "gpu_nonce",
    "policy_from_json",
    "policy_to_json",
    "posting_batches",
    "report_data",
    "verify_bundle",
    "with_issuers",
]
