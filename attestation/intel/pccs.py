"""Collateral in the JSON form that provisioning caches and other verifiers exchange, into `Collateral`.

The form is Intel's ``sgx_ql_qve_collateral_t`` with named members: statements without their signatures, which
stand beside them in hex, lists in hex, issuer chains in PEM. Not used on chain.
"""

from __future__ import annotations

import json

from attestation.collateral import Collateral
from attestation.errors import MalformedEvidence
from attestation.intel.pck import certificates_of_pem

CLAIM = "collateral"
MEMBERS = (
    "root_ca_crl",
    "pck_crl",
    "tcb_info",
    "tcb_info_signature",
    "qe_identity",
    "qe_identity_signature",
    "tcb_info_issuer_chain",
    "qe_identity_issuer_chain",
)


def collateral_from_json(text: str) -> Collateral:
    """Intel's collateral from JSON; raises `MalformedEvidence`. Nothing is verified here."""
    try:
        fields = json.loads(text)
        # Escapes can spell halves of characters, which no later step could encode.
        json.dumps(fields, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedEvidence(CLAIM, f"not JSON: {error}") from error
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in MEMBERS):
        raise MalformedEvidence(CLAIM, f"not an object with the texts {', '.join(MEMBERS)}")
    signers: dict[bytes, None] = {}
    for name in ("tcb_info_issuer_chain", "qe_identity_issuer_chain"):
        chain = certificates_of_pem(fields[name].encode("utf-8"), f"{CLAIM}.{name}")
        signers.update(dict.fromkeys(chain[:1]))
    return Collateral(
        crls=tuple(_hex(fields[name], name) for name in ("root_ca_crl", "pck_crl")),
        tcb_infos=(statement("tcbInfo", fields["tcb_info"], fields["tcb_info_signature"]),),
        qe_identities=(statement("enclaveIdentity", fields["qe_identity"], fields["qe_identity_signature"]),),
        certificates=tuple(signers),
    )


def statement(member: str, value: str, signature: str) -> bytes:
    """The statement as the provisioning service serves it, from its parts."""
    return f'{{"{member}":{value},"signature":"{signature.lower()}"}}'.encode()


def _hex(text: str, name: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedEvidence(f"{CLAIM}.{name}", f"not hex: {error}") from error
