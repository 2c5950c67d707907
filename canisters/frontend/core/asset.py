"""Assets: what is checked of them, and their records at rest."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from canisters.frontend.core.errors import AssetRefused

MAX_PATH = 200
MAX_CONTENT_TYPE = 100
MAX_BODY = 1_900_000
"""A body comes in one message of at most 2 MiB."""
MAX_RECORD = 1 + 32 + 8 + MAX_CONTENT_TYPE
ENCODINGS = ("identity", "gzip")

_VERSION = 1
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+|/")
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(; charset=utf-8)?")


class Asset(NamedTuple):
    """What is known about an asset; its body is kept apart."""

    path: str
    encoding: str
    content_type: str
    size: int
    sha256: bytes

    @property
    def key(self) -> bytes:
        """Where it is kept; the encodings of a path lie side by side."""
        return asset_key(self.path, self.encoding)

    def encode(self) -> bytes:
        """The record at rest: version, hash, size, type. Path and encoding are in the key."""
        return bytes([_VERSION]) + self.sha256 + self.size.to_bytes(8, "big") + self.content_type.encode()

    @classmethod
    def decode(cls, key: bytes, record: bytes) -> Asset:
        """The asset that `encode` made `record` from."""
        if record[0] != _VERSION:
            raise ValueError(f"an asset's record of version {record[0]}; this module reads {_VERSION}")
        path, _, encoding = key.decode().partition("\0")
        size = int.from_bytes(record[33:41], "big")
        return cls(path, encoding, record[41:].decode(), size, record[1:33])


def asset_key(path: str, encoding: str) -> bytes:
    """The key of one encoding of a path."""
    return f"{path}\0{encoding}".encode()


def checked(path: str, encoding: str, content_type: str, body: bytes, declared_sha256: bytes) -> Asset:
    """An asset made of what a controller sent.

    Raises:
        AssetRefused: it could not be served, or the body is not what its hash says.
    """
    if len(path) > MAX_PATH or not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise AssetRefused("path", path, "must be / and segments of letters, digits and . _ ~ -")
    if encoding not in ENCODINGS:
        raise AssetRefused("content_encoding", encoding, f"must be one of {', '.join(ENCODINGS)}")
    if len(content_type) > MAX_CONTENT_TYPE or not _CONTENT_TYPE.fullmatch(content_type):
        raise AssetRefused("content_type", content_type, "must be like text/html; charset=utf-8")
    if len(body) > MAX_BODY:
        raise AssetRefused("body", f"{len(body)} bytes", f"must have at most {MAX_BODY} bytes")
    found = sha256(body).digest()
    if found != declared_sha256:
        raise AssetRefused("sha256", declared_sha256.hex(), f"the body's hash is {found.hex()}")
    return Asset(path, encoding, content_type, len(body), found)
