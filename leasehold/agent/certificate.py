"""Certificates: what a subnet has signed about its state, verified before it can be read.

Source: IC interface specification, "Certification": "Certificate", "Delegation", "Canister ranges".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from leasehold.agent import bls, hash_tree
from leasehold.agent.errors import CertificateError, UntimelyError
from leasehold.agent.principal import Principal

STATE_ROOT_DOMAIN = b"\x0dic-state-root"
MAX_CLOCK_SKEW_NS = 5 * 60 * 1_000_000_000
MAX_CANISTER_RANGES = 100_000


@dataclass(frozen=True)
class Certificate:
    """A verified certificate. Make one with `verify_certificate`.

    Args:
        tree: the hash tree it carries.
        subnet: the subnet that signed it.
    """

    tree: hash_tree.Tree
    subnet: Principal

    def lookup(self, *path: bytes) -> bytes | None:
        """The value at the path, or `None` when the certificate does not contain it."""
        return hash_tree.lookup(self.tree, path)

    def require(self, *path: bytes) -> bytes:
        """The value at the path.

        Raises:
            CertificateError: the certificate does not contain it.
        """
        value = self.lookup(*path)
        if value is None:
            shown = "/".join(label.decode() if label.isascii() else label.hex() for label in path)
            raise CertificateError(f"the certificate says nothing about /{shown}")
        return value

    @property
    def time(self) -> int:
        """When it was signed, in nanoseconds since 1970."""
        return decode_leb128(self.require(b"time"))


def verify_certificate(
    encoded: bytes, root_key: bytes, *, canister: Principal | None, now: int | None
) -> Certificate:
    """Decode and check a certificate.

    Args:
        encoded: CBOR.
        root_key: DER of the network's root key.
        canister: the canister it is about; a delegation must cover it. `None`: about a subnet.
        now: nanoseconds since 1970; the certificate's time may differ by `MAX_CLOCK_SKEW_NS`. `None` only to
            learn the time of a network on this machine.

    Raises:
        CertificateError: malformed, wrongly signed, of another subnet, or too old or new.
    """
    # 1. Decode, within bounds.
    parts = decode_map(encoded, "certificate")
    # 2. Who may have signed: the root subnet, or one it delegates to.
    subnet, key = _signer(parts.get("delegation"), root_key, canister)
    # 3. The signature over the tree's root hash.
    tree = parts.get("tree")
    signature = parts.get("signature")
    if not isinstance(tree, list | tuple) or not isinstance(signature, bytes):
        raise CertificateError("the certificate lacks its tree or its signature")
    bls.verify(STATE_ROOT_DOMAIN + hash_tree.root_hash(tree), signature, key)
    # 4. Freshness.
    certificate = Certificate(tree, subnet)
    skew = certificate.time - now if now is not None else 0
    if abs(skew) > MAX_CLOCK_SKEW_NS:
        raise UntimelyError(f"the certificate's time is {skew / 1e9:+.0f} s off this machine's clock")
    return certificate


def decode_map(encoded: bytes, what: str) -> Mapping[str, Any]:
    """Decode the CBOR map of an answer, self-described or not.

    Raises:
        CertificateError: anything else.
    """
    try:
        decoded = cbor2.loads(encoded)
    except Exception as error:  # cbor2 raises several unrelated classes for malformed input
        raise CertificateError(f"the {what} is not CBOR: {error}") from error
    if isinstance(decoded, cbor2.CBORTag):
        decoded = decoded.value
    if not isinstance(decoded, Mapping):
        raise CertificateError(f"the {what} is no CBOR map")
    return decoded


def decode_leb128(encoded: bytes) -> int:
    """Unsigned LEB128 that fills the bytes exactly.

    Raises:
        CertificateError: empty, unterminated, over 10 bytes, or followed by more.
    """
    number = 0
    for position, byte in enumerate(encoded[:10]):
        number |= (byte & 0x7F) << (7 * position)
        if byte < 0x80 and position == len(encoded) - 1:
            return number
    raise CertificateError(f"this is no LEB128 number: {encoded[:16].hex()}")


def _signer(delegation: Any, root_key: bytes, canister: Principal | None) -> tuple[Principal, bytes]:
    if delegation is None:
        return Principal.of_public_key(root_key), bls.public_key_from_der(root_key)
    match delegation:
        case {"subnet_id": bytes() as subnet_id, "certificate": bytes() as encoded}:
            return _delegated(subnet_id, encoded, root_key, canister)
    raise CertificateError("the certificate's delegation is malformed")


def _delegated(
    subnet_id: bytes, encoded: bytes, root_key: bytes, canister: Principal | None
) -> tuple[Principal, bytes]:
    parts = decode_map(encoded, "delegation's certificate")
    if parts.get("delegation") is not None:
        raise CertificateError("a delegation's certificate must not be delegated itself")
    tree, signature = parts.get("tree"), parts.get("signature")
    if not isinstance(tree, list | tuple) or not isinstance(signature, bytes):
        raise CertificateError("the delegation's certificate lacks its tree or its signature")
    root = hash_tree.root_hash(tree)
    bls.verify(STATE_ROOT_DOMAIN + root, signature, bls.public_key_from_der(root_key))
    if canister is not None and not _covers(tree, subnet_id, canister):
        raise CertificateError(f"subnet {Principal(subnet_id)} is not responsible for canister {canister}")
    key = hash_tree.lookup(tree, (b"subnet", subnet_id, b"public_key"))
    if key is None:
        raise CertificateError(f"the delegation does not name the key of subnet {Principal(subnet_id)}")
    return Principal(subnet_id), bls.public_key_from_der(key)


def _covers(tree: hash_tree.Tree, subnet_id: bytes, canister: Principal) -> bool:
    # The ranges are one leaf below the subnet, or spread over leaves named by their lowest id.
    leaves: list[bytes] = []
    single = hash_tree.lookup(tree, (b"subnet", subnet_id, b"canister_ranges"))
    if single is not None:
        leaves.append(single)
    spread = hash_tree.subtree(tree, (b"canister_ranges", subnet_id))
    if spread is not None:
        shards = hash_tree.children(spread)
        leaves += [shard[1] for _, shard in shards if shard[0] == hash_tree.LEAF]
    return any(low <= canister.raw <= high for leaf in leaves for low, high in _ranges(leaf))


def _ranges(encoded: bytes) -> Sequence[tuple[bytes, bytes]]:
    try:
        decoded = cbor2.loads(encoded)
    except Exception as error:
        raise CertificateError(f"the canister ranges are not CBOR: {error}") from error
    if isinstance(decoded, cbor2.CBORTag):
        decoded = decoded.value
    if not isinstance(decoded, list | tuple) or len(decoded) > MAX_CANISTER_RANGES:
        raise CertificateError("the canister ranges are no list, or too long")
    for pair in decoded:
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(isinstance(end, bytes) for end in pair)
        ):
            raise CertificateError("a canister range is no pair of ids")
    return [(low, high) for low, high in decoded]
