"""Collateral: what vendors sign about their own products, given to the verifier beside the evidence.

Anybody may supply it, since every piece carries a vendor's signature that is checked each time; so the
evidence's binding does not cover it. A container of it, all integers unsigned big-endian:

| field | bytes |
|---|---|
| magic ``LHCO`` | 4 |
| version 1 | 1 |
| count | 1 |
| for each piece: kind (see `KINDS`), content | 1 + 4 + n |

Pieces are in ascending order of kind, so that each `Collateral` has exactly one encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

from attestation.errors import MalformedEvidence

MAGIC = b"LHCO"
VERSION = 1
MAX_COLLATERAL_BYTES = 1024 * 1024
MAX_PIECES = 128


@dataclass(frozen=True)
class Kind:
    """One kind of collateral: its code in a container, the field of `Collateral`, the most bytes of one."""

    code: int
    field: str
    maximum_bytes: int


KINDS = (
    Kind(1, "ocsp", 4 * 1024),
    Kind(2, "rims", 64 * 1024),
    Kind(3, "crls", 64 * 1024),
    Kind(4, "tcb_infos", 64 * 1024),
    Kind(5, "qe_identities", 16 * 1024),
    Kind(6, "certificates", 4 * 1024),
)


@dataclass(frozen=True)
class Collateral:
    """Pieces by kind, none trusted as it is.

    `ocsp`: OCSP answers (DER). `rims`: NVIDIA's reference manifests (XML). `crls`: AMD's and Intel's
    revocation lists (DER). `tcb_infos`, `qe_identities`: Intel's signed JSON statements, as its service
    serves them. `certificates`: those that sign the statements (DER).
    """

    ocsp: tuple[bytes, ...] = ()
    rims: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    tcb_infos: tuple[bytes, ...] = ()
    qe_identities: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse more, or larger pieces, than a verifier will look at."""
        total = 0
        for kind in KINDS:
            pieces = getattr(self, kind.field)
            total += len(pieces)
            for index, piece in enumerate(pieces):
                if not 1 <= len(piece) <= kind.maximum_bytes:
                    raise MalformedEvidence(
                        f"collateral.{kind.field}[{index}]",
                        f"{len(piece)} bytes, must be 1 to {kind.maximum_bytes}",
                    )
        if total > MAX_PIECES:
            raise MalformedEvidence("collateral", f"{total} pieces, at most {MAX_PIECES} are accepted")


NO_COLLATERAL = Collateral()


def encode_collateral(collateral: Collateral) -> bytes:
    """The container of `collateral`; raises `MalformedEvidence` when it is too large."""
    pieces = [(kind, piece) for kind in KINDS for piece in getattr(collateral, kind.field)]
    body = b"".join(bytes((kind.code,)) + len(piece).to_bytes(4, "big") + piece for kind, piece in pieces)
    encoded = MAGIC + bytes((VERSION, len(pieces))) + body
    if len(encoded) > MAX_COLLATERAL_BYTES:
        raise MalformedEvidence("collateral", f"{len(encoded)} bytes, at most {MAX_COLLATERAL_BYTES}")
    return encoded


def decode_collateral(data: bytes) -> Collateral:
    """Parse a container; raises `MalformedEvidence` unless it is what `encode_collateral` would give."""
    header = MAGIC + bytes((VERSION,))
    if len(data) > MAX_COLLATERAL_BYTES or len(data) <= len(header) or not data.startswith(header):
        raise MalformedEvidence("collateral", f"{len(data)} bytes that are no container of version {VERSION}")
    found: dict[str, list[bytes]] = {kind.field: [] for kind in KINDS}
    kinds = {kind.code: kind for kind in KINDS}
    at = len(header) + 1
    for index in range(data[len(header)]):
        kind = kinds.get(data[at]) if at < len(data) else None
        start = at + 5
        end = start + int.from_bytes(data[at + 1 : start], "big")
        if kind is None or end > len(data):
            raise MalformedEvidence(f"collateral[{index}]", f"unknown kind or cut short at offset {at}")
        found[kind.field].append(data[start:end])
        at = end
    collateral = Collateral(**{field: tuple(pieces) for field, pieces in found.items()})
    if encode_collateral(collateral) != data:
        raise MalformedEvidence("collateral", "pieces out of order, or bytes after the last one")
    return collateral
