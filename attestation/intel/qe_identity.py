"""Identity of the quoting enclave: which enclave may certify attestation keys.

Source: Intel PCS API v4, "Enclave Identity V2", for the TD quoting enclave.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from attestation.errors import EvidenceInconsistent
from attestation.intel.quote import QeReport, TdxQuote
from attestation.intel.statement import Statement, masked, number, octets, parse_statement, require
from attestation.intel.tcb_info import security_version_status

VERSION = 2


class QeIdentity(NamedTuple):
    """A quoting enclave identity statement."""

    statement: Statement
    evaluation: int


def parse_qe_identity(data: bytes, claim: str) -> QeIdentity:
    """Parse a statement as served; raises `MalformedEvidence`."""
    statement = parse_statement(data, "enclaveIdentity", claim)
    require(statement.fields, "id", "TD_QE", claim)
    require(statement.fields, "version", VERSION, claim)
    return QeIdentity(statement, number(statement.fields, "tcbEvaluationDataNumber", claim))


def check_attestation_key(quote: TdxQuote) -> None:
    """The enclave vouches for the key that signed the quote: stops a key made outside of it."""
    bound = hashlib.sha256(quote.attestation_key + quote.qe_authentication).digest() + bytes(32)
    if quote.qe_report.report_data != bound:
        raise EvidenceInconsistent(
            "cpu.attestation_key",
            f"the quoting enclave vouches for {quote.qe_report.report_data.hex()}, not for this key",
        )


def qe_status(identity: QeIdentity, report: QeReport, claim: str) -> str:
    """Status of the quoting enclave; raises `EvidenceInconsistent` when it is another enclave.

    Stops any other enclave on the platform from certifying attestation keys.
    """
    fields = identity.statement.fields
    misc = masked(report.misc_select, octets(fields, "miscselectMask", 4, claim))
    attributes = masked(report.attributes, octets(fields, "attributesMask", 16, claim))
    for name, found, expected in (
        ("mrsigner", report.signer, octets(fields, "mrsigner", 32, claim)),
        ("isvprodid", report.product, number(fields, "isvprodid", claim)),
        ("miscselect", misc, octets(fields, "miscselect", 4, claim)),
        ("attributes", attributes, octets(fields, "attributes", 16, claim)),
    ):
        if found != expected:
            raise EvidenceInconsistent(
                "cpu.quoting_enclave", f"{name} is {_shown(found)}, expected {_shown(expected)}"
            )
    return security_version_status(fields, report.security_version, claim)


def _shown(value: bytes | int) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
