"""Named people of the tests, with keys, so that the same principals can sign on any network."""

from __future__ import annotations

import hashlib

from leasehold.agent import Identity

_KNOWN: dict[bytes, Identity] = {Identity.ANONYMOUS.principal.raw: Identity.ANONYMOUS}


def signer(name: str) -> Identity:
    """The person of this name: the same key each time."""
    identity = Identity.from_ed25519(hashlib.sha256(b"leasehold test person " + name.encode()).digest())
    return _KNOWN.setdefault(identity.principal.raw, identity)


def signer_of(principal: bytes) -> Identity:
    """Who signs for a principal that `signer` has made, or that is anonymous."""
    return _KNOWN[principal]
