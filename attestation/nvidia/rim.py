"""Reference integrity manifests: the measurements NVIDIA publishes for one driver or VBIOS.

A SWID tag (ISO/IEC 19770-2, TCG Reference Integrity Manifest Information Model) of this shape, signed (see
`xml_signature`) by a chain of four certificates to a root of their own:

| element | attributes that are read |
|---|---|
| SoftwareIdentity | |
| Entity, Meta | of Meta: `colloquialVersion`, `product`, `edition` |
| Payload: Resource, up to 64 | `type` Measurement, `index`, `active`, `alternatives`, `Hash0` …, `size` 48 |
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attestation.certificate_chain import (
    VerifiedLinks,
    check_chain_signatures,
    check_chain_structure,
    parse_chain,
)
from attestation.errors import MalformedEvidence, ManifestInvalid
from attestation.nvidia.xml import Element, parse_document
from attestation.nvidia.xml_signature import NAMESPACE as SIGNATURE_NAMESPACE
from attestation.nvidia.xml_signature import XmlSignature, check_digest, read_signature
from attestation.public_keys import EcKey
from attestation.x509 import KEY_USAGE_DIGITAL_SIGNATURE, Certificate

SWID_NAMESPACE = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
HASH_NAMESPACE = "http://www.w3.org/2001/04/xmlenc#sha384"
CHAIN_LENGTH = 4
MAX_INDEX = 63
MAX_ALTERNATIVES = 16
EDITIONS = ("GPU", "SWITCH")
AUTHORITY = re.compile(r"(?:SIMULATED )?NVIDIA Reference Value [A-Z0-9_ ]{1,40}", re.ASCII)
VERSION = re.compile(r"[0-9A-Fa-f]{1,6}(\.[0-9A-Fa-f]{1,6}){1,5}", re.ASCII)
NUMBER = re.compile(r"0|[1-9][0-9]?", re.ASCII)
HASH = re.compile(r"[0-9a-f]{96}", re.ASCII)
ACTIVE = {"True": True, "False": False}


@dataclass(frozen=True)
class Manifest:
    """A parsed manifest, not yet verified. `goldens` maps each active index to its accepted 48-byte values.

    `product` is a chip (``GH100``, ``LS10``), `version` that of the driver or VBIOS in capitals. The content
    has the digest that `signature` is over; `sha256` names it, in hex, however the signature is written.
    """

    edition: str
    product: str
    version: str
    goldens: dict[int, tuple[bytes, ...]]
    chain: tuple[Certificate, ...]
    signature: XmlSignature
    sha256: str

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root, hex."""
        return self.chain[-1].sha256


def parse_manifest(data: bytes, claim: str) -> Manifest:
    """Parse a manifest; raises `MalformedEvidence`, or `ManifestInvalid` when it is not what was signed."""
    root = parse_document(data, claim)
    if (root.namespace, root.local) != (SWID_NAMESPACE, "SoftwareIdentity"):
        raise MalformedEvidence(claim, f"<{root.written}> is not a software identity")
    signature = read_signature(root, claim)
    content_sha256 = check_digest(root, signature, claim)
    parts = [child for child in root.elements(claim) if child.namespace != SIGNATURE_NAMESPACE]
    names = [(child.namespace, child.local) for child in parts]
    if names != [(SWID_NAMESPACE, name) for name in ("Entity", "Meta", "Payload")]:
        raise MalformedEvidence(claim, f"expected Entity, Meta and Payload, found {names}")
    _, meta, payload = parts
    edition, version = meta.attribute("edition", claim), meta.attribute("colloquialVersion", claim)
    if edition not in EDITIONS or not VERSION.fullmatch(version):
        raise MalformedEvidence(claim, f"edition {edition!r}, version {version!r}")
    return Manifest(
        edition=edition,
        product=meta.attribute("product", claim),
        version=version.upper(),
        goldens=_goldens(payload.elements(claim), claim),
        chain=parse_chain(signature.certificates, CHAIN_LENGTH, f"{claim}.chain"),
        signature=signature,
        sha256=content_sha256,
    )


def verify_manifest(manifest: Manifest, now_ns: int, links: VerifiedLinks, claim: str) -> None:
    """Raise unless the manifest is signed by its chain, whose dates include `now_ns`.

    Stops an attacker from publishing the measurements of modified firmware. Whether the root is acceptable is
    policy, revocation a separate check.
    """
    check_chain_structure(manifest.chain, now_ns, f"{claim}.chain")
    key = check_signer(manifest.chain, claim)
    check_chain_signatures(manifest.chain, links, f"{claim}.chain")
    signature = manifest.signature
    links.verify_ecdsa(key, signature.signed, signature.r, signature.s, f"{claim}.signature")


def check_signer(chain: Sequence[Certificate], claim: str) -> EcKey:
    """The signer may sign, under authorities for reference values; answers its key.

    Stops certificates that the same vendor issued for other purposes.
    """
    key = chain[0].public_key
    usage = chain[0].key_usage
    if not isinstance(key, EcKey) or usage is None or not usage & KEY_USAGE_DIGITAL_SIGNATURE:
        raise ManifestInvalid(f"{claim}.chain[0]", "the signer has no P-384 key, or may not sign")
    for depth in (1, 2):
        name = chain[depth].subject.common_name
        if not AUTHORITY.fullmatch(name):
            raise ManifestInvalid(
                f"{claim}.chain[{depth}]", f"{name!r} is no authority over reference values"
            )
    return key


def _goldens(resources: list[Element], claim: str) -> dict[int, tuple[bytes, ...]]:
    """Accepted values by active index; no index occurs twice."""
    goldens: dict[int, tuple[bytes, ...]] = {}
    seen: set[int] = set()
    for resource in resources:
        if (resource.namespace, resource.local) != (SWID_NAMESPACE, "Resource") or resource.children:
            raise MalformedEvidence(claim, f"<{resource.written}> in the payload")
        index = _number(resource.attribute("index", claim), MAX_INDEX, claim)
        if index in seen or resource.attribute("type", claim) != "Measurement":
            raise MalformedEvidence(claim, f"index {index} occurs twice, or is no measurement")
        seen.add(index)
        active = ACTIVE.get(resource.attribute("active", claim))
        if active is None:
            raise MalformedEvidence(claim, f"measurement {index} is neither active nor inactive")
        values = _values(resource, claim)
        if active:
            goldens[index] = values
    return goldens


def _values(resource: Element, claim: str) -> tuple[bytes, ...]:
    count = _number(resource.attribute("alternatives", claim), MAX_ALTERNATIVES, claim)
    hashes = [attribute for attribute in resource.attributes if attribute.namespace == HASH_NAMESPACE]
    texts = [resource.attribute(f"Hash{place}", claim, HASH_NAMESPACE) for place in range(count)]
    if not texts or len(hashes) != count or resource.attribute("size", claim) != "48":
        raise MalformedEvidence(claim, f"{count} alternatives stated, {len(hashes)} values of 48 bytes found")
    for text in texts:
        if not HASH.fullmatch(text):
            raise MalformedEvidence(claim, f"measurement value {text!r}")
    return tuple(bytes.fromhex(text) for text in texts)


def _number(text: str, maximum: int, claim: str) -> int:
    if not NUMBER.fullmatch(text) or int(text) > maximum:
        raise MalformedEvidence(claim, f"number {text!r}, expected 0 to {maximum}")
    return int(text)
