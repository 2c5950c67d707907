"""Makes the development roots and intermediate authorities; see `development_keys/README.md`."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from attestation.simulator.certificates import (
    PrivateKey,
    amd_name,
    authority,
    end_entity,
    intel_name,
    issue,
    key_identifiers,
    nvidia_authority_name,
)

FOLDER = Path(__file__).parent / "development_keys"
LABEL = b"NOT SECRET: development only, see README.md\n"


def main() -> None:
    """Write key pairs and certificates of all vendors, and print the fingerprints of the roots."""
    ark, ask = (rsa.generate_private_key(public_exponent=65537, key_size=4096) for _ in range(2))
    ark_name, ask_name = amd_name("ARK-Genoa"), amd_name("SEV-Genoa")
    root = write("amd_ark", ark, issue(ark_name, ark, ark_name, ark, 1, authority(None)))
    write("amd_ask", ask, issue(ask_name, ask, ark_name, ark, 2, authority(0, signs_revocation=False)))
    print("DEVELOPMENT_AMD_ROOTS", root, *make_amd_roots(ark))

    root_key, identity, provisioner = (ec.generate_private_key(ec.SECP384R1()) for _ in range(3))
    root_name = nvidia_authority_name("SIMULATED NVIDIA Device Identity CA")
    identity_name = nvidia_authority_name("SIMULATED NVIDIA GH100 Identity")
    provisioner_name = nvidia_authority_name("SIMULATED NVIDIA GH100 Provisioner ICA 1")
    root = write("nvidia_root", root_key, issue(root_name, root_key, root_name, root_key, 1, authority(None)))
    write(
        "nvidia_identity", identity, issue(identity_name, identity, root_name, root_key, 2, authority(None))
    )
    write(
        "nvidia_provisioner",
        provisioner,
        issue(provisioner_name, provisioner, identity_name, identity, 3, authority(None)),
    )
    print("DEVELOPMENT_NVIDIA_ROOTS", root)
    make_manifest_root()
    make_intel_authorities()


def make_amd_roots(key: PrivateKey) -> list[str]:
    """Write certificates of the AMD root's key for the other products; answers their fingerprints."""
    fingerprints = []
    for product in ("Milan", "Turin"):
        name = amd_name(f"ARK-{product}")
        certificate = issue(name, key, name, key, 1, authority(None))
        path = FOLDER / f"amd_ark_{product.lower()}.crt.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        fingerprints.append(certificate.fingerprint(SHA256()).hex())
    return fingerprints


def make_manifest_root() -> None:
    """Write the root of the simulated reference manifests, and print its fingerprint."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = nvidia_authority_name("SIMULATED NVIDIA CoRIM signing Root CA")
    root = write("nvidia_manifest_root", key, issue(name, key, name, key, 1, authority(None)))
    print("DEVELOPMENT_NVIDIA_MANIFEST_ROOTS", root)


def make_intel_authorities() -> None:
    """Write the simulated Intel root, PCK authority and TCB signer, and print the root's fingerprint."""
    root_key, pck_key, tcb_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name = intel_name("Intel SGX Root CA")
    extensions = (*authority(1), *key_identifiers(root_key, root_key))
    root = write("intel_root", root_key, issue(root_name, root_key, root_name, root_key, 1, extensions))
    extensions = (*authority(0), *key_identifiers(pck_key, root_key))
    name = intel_name("Intel SGX PCK Platform CA")
    write("intel_pck_ca", pck_key, issue(name, pck_key, root_name, root_key, 2, extensions))
    extensions = (*end_entity(), *key_identifiers(tcb_key, root_key))
    name = intel_name("Intel SGX TCB Signing")
    write("intel_tcb_signing", tcb_key, issue(name, tcb_key, root_name, root_key, 3, extensions))
    print("DEVELOPMENT_INTEL_ROOTS", root)


def write(name: str, key: PrivateKey, certificate: x509.Certificate) -> str:
    """Write key and certificate as PEM; answers the certificate's SHA-256 in hex."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (FOLDER / f"{name}.key.pem").write_bytes(LABEL + private)
    (FOLDER / f"{name}.crt.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return certificate.fingerprint(SHA256()).hex()


if __name__ == "__main__":
    main()
