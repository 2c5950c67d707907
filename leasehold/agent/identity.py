"""Identities: key pairs that sign messages to the Internet Computer.

The PEM files are those of the `icp` CLI: unencrypted PKCS#8, version 1 or 2 (with the public key), for
Ed25519, secp256k1 and P-256; SEC1 files of dfx are read too.
Source: IC interface specification, "Signatures".
"""

import base64
import re
from dataclasses import dataclass
from typing import ClassVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from leasehold.agent.errors import IdentityError
from leasehold.agent.principal import Principal

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

_CURVES: dict[str, type[ec.EllipticCurve]] = {"secp256k1": ec.SECP256K1, "p256": ec.SECP256R1}
ALGORITHMS = ("ed25519", *_CURVES)


@dataclass(frozen=True)
class Identity:
    """A key pair, or the anonymous identity. Make one with the class methods.

    Args:
        private_key: `None` for the anonymous identity.
    """

    private_key: PrivateKey | None
    ANONYMOUS: ClassVar["Identity"]

    def __post_init__(self) -> None:
        der = b"" if self.private_key is None else _public_der(self.private_key)
        principal = Principal.of_public_key(der) if der else Principal.ANONYMOUS
        object.__setattr__(self, "_der", der)
        object.__setattr__(self, "_principal", principal)

    @classmethod
    def generate(cls, algorithm: str = "ed25519") -> "Identity":
        """A fresh key pair.

        Raises:
            IdentityError: the algorithm is none of `ALGORITHMS`.
        """
        if algorithm == "ed25519":
            return cls(ed25519.Ed25519PrivateKey.generate())
        if algorithm in _CURVES:
            return cls(ec.generate_private_key(_CURVES[algorithm]()))
        raise IdentityError(f"unknown key type {algorithm!r}; choose one of {', '.join(ALGORITHMS)}")

    @classmethod
    def from_ed25519(cls, secret: bytes) -> "Identity":
        """The identity of a 32-byte Ed25519 secret."""
        if len(secret) != 32:
            raise IdentityError(f"an Ed25519 secret has 32 bytes, got {len(secret)}")
        return cls(ed25519.Ed25519PrivateKey.from_private_bytes(secret))

    @classmethod
    def from_pem(cls, pem: bytes) -> "Identity":
        """Read an unencrypted private key file.

        Raises:
            IdentityError: not a PEM private key, encrypted, or of another key type.
        """
        if (secret := _ed25519_version_2(pem)) is not None:
            return cls.from_ed25519(secret)
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except TypeError as error:
            message = "the key file is encrypted; export it first with `icp identity export NAME`"
            raise IdentityError(message) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise IdentityError(f"this is no PEM private key: {error}") from error
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, tuple(_CURVES.values())):
            return cls(key)
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return cls(key)
        raise IdentityError(f"unsupported key type {type(key).__name__}; use one of {', '.join(ALGORITHMS)}")

    def to_pem(self) -> bytes:
        """The key as unencrypted PKCS#8 PEM, as `icp identity import --from-pem` takes it."""
        if self.private_key is None:
            raise IdentityError("the anonymous identity has no key to write")
        encoding, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.private_key.private_bytes(encoding, pkcs8, serialization.NoEncryption())

    @property
    def algorithm(self) -> str:
        """`ed25519`, `secp256k1`, `p256` or `anonymous`."""
        if self.private_key is None:
            return "anonymous"
        if isinstance(self.private_key, ed25519.Ed25519PrivateKey):
            return "ed25519"
        return next(name for name, curve in _CURVES.items() if isinstance(self.private_key.curve, curve))

    @property
    def principal(self) -> Principal:
        """Who the Internet Computer takes this identity for."""
        principal: Principal = self.__dict__["_principal"]
        return principal

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo; empty for the anonymous identity."""
        der: bytes = self.__dict__["_der"]
        return der

    @property
    def public_key_raw(self) -> bytes:
        """The key without its DER frame: 32 bytes (Ed25519) or 65 bytes (uncompressed point)."""
        return self.public_key_der[-32:] if self.algorithm == "ed25519" else self.public_key_der[-65:]

    def sign(self, message: bytes) -> bytes:
        """64-byte signature: Ed25519 over the message, or ECDSA `r || s` over its SHA-256."""
        if self.private_key is None:
            raise IdentityError("the anonymous identity cannot sign")
        if isinstance(self.private_key, ed25519.Ed25519PrivateKey):
            return self.private_key.sign(message)
        r, s = decode_dss_signature(self.private_key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def __repr__(self) -> str:
        return f"Identity({self.algorithm}, {self.principal})"


def _public_der(key: PrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


# PKCS#8 version 2 (RFC 5958, RFC 8410 section 10.3) of an Ed25519 key, as `icp identity export` writes it:
# header, 32 bytes of secret, header of the public key, 32 bytes of public key.
_V2_SECRET_HEADER = bytes.fromhex("3051020101300506032b657004220420")
_V2_PUBLIC_HEADER = bytes.fromhex("812100")
_V2_SECRET_AT = len(_V2_SECRET_HEADER)
_V2_PUBLIC_AT = _V2_SECRET_AT + 32 + len(_V2_PUBLIC_HEADER)
_PEM_BODY = re.compile(rb"-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----")


def _ed25519_version_2(pem: bytes) -> bytes | None:
    # `cryptography` reads version 1 only.
    match = _PEM_BODY.search(pem)
    if match is None:
        return None
    try:
        der = base64.b64decode(b"".join(match[1].split()), validate=True)
    except ValueError:
        return None
    headers = (der[:_V2_SECRET_AT], der[_V2_SECRET_AT + 32 : _V2_PUBLIC_AT])
    if headers != (_V2_SECRET_HEADER, _V2_PUBLIC_HEADER) or len(der) != _V2_PUBLIC_AT + 32:
        return None
    secret = der[_V2_SECRET_AT : _V2_SECRET_AT + 32]
    if Identity.from_ed25519(secret).public_key_raw != der[_V2_PUBLIC_AT:]:
        raise IdentityError("the key file's public key does not belong to its secret key")
    return secret


Identity.ANONYMOUS = Identity(None)
