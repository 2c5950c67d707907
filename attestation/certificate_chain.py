"""Verification of certificate chains: names, constraints, usages, validity, and each link's signature.

The last certificate of a chain is the root. Its own signature is not checked: what makes it trusted is that a
policy names its SHA-256, and a policy that does not name it refuses the evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from attestation.crypto import der, ecdsa_p256, ecdsa_p384, rsa_pss
from attestation.errors import CertificateExpired, ChainInvalid, SignatureInvalid
from attestation.public_keys import EcKey, P256Key, RsaKey
from attestation.x509 import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    KEY_USAGE_CERTIFICATE_SIGN,
    RSA_PSS_SHA384,
    Certificate,
    parse_certificate,
)

MAX_REMEMBERED_LINKS = 512
NANOSECONDS = 1_000_000_000


class Unfinished(Exception):
    """The budget of signatures is used up: nothing is accepted, nothing refused. Go on with `fresh`.

    No `AttestationError`, so that nothing takes it for a refusal.
    """


class VerifiedLinks:
    """Signatures over certificates that were already found good, so that none is verified twice.

    Holds SHA-256 digests of (issuer's certificate, certificate) pairs. One instance serves one bundle; a
    long-lived verifier may keep one across bundles, since a signature once valid stays valid (dates, names
    and constraints are checked every time). At most `MAX_REMEMBERED_LINKS` are kept; then it starts anew.

    With a `budget`, at most so many signatures are verified before `Unfinished` is raised. What was verified
    until then is in `fresh`: given as `known` to the next instance, it lets the same verification go further.
    `passed` counts the signatures that were found good, remembered ones included.
    """

    def __init__(self, known: Iterable[bytes] = (), budget: int | None = None) -> None:
        self._digests = set(known)
        self._budget = budget
        self.fresh: list[bytes] = []
        self.passed = 0

    @property
    def digests(self) -> frozenset[bytes]:
        """All that is remembered."""
        return frozenset(self._digests)

    def verify(self, certificate: Certificate, issuer: Certificate, claim: str, recurs: bool = True) -> None:
        """Raise `SignatureInvalid` unless `issuer`'s key signed `certificate`.

        `recurs`: the issuer signs other things too, which makes it worth while to prepare for more of them.
        """
        digest = hashlib.sha256(issuer.fingerprint + certificate.fingerprint).digest()
        if self._is_known(digest):
            return
        verify_certificate_signature(certificate, issuer, claim, recurs)
        self._remember(digest)

    def verify_ecdsa(
        self, key: EcKey | P256Key, message: bytes, r: int, s: int, claim: str, recurs: bool = True
    ) -> None:
        """Raise `SignatureInvalid` unless (r, s) is a signature of `key` over `message`.

        The hash is SHA-384 for P-384 and SHA-256 for P-256. For what many verifications share: revocation
        answers, revocation lists, reference manifests and vendors' statements about firmware.
        """
        curve = b"ecdsa-p384" if isinstance(key, EcKey) else b"ecdsa-p256"
        digest = hashlib.sha256(
            curve + key.point + hashlib.sha384(message).digest() + f"{r:x},{s:x}".encode("ascii")
        ).digest()
        if self._is_known(digest):
            return
        verify_ecdsa(key, message, r, s, claim, recurs)
        self._remember(digest)

    def verify_report(self, key: EcKey | P256Key, message: bytes, r: int, s: int, claim: str) -> None:
        """`verify_ecdsa` for what no other evidence shares: remembered only to go on after `Unfinished`."""
        if self._budget is None:
            self.passed += 1
            verify_ecdsa(key, message, r, s, claim)
        else:
            self.verify_ecdsa(key, message, r, s, claim, recurs=False)

    def verify_structure(
        self, signed: bytes, algorithm: bytes, signature: bytes, issuer: Certificate, claim: str
    ) -> None:
        """`verify_signed_structure` by `issuer`'s key, remembered: for revocation lists."""
        parts = (issuer.der, signed, algorithm, signature)
        digest = hashlib.sha256(
            b"structure" + b"".join(hashlib.sha256(part).digest() for part in parts)
        ).digest()
        if self._is_known(digest):
            return
        verify_signed_structure(signed, algorithm, signature, issuer.public_key, claim)
        self._remember(digest)

    def _is_known(self, digest: bytes) -> bool:
        if digest not in self._digests:
            if self._budget is not None and len(self.fresh) >= self._budget:
                raise Unfinished
            return False
        self.passed += 1
        return True

    def _remember(self, digest: bytes) -> None:
        if self._budget is not None:
            self.fresh.append(digest)
        elif len(self._digests) >= MAX_REMEMBERED_LINKS:
            self._digests.clear()
        self._digests.add(digest)
        self.passed += 1


def parse_chain(chain: Sequence[bytes], length: int, claim: str) -> tuple[Certificate, ...]:
    """Parse a chain of exactly `length` certificates, leaf first."""
    if len(chain) != length:
        raise ChainInvalid(claim, f"has {len(chain)} certificates, must have {length}")
    return tuple(parse_certificate(data, f"{claim}[{index}]") for index, data in enumerate(chain))


def check_chain_structure(chain: Sequence[Certificate], now_ns: int, claim: str) -> None:
    """Everything about a chain but its signatures: validity at `now_ns`, names, constraints and usages."""
    for depth, certificate in enumerate(chain):
        name = f"{claim}[{depth}]"
        check_validity(certificate, now_ns, name)
        issuer = chain[min(depth + 1, len(chain) - 1)]
        if certificate.issuer.der != issuer.subject.der:
            raise ChainInvalid(
                name, f"issuer {certificate.issuer.common_name!r} is not {issuer.subject.common_name!r}"
            )
        if depth == 0:
            if certificate.is_ca:
                raise ChainInvalid(name, "the leaf is a certificate authority")
        else:
            check_authority(certificate, depth - 1, name)


def check_chain_signatures(
    chain: Sequence[Certificate], links: VerifiedLinks, claim: str, own: int = 0
) -> None:
    """Raise `SignatureInvalid` unless each certificate is signed by the next one's key.

    The first `own` issuers belong to one device, and sign nothing but what is below them in this chain.
    """
    for depth in range(len(chain) - 1):
        links.verify(chain[depth], chain[depth + 1], f"{claim}[{depth}].signature", recurs=depth >= own)


def verify_certificate_signature(
    certificate: Certificate, issuer: Certificate, claim: str, recurs: bool = True
) -> None:
    """Raise `SignatureInvalid` unless `issuer`'s key signed `certificate`."""
    algorithm, signature = certificate.signature_algorithm, certificate.signature
    verify_signed_structure(certificate.tbs, algorithm, signature, issuer.public_key, claim, recurs)


def verify_signed_structure(
    signed: bytes,
    algorithm: bytes,
    signature: bytes,
    key: EcKey | P256Key | RsaKey,
    claim: str,
    recurs: bool = True,
) -> None:
    """Raise `SignatureInvalid` unless `signature` over `signed` is by `key` and of its kind.

    `algorithm` is the whole AlgorithmIdentifier; certificates and revocation lists share this form. `recurs`
    as in `VerifiedLinks.verify`.
    """
    if (algorithm == ECDSA_SHA384 and isinstance(key, EcKey)) or (
        algorithm == ECDSA_SHA256 and isinstance(key, P256Key)
    ):
        r, s = ecdsa_signature(signature, claim)
        verify_ecdsa(key, signed, r, s, claim, recurs)
    elif algorithm in RSA_PSS_SHA384 and isinstance(key, RsaKey):
        if key.exponent != rsa_pss.PUBLIC_EXPONENT:
            raise SignatureInvalid(claim, f"RSA exponent {key.exponent}, expected {rsa_pss.PUBLIC_EXPONENT}")
        rsa_pss.verify(key.modulus, signed, signature, claim)
    else:
        raise SignatureInvalid(claim, f"algorithm {algorithm.hex()} is unknown, or not for the issuer's key")


def verify_ecdsa(
    key: EcKey | P256Key, message: bytes, r: int, s: int, claim: str, recurs: bool = False
) -> None:
    """Raise `SignatureInvalid` unless (r, s) is `key`'s signature over `message`, with its curve's hash."""
    curve = ecdsa_p384 if isinstance(key, EcKey) else ecdsa_p256
    curve.verify(curve.parse_point(key.point, claim), message, r, s, claim, recurs)


def ecdsa_signature(encoded: bytes, claim: str) -> tuple[int, int]:
    """r and s of an Ecdsa-Sig-Value (RFC 3279, section 2.2.3)."""
    fields = der.sole_element(encoded, der.SEQUENCE, claim)
    r, s = fields.integer(), fields.integer()
    fields.finish()
    return r, s


def check_validity(certificate: Certificate, now_ns: int, name: str) -> None:
    """Raise `CertificateExpired` outside the dates, which are both valid (RFC 5280), to the second."""
    now = now_ns // NANOSECONDS
    if not certificate.not_before <= now <= certificate.not_after:
        raise CertificateExpired(
            name,
            f"{certificate.subject.common_name!r} is valid from {certificate.not_before} to "
            f"{certificate.not_after}, but it is {now} (seconds since 1970)",
        )


def check_authority(certificate: Certificate, authorities_below: int, name: str) -> None:
    """Raise `ChainInvalid` unless the certificate may sign others, with so many authorities below it."""
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
