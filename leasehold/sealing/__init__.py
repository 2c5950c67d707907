"""Sealed files (age), their secrets (vetKeys), and the archives inside them."""

from leasehold.sealing.age import SealedFile, check_file, hash_file, open_file, seal_file
from leasehold.sealing.archive import pack_folder, unpack_archive
from leasehold.sealing.errors import PackingError, SealingError
from leasehold.sealing.identity_key import open_secret, seal_secret

__all__ = [
    "PackingError",
    "SealedFile",
    "SealingError",
    "check_file",
    "hash_file",
    "open_file",
    "open_secret",
    "pack_folder",
    "seal_file",
    "seal_secret",
    "unpack_archive",
]
