"""The development roots: reads the published keys and certificates of `development_keys/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from attestation.simulator.certificates import PrivateKey

FOLDER = Path(__file__).parent / "development_keys"


@dataclass(frozen=True)
class Authority:
    """A simulated vendor's certificate authority."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        """The certificate's DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def name(self) -> x509.Name:
        """The name to put as issuer."""
        return self.certificate.subject


@cache
def load_certificate(name: str) -> x509.Certificate:
    """A certificate in `FOLDER`."""
    return x509.load_pem_x509_certificate((FOLDER / f"{name}.crt.pem").read_bytes())


@cache
def load_authority(name: str) -> Authority:
    """One of the authorities in `FOLDER`, for example ``amd_ark`` or ``nvidia_root``."""
    certificate = load_certificate(name)
    # The published keys are known to be well-formed; checking them again would take most of a second.
    key = load_pem_private_key(
        (FOLDER / f"{name}.key.pem").read_bytes(), None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise TypeError(f"{name}: expected an RSA or elliptic-curve key, found {type(key).__name__}")
    return Authority(certificate, key)
