"""The bridge between sealed files and vetKeys: the file's secret, encrypted to its item.

Source: docs/interfaces.md, "Sealing".
"""

from leasehold.sealing.age import parse_secret
from leasehold.sealing.errors import SealingError
from leasehold.vetkeys import VetKey, ibe_decrypt, ibe_encrypt


def seal_secret(secret: str, derived_public_key: bytes, input: bytes) -> bytes:
    """Encrypt a file's secret to an item, for `Artifact.sealed_identity`.

    Args:
        secret: `AGE-SECRET-KEY-1…`.
        derived_public_key: 96 bytes, the marketplace's vetKD key of its context.
        input: of the item, such as `listing/<id>`.
    """
    return ibe_encrypt(derived_public_key, input, secret.encode())


def open_secret(vetkey: VetKey, sealed_identity: bytes) -> str:
    """Decrypt a file's secret with the vetKey of its item.

    Raises:
        VetKeyError: damaged, or of another item.
        SealingError: the owner sealed something that is no age identity.
    """
    try:
        secret = ibe_decrypt(vetkey, sealed_identity).decode()
    except UnicodeDecodeError as error:
        raise SealingError("the sealed identity contains no text") from error
    parse_secret(secret)
    return secret
