"""XML signatures (XML Signature 1.1) as reference manifests carry them: enveloped, over the whole document.

Every choice the standard leaves open is fixed: where the signature is, what it refers to, its transforms and
algorithms. So there is nothing a forger can point elsewhere (signature wrapping).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from attestation.errors import MalformedEvidence, ManifestInvalid
from attestation.nvidia.xml import Element, canonical

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
CANONICALISATIONS = (
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
)
ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SIGNATURE_BYTES = 96
LINE_CHARACTERS = 64
MAX_CERTIFICATES = 4


@dataclass(frozen=True)
class XmlSignature:
    """A signature (r, s) over `signed`, the canonical form of SignedInfo, which states a `digest`.

    `certificates` are DER, the signer's first.
    """

    signed: bytes
    digest: bytes
    r: int
    s: int
    certificates: tuple[bytes, ...]


def read_signature(root: Element, claim: str) -> XmlSignature:
    """The one signature that is a child of `root`; raises `MalformedEvidence` for any other shape."""
    signature = _signature_element(root, claim)
    signed_info, value, key_info = _children(signature, ("SignedInfo", "SignatureValue", "KeyInfo"), claim)
    method, algorithm, reference = _children(
        signed_info, ("CanonicalizationMethod", "SignatureMethod", "Reference"), claim
    )
    _one_of(method, CANONICALISATIONS, claim)
    _one_of(algorithm, (ECDSA_SHA384,), claim)
    transforms, digest_method, digest = _children(
        reference, ("Transforms", "DigestMethod", "DigestValue"), claim, ("URI",)
    )
    if reference.attribute("URI", claim) != "":
        raise MalformedEvidence(claim, "the signature does not refer to the whole document")
    enveloped, form = _children(transforms, ("Transform", "Transform"), claim)
    _one_of(enveloped, (ENVELOPED,), claim)
    _one_of(form, CANONICALISATIONS, claim)
    _one_of(digest_method, (SHA384,), claim)
    raw = _base64(value, claim)
    if len(raw) != SIGNATURE_BYTES:
        raise MalformedEvidence(claim, f"signature of {len(raw)} bytes, expected {SIGNATURE_BYTES}")
    return XmlSignature(
        signed=canonical(signed_info),
        digest=_base64(digest, claim),
        r=int.from_bytes(raw[:48], "big"),
        s=int.from_bytes(raw[48:], "big"),
        certificates=_certificates(key_info, claim),
    )


def check_digest(root: Element, signature: XmlSignature, claim: str) -> str:
    """The document without its signature has the signed digest: stops any change of its content.

    Answers the content's SHA-256 in hex, which names it however its signature is written.
    """
    content = canonical(root, omit=_signature_element(root, claim))
    found = hashlib.sha384(content).digest()
    if found != signature.digest:
        raise ManifestInvalid(
            f"{claim}.digest", f"signed is {signature.digest.hex()}, the document has {found.hex()}"
        )
    return hashlib.sha256(content).hexdigest()


def _signature_element(root: Element, claim: str) -> Element:
    found = [child for child in root.elements(claim) if child.namespace == NAMESPACE]
    if len(found) != 1:
        raise MalformedEvidence(claim, f"{len(found)} signatures, there must be one")
    return found[0]


def _certificates(key_info: Element, claim: str) -> tuple[bytes, ...]:
    (data,) = _children(key_info, ("X509Data",), claim)
    entries = data.elements(claim)
    if not 1 <= len(entries) <= MAX_CERTIFICATES:
        raise MalformedEvidence(claim, f"{len(entries)} certificates, must be 1 to {MAX_CERTIFICATES}")
    return tuple(
        _base64(entry, claim, lines=True)
        for entry in _children(data, ("X509Certificate",) * len(entries), claim)
    )


def _children(
    element: Element, names: tuple[str, ...], claim: str, attributes: tuple[str, ...] = ()
) -> list[Element]:
    """The children, which must be exactly these signature elements, of an element with just `attributes`."""
    children = element.elements(claim)
    if [(child.namespace, child.local) for child in children] != [(NAMESPACE, name) for name in names]:
        found = [child.written for child in children]
        raise MalformedEvidence(claim, f"<{element.written}> must hold {list(names)}, found {found}")
    if [attribute.written for attribute in element.attributes] != list(attributes):
        raise MalformedEvidence(claim, f"<{element.written}> has attributes other than {attributes}")
    return children


def _one_of(element: Element, accepted: tuple[str, ...], claim: str) -> None:
    """The algorithm an element without content names is accepted."""
    found = element.attribute("Algorithm", claim)
    if found not in accepted or element.children or len(element.attributes) != 1:
        raise MalformedEvidence(claim, f"<{element.written}> asks for algorithm {found!r}")


def _base64(element: Element, claim: str, lines: bool = False) -> bytes:
    """Base64 content: in one piece, or in `lines` of 64 characters that each end; no other spelling."""
    text = element.text(claim)
    try:
        data = base64.b64decode(text.replace("\n", "") if lines else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedEvidence(claim, f"<{element.written}> is not base64: {error}") from error
    encoded = base64.b64encode(data).decode("ascii")
    if lines:
        starts = range(0, len(encoded), LINE_CHARACTERS)
        encoded = "".join(encoded[start : start + LINE_CHARACTERS] + "\n" for start in starts)
    if encoded != text or element.attributes:
        raise MalformedEvidence(claim, f"<{element.written}> is not base64 in its usual layout")
    return data
