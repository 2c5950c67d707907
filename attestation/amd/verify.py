"""Verification of SEV-SNP evidence, one function per check.

A report is signed by a VCEK, which one chip has (chain VCEK, ASK, ARK), or by a VLEK, which AMD loads into
all chips of one cloud provider (chain VLEK, ASVK, ARK).

1. the chain has the right names, constraints, key types and dates;
2. the report says that it was signed by this kind of key;
3. a VCEK belongs to the chip in the report (HWID); a VLEK names its cloud provider instead;
4. the leaf belongs to the firmware versions in the report (SPL extensions);
5. the leaf's authority is not revoked, if ARK's revocation list is supplied;
6. each certificate is signed by the next;
7. the report is signed by the leaf.

Whether the root, the kind of key, the versions, the measurement and a missing list are acceptable is policy,
and decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attestation.amd.report import SnpReport, parse_report
from attestation.amd.tcb import (
    OID_CLOUD_PROVIDER,
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
from attestation.crl import RevocationLists
from attestation.crypto import der
from attestation.errors import (
    ChainInvalid,
    EvidenceInconsistent,
    HardwareIdMismatch,
    SecurityVersionMismatch,
)
from attestation.facts import RevocationFact
from attestation.public_keys import EcKey, RsaKey
from attestation.x509 import Certificate

CHAIN_LENGTH = 3
VCEK_COMMON_NAME = "SEV-VCEK"
VLEK_COMMON_NAME = "SEV-VLEK"
# Kind of the leaf's key, and what precedes the product in the name of its authority, by the leaf's name.
LEAVES = {VCEK_COMMON_NAME: ("VCEK", "SEV-"), VLEK_COMMON_NAME: ("VLEK", "SEV-VLEK-")}
LEAF, AUTHORITY, ROOT = range(CHAIN_LENGTH)


@dataclass(frozen=True)
class SnpEvidence:
    """Parsed SEV-SNP evidence whose parts agree; its signatures are checked by `check_signatures`."""

    report: SnpReport
    chain: tuple[Certificate, ...]
    product: Product
    tcb: dict[str, int]
    signing_key: str
    revocations: RevocationLists

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root (ARK), hex."""
        return self.chain[-1].sha256


def read_evidence(
    report: bytes, chain: Sequence[bytes], now_ns: int, crls: Sequence[bytes] = ()
) -> SnpEvidence:
    """Parse report, chain (DER, leaf first) and revocation lists (DER), and run checks 1 to 4."""
    parsed = parse_report(report)
    certificates = parse_chain(chain, CHAIN_LENGTH, "cpu.chain")
    check_chain_structure(certificates, now_ns, "cpu.chain")
    product = check_roles(certificates)
    signing_key = check_signing_key(parsed, certificates[LEAF])
    check_family(parsed, product)
    if signing_key == "VCEK":
        check_hardware_id(parsed, certificates[LEAF], product)
    else:
        check_cloud_provider(certificates[LEAF])
    tcb = check_security_versions(parsed, certificates[LEAF], product)
    return SnpEvidence(parsed, certificates, product, tcb, signing_key, RevocationLists(crls))


def check_revocation(evidence: SnpEvidence, now_ns: int, links: VerifiedLinks) -> tuple[RevocationFact, ...]:
    """Check 5: stops chips whose authority AMD has withdrawn. AMD lists authorities, not single chips.

    A list that is not supplied is a fact for the policy; raises `CertificateRevoked` or `CollateralExpired`.
    """
    authority, root = evidence.chain[AUTHORITY], evidence.chain[ROOT]
    return (evidence.revocations.check(authority, root, now_ns, links, "cpu.chain[1]"),)


def check_signatures(evidence: SnpEvidence, links: VerifiedLinks) -> None:
    """Checks 6 and 7; raises `SignatureInvalid`."""
    check_chain_signatures(evidence.chain, links, "cpu.chain")
    key = evidence.chain[0].public_key
    if not isinstance(key, EcKey):
        raise ChainInvalid("cpu.chain[0]", "the leaf's key is not P-384")
    report = evidence.report
    links.verify_report(key, report.signed, report.r, report.s, "cpu.signature")


def check_roles(chain: Sequence[Certificate]) -> Product:
    """VCEK or VLEK, then its authority and ARK of one and the same product; answers the product.

    Stops a certificate that AMD issued for another purpose or product from posing as a chip's.
    """
    leaf = chain[LEAF]
    kind = LEAVES.get(leaf.subject.common_name)
    if kind is None or not isinstance(leaf.public_key, EcKey):
        raise ChainInvalid(
            "cpu.chain[0]", f"{leaf.subject.common_name!r} is not a VCEK or VLEK with a P-384 key"
        )
    name = _product_name(leaf)
    product = PRODUCTS.get(name)
    if product is None:
        raise ChainInvalid("cpu.chain[0]", f"product {name!r} is not one of {sorted(PRODUCTS)}")
    for depth, expected in ((AUTHORITY, kind[1] + name), (ROOT, "ARK-" + name)):
        certificate = chain[depth]
        if certificate.subject.common_name != expected or not isinstance(certificate.public_key, RsaKey):
            raise ChainInvalid(
                f"cpu.chain[{depth}]",
                f"expected {expected!r} with an RSA key, found {certificate.subject.common_name!r}",
            )
    return product


def check_signing_key(report: SnpReport, leaf: Certificate) -> str:
    """The report says that the leaf's kind of key signed it; answers ``VCEK`` or ``VLEK``."""
    kind = LEAVES[leaf.subject.common_name][0]
    if report.signing_key != kind:
        raise EvidenceInconsistent(
            "cpu.signing_key", f"the chain is of a {kind}, the report names {report.signing_key}"
        )
    return kind


def check_cloud_provider(vlek: Certificate) -> str:
    """A VLEK names the cloud provider it was made for (CSP_ID), and no chip; answers its name."""
    if OID_HARDWARE_ID in vlek.extensions:
        raise ChainInvalid("cpu.chain[0]", "a VLEK with a hardware id")
    return _text(vlek, OID_CLOUD_PROVIDER)


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
        raise HardwareIdMismatch(
            "cpu.chip_id", f"the VCEK is for {hardware_id.hex()}, the report is of {report.chip_id.hex()}"
        )


def check_security_versions(report: SnpReport, leaf: Certificate, product: Product) -> dict[str, int]:
    """The leaf's security versions are the report's TCB; answers them.

    Stops a report that claims newer firmware than runs: the leaf's key differs for each version.
    """
    tcb = decode_tcb(product, report.reported_tcb)
    for name, version in tcb.items():
        reader = der.DerReader(_extension(leaf, SPL_EXTENSIONS[name]), "cpu.chain[0]")
        certified = reader.integer()
        reader.finish()
        if certified != version:
            raise SecurityVersionMismatch(
                f"cpu.tcb.{name}", f"the certificate is for version {certified}, the report says {version}"
            )
    return tcb


def _product_name(leaf: Certificate) -> str:
    """``Milan`` from the product name extension's ``Milan-B0`` (an IA5String)."""
    return _text(leaf, OID_PRODUCT_NAME).split("-")[0]


def _text(leaf: Certificate, oid: str) -> str:
    reader = der.DerReader(_extension(leaf, oid), "cpu.chain[0]")
    value = reader.value(der.IA5_STRING)
    reader.finish()
    return value.decode("ascii", "replace")


def _extension(certificate: Certificate, oid: str) -> bytes:
    value = certificate.extensions.get(oid)
    if value is None:
        raise ChainInvalid("cpu.chain[0]", f"{certificate.subject.common_name!r} has no extension {oid}")
    return value
