"""vetKeys: receiving keys from the Internet Computer, and encrypting to those not yet derived."""

from leasehold.vetkeys.errors import VetKeyError
from leasehold.vetkeys.ibe import ibe_decrypt, ibe_encrypt
from leasehold.vetkeys.keys import TransportKey, VetKey, derive_public_key

__all__ = ["TransportKey", "VetKey", "VetKeyError", "derive_public_key", "ibe_decrypt", "ibe_encrypt"]
