"""Attestation as the marketplace records it, and the keys it releases."""

from pydantic import Field

from leasehold.agent.principal import Principal
from leasehold.models.base import Bytes, Model, Sha256, Timestamp


class Claim(Model):
    """One row of a verification: `verdict` is `valid`, `invalid` or `unverifiable`."""

    name: str
    verdict: str
    expected: str
    found: str


class AttestationRecord(Model):
    """The TEE evidence that the marketplace accepted. `simulated` means that no hardware stood behind it."""

    policy: str
    simulated: bool
    cpu_kind: str
    measurement: str
    chip_id: str
    gpus: list[str]
    switches: list[str]
    session: Principal
    bundle_sha256: Sha256
    verified_at: Timestamp
    expires_at: Timestamp
    claims: list[Claim]


class Challenge(Model):
    """A nonce to be bound into evidence."""

    nonce: Bytes
    expires_at: Timestamp


class EvidenceUpload(Model):
    """How many parts of the evidence have arrived."""

    received: int
    count: int


class Unfinished(Model):
    """How far a verification in steps has come, in signatures; `total` is an estimate."""

    done: int
    total: int


class ReleasedKey(Model):
    """A vetKey, encrypted to a transport key; for `TransportKey.decrypt`."""

    encrypted_key: Bytes
    input: Bytes
    context: Bytes


class SealingKey(Model):
    """The public key that everything is sealed under."""

    public_key: Bytes
    context: Bytes
    key_name: str


class PolicyInfo(Model):
    """An attestation policy; `document` is its JSON. `state`: offered, retired or revoked."""

    name: str
    document: str = Field(alias="json")
    simulated: bool
    state: str
    adopted_at: Timestamp
