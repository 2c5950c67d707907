"""TEE evidence on anybody's desk: files, verification without a network, description, review of policies.

What is checked, and how, is the `attestation` package's: the very code that the marketplace runs.
"""

from leasehold.evidence.description import Section, describe
from leasehold.evidence.files import (
    read_bundle,
    read_collateral,
    read_evidence,
    read_policy,
    read_policy_text,
    write_new,
)
from leasehold.evidence.origin import is_simulated
from leasehold.evidence.policy_problems import malformations
from leasehold.evidence.policy_review import Finding, review
from leasehold.evidence.verification import Verification, verify_offline

__all__ = [
    "Finding",
    "Section",
    "Verification",
    "describe",
    "is_simulated",
    "malformations",
    "read_bundle",
    "read_collateral",
    "read_evidence",
    "read_policy",
    "read_policy_text",
    "review",
    "verify_offline",
    "write_new",
]
