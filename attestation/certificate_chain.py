"""Verification of certificate chains: names, constraints, usages, validity, and each link's signature.

The last certificate of a chain is the root. Its own signature is not checked: what makes it trusted is that a
policy names its SHA-256, and a policy that does not name it refuses the evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attestation.crypto import der, ecdsa_p384, rsa_pss
from attestation.errors import CertificateExpired, ChainInvalid, SignatureInvalid
from attestation.x509 import (
    ECDSA_SHA384,
    KEY_USAGE_CERTIFICATE_SIGN,
    RSA_PSS_SHA384,
    Certificate,
    EcKey,
    parse_certificate,
)

MAX_REMEMBERED_LINKS = 512
NANOSECONDS = 1_000_000_000


class VerifiedLinks:
    """Signatures over certificates that were already found good, so that none is verified twice.

    Holds SHA-256 digests of (issuer's certificate, certificate) pairs. One instance serves one bundle; a
    long-lived verifier may keep one across bundles, since a signature once valid stays valid (dates, names
    and constraints are checked every time). At most `MAX_REMEMBERED_LINKS` are kept; then it starts anew.
    """

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def verify(self, certificate: Certificate, issuer: Certificate, claim: str) -> None:
        """Raise `SignatureInvalid` unless `issuer`'s key signed `certificate`."""
        digest = hashlib.sha256(
            hashlib.sha256(issuer.der).digest() + hashlib.sha256(certificate.der).digest()
        ).digest()
        if digest in self._digests:
            return
        verify_certificate_signature(certificate, issuer, claim)
        if len(self._digests) >= MAX_REMEMBERED_LINKS:
            self._digests.clear()
        self._digests.add(digest)


def parse_chain(chain: Sequence[bytes], length: int, claim: str) -> tuple[Certificate, ...]:
    """Parse a chain of exactly `length` certificates, leaf first."""
    if len(chain) != length:
        raise ChainInvalid(claim, f"has {len(chain)} certificates, must have {length}")
    return tuple(parse_certificate(data, f"{claim}[{index}]") for index, data in enumerate(chain))


def check_chain_structure(chain: Sequence[Certificate], now_ns: int, claim: str) -> None:
    """Everything about a chain but its signatures: validity at `now_ns`, names, constraints and usages."""
    for depth, certificate in enumerate(chain):
        name = f"{claim}[{depth}]"
        _check_validity(certificate, now_ns, name)
        issuer = chain[min(depth + 1, len(chain) - 1)]
        if certificate.issuer.der != issuer.subject.der:
            raise ChainInvalid(
                name, f"issuer {certificate.issuer.common_name!r} is not {issuer.subject.common_name!r}"
            )
        if depth == 0:
            if certificate.is_ca:
                raise ChainInvalid(name, "the leaf is a certificate authority")
        else:
            _check_authority(certificate, depth - 1, name)


def check_chain_signatures(chain: Sequence[Certificate], links: VerifiedLinks, claim: str) -> None:
    """Raise `SignatureInvalid` unless each certificate is signed by the next one's key."""
    for depth in range(len(chain) - 1):
        links.verify(chain[depth], chain[depth + 1], f"{claim}[{depth}].signature")


def verify_certificate_signature(certificate: Certificate, issuer: Certificate, claim: str) -> None:
    """Raise `SignatureInvalid` unless `issuer`'s key signed `certificate`."""
    key = issuer.public_key
    if certificate.signature_algorithm == ECDSA_SHA384 and isinstance(key, EcKey):
        fields = der.sole_element(certificate.signature, der.SEQUENCE, claim)
        r, s = fields.integer(), fields.integer()
        fields.finish()
        ecdsa_p384.verify(ecdsa_p384.parse_point(key.point, claim), certificate.tbs, r, s, claim)
    elif certificate.signature_algorithm in RSA_PSS_SHA384 and not isinstance(key, EcKey):
        if key.exponent != rsa_pss.PUBLIC_EXPONENT:
            raise SignatureInvalid(claim, f"RSA exponent {key.exponent}, expected {rsa_pss.PUBLIC_EXPONENT}")
        rsa_pss.verify(key.modulus, certificate.tbs, certificate.signature, claim)
    else:
        raise SignatureInvalid(
            claim,
            f"algorithm {certificate.signature_algorithm.hex()} is unknown, or not for the issuer's key",
        )


def _check_validity(certificate: Certificate, now_ns: int, name: str) -> None:
    """RFC 5280 validity includes both ends, to the second."""
    now = now_ns // NANOSECONDS
    if not certificate.not_before <= now <= certificate.not_after:
        raise CertificateExpired(
            name,
            f"{certificate.subject.common_name!r} is valid from {certificate.not_before} to "
            f"{certificate.not_after}, but it is {now} (seconds since 1970)",
        )


def _check_authority(certificate: Certificate, authorities_below: int, name: str) -> None:
    if not certificate.is_ca:
        raise ChainInvalid(name, f"{certificate.subject.common_name!r} is not a certificate authority")
    if certificate.key_usage is None or not certificate.key_usage & KEY_USAGE_CERTIFICATE_SIGN:
        raise ChainInvalid(name, f"{certificate.subject.common_name!r} may not sign certificates")
    if certificate.path_length is not None and certificate.path_length < authorities_below:
        raise ChainInvalid(
            name,
            f"{certificate.subject.common_name!r} allows {certificate.path_length} authorities below it, "
            f"there are {authorities_below}",
        )
