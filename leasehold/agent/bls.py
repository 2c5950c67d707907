"""BLS12-381 signatures of subnets: 48-byte signatures in G1, 96-byte keys in G2.

Source: IC interface specification, "Certificate" (signature scheme) and "Signatures" (DER of the keys).
"""

import pyblst  # type: ignore[import-untyped]

from leasehold.agent.errors import CertificateError

DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
SIGNATURE_BYTES = 48
PUBLIC_KEY_BYTES = 96

DER_PREFIX = bytes.fromhex("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100")

_INFINITY_FLAG = 0x40

# The generator of G2, compressed (draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1).
_G2_GENERATOR = bytes.fromhex(
    "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
)


def public_key_from_der(der: bytes) -> bytes:
    """The 96 bytes of a subnet's or the root's key.

    Raises:
        CertificateError: not the DER of such a key.
    """
    if not der.startswith(DER_PREFIX) or len(der) != len(DER_PREFIX) + PUBLIC_KEY_BYTES:
        raise CertificateError(f"this is no DER-encoded BLS12-381 public key: {der[:40].hex()}…")
    return der[len(DER_PREFIX) :]


def public_key_to_der(public_key: bytes) -> bytes:
    """DER of a 96-byte key."""
    return DER_PREFIX + public_key


def verify(message: bytes, signature: bytes, public_key: bytes) -> None:
    """Check a signature.

    Raises:
        CertificateError: it does not hold, or signature or key is no point of its group.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise CertificateError(f"a subnet's signature has {SIGNATURE_BYTES} bytes, got {len(signature)}")
    if public_key[:1] and public_key[0] & _INFINITY_FLAG:
        # The point at infinity "signs" everything.
        raise CertificateError("the BLS public key is the point at infinity")
    try:
        point = pyblst.BlstP1Element().uncompress(signature)
        key = pyblst.BlstP2Element().uncompress(public_key)
        hashed = pyblst.BlstP1Element.hash_to_group(message, DOMAIN)
        left = pyblst.miller_loop(point, pyblst.BlstP2Element().uncompress(_G2_GENERATOR))
        holds = pyblst.final_verify(left, pyblst.miller_loop(hashed, key))
    except (ValueError, RuntimeError) as error:
        raise CertificateError(f"a BLS signature or key is malformed: {error}") from error
    if not holds:
        raise CertificateError("the subnet's signature on the certificate does not hold")
