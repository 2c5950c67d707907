"""What pieces of collateral are about, as text: the names under which they are kept and looked for.

| kind | subject |
|---|---|
| ``ocsp`` | authority that issued the certificate, serial number in hex |
| ``rims`` | edition, product, version, SHA-256 of the signed content |
| ``crls`` | authority whose list it is |
| ``tcb_infos`` | SHA-256 of the root, FMSPC, PCE id |
| ``qe_identities`` | SHA-256 of the root |
| ``certificates`` | the authority itself; of TCB signers ``tcb-signer``, SHA-256 of the root, of the key |

Parts are joined by ``/``. An authority is two parts: the first 32 bytes of SHA-384 over its name (DER) and of
SHA-384 over its key bits, in hex. A certificate is called by its authority and serial number, as in ``ocsp``.
"""

from __future__ import annotations

import hashlib

from attestation.nvidia.ocsp import CertificateId
from attestation.nvidia.rim import Manifest
from attestation.public_keys import RsaKey
from attestation.x509 import Certificate

HASH_BYTES = 32
MAX_SUBJECT_CHARACTERS = 176


def authority_subject(certificate: Certificate) -> str:
    """The authority that a CA certificate makes its key."""
    return f"{name_part(certificate.subject.der)}/{_part(_key_bits(certificate))}"


def certificate_subject(certificate: Certificate, issuer: Certificate) -> str:
    """A certificate as its issuer's answers and lists name it."""
    return f"{authority_subject(issuer)}/{certificate.serial:x}"


def ocsp_subject(identity: CertificateId) -> str:
    """The certificate an OCSP answer is about; equals `certificate_subject` of it."""
    name, key = identity.issuer_name_sha384[:HASH_BYTES], identity.issuer_key_sha384[:HASH_BYTES]
    return f"{name.hex()}/{key.hex()}/{identity.serial:x}"


def manifest_subject(manifest: Manifest) -> str:
    """A manifest; two may exist for one version."""
    return manifest_prefix(manifest.edition, manifest.product, manifest.version) + manifest.sha256


def manifest_prefix(edition: str, chip: str, version: str) -> str:
    """What subjects of all manifests begin with for the version that a device's report states."""
    return f"{edition}/{chip.replace('_', '')}/{version.upper()}/"


def tcb_info_subject(root_sha256: str, fmspc: bytes, pce_id: bytes) -> str:
    """A TCB info statement."""
    return f"{root_sha256}/{fmspc.hex()}/{pce_id.hex()}"


def tcb_signer_prefix(root_sha256: str) -> str:
    """What subjects of all TCB signing certificates under a root begin with."""
    return f"tcb-signer/{root_sha256}/"


def tcb_signer_subject(certificate: Certificate, root_sha256: str) -> str:
    """A TCB signing certificate."""
    return tcb_signer_prefix(root_sha256) + hashlib.sha256(_key_bits(certificate)).hexdigest()


def name_part(name_der: bytes) -> str:
    """The part of an authority that is its name alone."""
    return _part(name_der)


def _part(data: bytes) -> str:
    return hashlib.sha384(data).digest()[:HASH_BYTES].hex()


def _key_bits(certificate: Certificate) -> bytes:
    key = certificate.public_key
    if isinstance(key, RsaKey):
        return key.modulus.to_bytes((key.modulus.bit_length() + 7) // 8, "big")
    return key.point
