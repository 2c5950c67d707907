"""Verification of SEV-SNP evidence, one function per check.

1. the chain VCEK, ASK, ARK has the right names, constraints, key types and dates;
2. the report was signed by a VCEK, not by another kind of key;
3. the VCEK belongs to the chip in the report (HWID);
4. the VCEK belongs to the firmware versions in the report (SPL extensions);
5. each certificate is signed by the next;
6. the report is signed by the VCEK.

Whether the root, the versions and the measurement are acceptable is policy, and decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attestation.amd.report import SnpReport, parse_report
from attestation.amd.tcb import (
    OID_HARDWARE_ID,
    OID_PRODUCT_NAME,
    PRODUCTS,
    SPL_EXTENSIONS,
    Product,
    decode_tcb,
)
from attestation.certificate_chain import (
    VerifiedLinks,
    check_chain_signatures,
    check_chain_structure,
    parse_chain,
)
from attestation.crypto import der, ecdsa_p384
from attestation.errors import ChainInvalid, EvidenceInconsistent
from attestation.x509 import Certificate, EcKey, RsaKey

CHAIN_LENGTH = 3
VCEK_COMMON_NAME = "SEV-VCEK"


@dataclass(frozen=True)
class SnpEvidence:
    """Parsed SEV-SNP evidence whose parts agree; its signatures are checked by `check_signatures`."""

    report: SnpReport
    chain: tuple[Certificate, ...]
    product: Product
    tcb: dict[str, int]

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root (ARK), hex."""
        return self.chain[-1].sha256


def read_evidence(report: bytes, chain: Sequence[bytes], now_ns: int) -> SnpEvidence:
    """Parse report and chain (DER: VCEK, ASK, ARK) and run checks 1 to 4."""
    parsed = parse_report(report)
    certificates = parse_chain(chain, CHAIN_LENGTH, "cpu.chain")
    check_chain_structure(certificates, now_ns, "cpu.chain")
    product = check_roles(certificates)
    check_signing_key(parsed)
    check_family(parsed, product)
    check_hardware_id(parsed, certificates[0], product)
    tcb = check_security_versions(parsed, certificates[0], product)
    return SnpEvidence(parsed, certificates, product, tcb)


def check_signatures(evidence: SnpEvidence, links: VerifiedLinks) -> None:
    """Checks 5 and 6; raises `SignatureInvalid`."""
    check_chain_signatures(evidence.chain, links, "cpu.chain")
    key = evidence.chain[0].public_key
    if not isinstance(key, EcKey):
        raise ChainInvalid("cpu.chain[0]", "the VCEK's key is not P-384")
    point = ecdsa_p384.parse_point(key.point, "cpu.signature")
    report = evidence.report
    ecdsa_p384.verify(point, report.signed, report.r, report.s, "cpu.signature")


def check_roles(chain: Sequence[Certificate]) -> Product:
    """VCEK, then ASK and ARK of one and the same product; answers the product."""
    vcek, ask, ark = chain
    if vcek.subject.common_name != VCEK_COMMON_NAME or not isinstance(vcek.public_key, EcKey):
        raise ChainInvalid("cpu.chain[0]", f"{vcek.subject.common_name!r} is not a VCEK with a P-384 key")
    name = _product_name(vcek)
    product = PRODUCTS.get(name)
    if product is None:
        raise ChainInvalid("cpu.chain[0]", f"product {name!r} is not one of {sorted(PRODUCTS)}")
    for depth, certificate, prefix in ((1, ask, "SEV-"), (2, ark, "ARK-")):
        if certificate.subject.common_name != prefix + name or not isinstance(certificate.public_key, RsaKey):
            raise ChainInvalid(
                f"cpu.chain[{depth}]",
                f"expected {prefix + name!r} with an RSA key, found {certificate.subject.common_name!r}",
            )
    return product


def check_signing_key(report: SnpReport) -> None:
    """The report says that a VCEK signed it."""
    if report.signing_key != "VCEK":
        raise EvidenceInconsistent("cpu.signing_key", f"expected VCEK, the report names {report.signing_key}")


def check_family(report: SnpReport, product: Product) -> None:
    """The processor's family in the report (version 3 and later) is the product's."""
    if report.family is not None and report.family != product.family:
        raise EvidenceInconsistent(
            "cpu.family", f"{product.name} is family {product.family:#x}, the report says {report.family:#x}"
        )


def check_hardware_id(report: SnpReport, vcek: Certificate, product: Product) -> None:
    """The VCEK's HWID is the report's chip id (Turin's is shorter, and followed by zeros)."""
    hardware_id = _extension(vcek, OID_HARDWARE_ID)
    size = product.hardware_id_bytes
    padded = hardware_id + bytes(len(report.chip_id) - size)
    if len(hardware_id) != size or padded != report.chip_id or not any(hardware_id):
        raise EvidenceInconsistent(
            "cpu.chip_id", f"the VCEK is for {hardware_id.hex()}, the report is of {report.chip_id.hex()}"
        )


def check_security_versions(report: SnpReport, vcek: Certificate, product: Product) -> dict[str, int]:
    """The VCEK's security versions are the report's TCB; answers them."""
    tcb = decode_tcb(product, report.reported_tcb)
    for name, version in tcb.items():
        reader = der.DerReader(_extension(vcek, SPL_EXTENSIONS[name]), "cpu.chain[0]")
        certified = reader.integer()
        reader.finish()
        if certified != version:
            raise EvidenceInconsistent(
                f"cpu.tcb.{name}", f"the VCEK is for version {certified}, the report says {version}"
            )
    return tcb


def _product_name(vcek: Certificate) -> str:
    """``Milan`` from the product name extension's ``Milan-B0`` (an IA5String)."""
    reader = der.DerReader(_extension(vcek, OID_PRODUCT_NAME), "cpu.chain[0]")
    value = reader.value(der.IA5_STRING)
    reader.finish()
    return value.decode("ascii", "replace").split("-")[0]


def _extension(certificate: Certificate, oid: str) -> bytes:
    value = certificate.extensions.get(oid)
    if value is None:
        raise ChainInvalid("cpu.chain[0]", f"the VCEK has no extension {oid}")
    return value
