import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from leasehold.agent import ALGORITHMS, Identity, IdentityError, Principal

# Made by `icp identity new NAME --storage plaintext` (icp 1.5.0) and shown by `icp identity principal`.
ICP_SECP256K1 = b"""-----BEGIN PRIVATE KEY-----
MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgtBLvEPHYH+hsQcyhW4Lh
jJQRV5GoGF91W+1V/pPSR36hRANCAATeqXIAP9+YVc8xZQSNSX5VXywG4gRg3F0W
65bBbFcJOO0BnUYEtP3JzE/5wt38J2G23vKsWLznpx8b+YVI5zut
-----END PRIVATE KEY-----
"""
ICP_SECP256K1_PRINCIPAL = "ajeyv-yldam-7qqob-zn4yl-b3tp6-2tvsr-mjeve-hal2l-2yzfm-u7uke-5qe"

# Printed by `icp identity export` for an imported Ed25519 key: PKCS#8 version 2.
ICP_ED25519 = b"""-----BEGIN PRIVATE KEY-----
MFECAQEwBQYDK2VwBCIEIFg152EdI3Ct0XO1T2TJvZchgAWD14+Kt0xheVfmQRoz
gSEAn4aDpWNI4C3Z/+ibjXni+m137sHDhltdW2AkYWJgfNA=
-----END PRIVATE KEY-----
"""
ICP_ED25519_PRINCIPAL = "tz2wk-4a2hm-cvnfa-enfoz-kc46o-ug2uk-5e2gl-xlc42-xuvkl-juu4g-iae"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_pem_file_keeps_the_identity(algorithm: str) -> None:
    identity = Identity.generate(algorithm)
    again = Identity.from_pem(identity.to_pem())
    assert (again.principal, again.algorithm) == (identity.principal, algorithm)


@pytest.mark.parametrize(
    ("pem", "principal"),
    [(ICP_SECP256K1, ICP_SECP256K1_PRINCIPAL), (ICP_ED25519, ICP_ED25519_PRINCIPAL)],
)
def test_the_icp_cli_s_files_are_read(pem: bytes, principal: str) -> None:
    assert str(Identity.from_pem(pem).principal) == principal


def test_a_dfx_file_is_read() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    parameters = b"-----BEGIN EC PARAMETERS-----\nBgUrgQQACg==\n-----END EC PARAMETERS-----\n"
    assert Identity.from_pem(pem).principal == Identity.from_pem(parameters + pem).principal


def test_a_session_key_is_made_from_its_secret() -> None:
    identity = Identity.from_ed25519(b"\x07" * 32)
    assert identity.principal == Principal.of_public_key(identity.public_key_der)
    assert identity.public_key_der.endswith(identity.public_key_raw)
    assert len(identity.public_key_raw) == 32
    with pytest.raises(IdentityError, match="has 32 bytes, got 31"):
        Identity.from_ed25519(bytes(31))


def test_ecdsa_signatures_are_r_and_s_over_sha_256() -> None:
    identity = Identity.generate("p256")
    signature = identity.sign(b"message")
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    assert isinstance(identity.private_key, ec.EllipticCurvePrivateKey)
    identity.private_key.public_key().verify(der, b"message", ec.ECDSA(hashes.SHA256()))


def test_the_anonymous_identity_signs_nothing() -> None:
    assert Identity.ANONYMOUS.principal == Principal.ANONYMOUS
    with pytest.raises(IdentityError):
        Identity.ANONYMOUS.sign(b"")
    with pytest.raises(IdentityError):
        Identity.ANONYMOUS.to_pem()


def encrypted() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def of_rsa() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("pem", "problem"),
    [
        (b"", "no PEM private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no PEM private key"),
        (ICP_ED25519.replace(b"gSEAn4aD", b"gSEAn4aE"), "does not belong"),
        (encrypted(), "encrypted; export it first"),
        (of_rsa(), "unsupported key type"),
    ],
)
def test_what_is_no_key_is_refused(pem: bytes, problem: str) -> None:
    with pytest.raises(IdentityError, match=problem):
        Identity.from_pem(pem)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(IdentityError, match="choose one of ed25519"):
        Identity.generate("rsa")
