"""A thin, pooled agent for the Internet Computer that verifies every answer."""

from leasehold.agent.agent import Agent
from leasehold.agent.canister import Canister
from leasehold.agent.certificate import Certificate, verify_certificate
from leasehold.agent.errors import (
    AgentError,
    AnswerTimeoutError,
    CandidError,
    CertificateError,
    IdentityError,
    NetworkError,
    PrincipalError,
    RejectedError,
)
from leasehold.agent.identity import ALGORITHMS, Identity
from leasehold.agent.interface import Interface, Method
from leasehold.agent.principal import Principal

__all__ = [
    "ALGORITHMS",
    "Agent",
    "AgentError",
    "AnswerTimeoutError",
    "CandidError",
    "Canister",
    "Certificate",
    "CertificateError",
    "Identity",
    "IdentityError",
    "Interface",
    "Method",
    "NetworkError",
    "Principal",
    "PrincipalError",
    "RejectedError",
    "verify_certificate",
]
