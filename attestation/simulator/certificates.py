"""Certificates of the simulated vendors, shaped like the genuine ones."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Extension = tuple[x509.ExtensionType, bool]

PSS_SHA384 = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
NOT_BEFORE = datetime.datetime(2024, 1, 1)
END_OF_TIME = datetime.datetime(9999, 12, 31, 23, 59, 59)


def amd_name(common_name: str) -> x509.Name:
    """Subject of a certificate of the simulated AMD key service."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "SIMULATED, for development only"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Santa Clara"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "CA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SIMULATED Advanced Micro Devices"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def intel_name(common_name: str) -> x509.Name:
    """Subject of a certificate of the simulated Intel provisioning service."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"SIMULATED {common_name}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SIMULATED Intel Corporation"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Santa Clara"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "CA"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        ]
    )


def nvidia_authority_name(common_name: str) -> x509.Name:
    """Subject of one of the simulated NVIDIA's authorities."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SIMULATED NVIDIA Corporation"),
        ]
    )


def nvidia_device_name(serial: str, common_name: str) -> x509.Name:
    """Subject of a certificate made inside a simulated GPU; `serial` is hex."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.SERIAL_NUMBER, serial),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SIMULATED NVIDIA Corporation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def authority(path_length: int | None, signs_revocation: bool = True) -> Sequence[Extension]:
    """Extensions of a certificate authority."""
    return (
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(certificate_sign=True, crl_sign=signs_revocation), True),
    )


def end_entity() -> Sequence[Extension]:
    """Extensions of a leaf that says it is no authority and may sign data."""
    return (x509.BasicConstraints(ca=False, path_length=None), True), report_signer()


def key_identifiers(key: PrivateKey, issuer_key: PrivateKey) -> Sequence[Extension]:
    """Subject and authority key identifiers."""
    return (
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
    )


def report_signer() -> Extension:
    """Key usage of a leaf that signs reports."""
    return _key_usage(digital_signature=True), True


def ocsp_responder(key: ec.EllipticCurvePrivateKey) -> Sequence[Extension]:
    """Extensions of a certificate that signs OCSP answers."""
    return (
        (x509.BasicConstraints(ca=False, path_length=None), False),
        report_signer(),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), True),
        (x509.OCSPNoCheck(), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    )


def raw_extension(oid: str, value: bytes) -> Extension:
    """Extension with a value made by hand."""
    return x509.UnrecognizedExtension(ObjectIdentifier(oid), value), False


def issue(
    subject: x509.Name,
    key: PrivateKey,
    issuer: x509.Name,
    issuer_key: PrivateKey,
    serial: int,
    extensions: Iterable[Extension],
    not_after: datetime.datetime = END_OF_TIME,
) -> x509.Certificate:
    """Certificate for `key`, signed by `issuer_key`.

    As the vendors do: RSA-PSS with SHA-384, P-384 with SHA-384, P-256 with SHA-256.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    scheme = PSS_SHA384 if isinstance(issuer_key, rsa.RSAPrivateKey) else None
    return builder.sign(issuer_key, hash_for(issuer_key), rsa_padding=scheme)


def revoke(
    issuer: x509.Name,
    issuer_key: PrivateKey,
    serials: Iterable[int],
    issued: datetime.datetime,
    next_update: datetime.datetime,
) -> x509.CertificateRevocationList:
    """Revocation list of `issuer` with these serial numbers."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(issued)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(1), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
        reason = x509.CRLReason(x509.ReasonFlags.key_compromise)
        builder = builder.add_revoked_certificate(revoked.add_extension(reason, False).build())
    scheme = PSS_SHA384 if isinstance(issuer_key, rsa.RSAPrivateKey) else None
    return builder.sign(issuer_key, hash_for(issuer_key), rsa_padding=scheme)


def hash_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """SHA-256 for P-256, else SHA-384."""
    small = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 256
    return hashes.SHA256() if small else hashes.SHA384()


def _key_usage(
    digital_signature: bool = False, certificate_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
