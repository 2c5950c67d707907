"""Signatures of single nodes over the answers to queries.

Source: IC interface specification, "Request: Query call", `node_signature` and its verification.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from leasehold.agent import hash_tree
from leasehold.agent.certificate import MAX_CLOCK_SKEW_NS, Certificate
from leasehold.agent.errors import CertificateError, UntimelyError
from leasehold.agent.request import hash_of_map

RESPONSE_DOMAIN = b"\x0bic-response"
MAX_SIGNATURES = 100

# SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) is this and 32 bytes.
_ED25519_DER_PREFIX = bytes.fromhex("302a300506032b6570032100")

NodeKeys = Mapping[bytes, Ed25519PublicKey]


def node_keys(certificate: Certificate) -> NodeKeys:
    """The keys of the subnet's nodes, by node id.

    Raises:
        CertificateError: the certificate names no node, or a malformed key.
    """
    subnet = certificate.subnet.raw
    nodes = hash_tree.subtree(certificate.tree, (b"subnet", subnet, b"node"))
    keys = {}
    for node, below in hash_tree.children(nodes) if nodes else ():
        der = hash_tree.lookup(below, (b"public_key",))
        if der is None or not der.startswith(_ED25519_DER_PREFIX) or len(der) != 44:
            raise CertificateError(f"node {node.hex()} has no well-formed public key")
        keys[node] = Ed25519PublicKey.from_public_bytes(der[-32:])
    if not keys:
        raise CertificateError(f"the certificate names no node of subnet {certificate.subnet}")
    return keys


def verify_query_signatures(answer: Mapping[str, Any], request_id: bytes, keys: NodeKeys, now: int) -> None:
    """Check that a node of the subnet signed this answer to this request, recently.

    Raises:
        CertificateError: no signature, one of an unknown node, a wrong or an old one.
    """
    signatures: Sequence[Any] = answer.get("signatures") or ()
    if not signatures or len(signatures) > MAX_SIGNATURES:
        raise CertificateError(f"the answer to the query carries {len(signatures)} signatures")
    for entry in signatures:
        match entry:
            case {"timestamp": int(timestamp), "signature": bytes(signature), "identity": bytes(node)}:
                signed = _signed_fields(answer) | {"timestamp": timestamp, "request_id": request_id}
                _verify_one(hash_of_map(signed), keys, signature, node)
            case _:
                raise CertificateError("a signature on the answer to the query is malformed")
        if abs(timestamp - now) > MAX_CLOCK_SKEW_NS:
            raise UntimelyError(f"the answer was signed {(now - timestamp) / 1e9:.0f} s ago: it is stale")


def _signed_fields(answer: Mapping[str, Any]) -> dict[str, Any]:
    names = ("status", "reply", "reject_code", "reject_message", "error_code")
    return {name: answer[name] for name in names if answer.get(name) is not None}


def _verify_one(response_hash: bytes, keys: NodeKeys, signature: bytes, node: bytes) -> None:
    key = keys.get(node)
    if key is None:
        raise UnknownNodeError(f"the answer is signed by {node.hex()}, which is no node of the subnet")
    try:
        key.verify(signature, RESPONSE_DOMAIN + response_hash)
    except InvalidSignature as error:
        raise CertificateError(f"node {node.hex()}'s signature on the answer does not hold") from error


class UnknownNodeError(CertificateError):
    """A node signed that was not in the subnet when its keys were read; read them again."""
