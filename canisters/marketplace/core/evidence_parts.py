"""Evidence uploaded in parts, and how far its verification got: of one nonce, kept over upgrades.

Only the worker that claimed a rental uploads, for the nonce it was given; an attempt that ends takes all with
it. So nobody fills the store: a rental that is attesting has one bundle of bounded size.

Rows, by rental: ``h`` nonce, then each part's size (4 bytes, 0 for one that is missing); ``p`` index → part;
``v`` digests of signatures that verified (`attestation.VerifiedLinks`).
"""

from __future__ import annotations

from typing import NamedTuple

from attestation import MAX_BUNDLE_BYTES
from canisters.marketplace.core import limits, validate
from canisters.marketplace.core.errors import InvalidState
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key

_HEADER, _PART, _VERIFIED = b"h", b"p", b"v"
_NONCE_BYTES = 32
_SIZE_BYTES = 4
_DIGEST_BYTES = 32


class EvidenceUpload(NamedTuple):
    """How many parts are there, of how many."""

    received: int
    count: int  # type: ignore[assignment]


def store(state: State, rental_id: int, nonce: bytes, index: int, count: int, part: bytes) -> EvidenceUpload:
    """Keep one part; parts of another nonce, or of another division into parts, go.

    Raises `InvalidArgument` when a number or size is out of bounds.
    """
    validate.number("count", count, (1, limits.MAX_EVIDENCE_PARTS))
    validate.number("index", index, (0, count - 1))
    if not 1 <= len(part) <= limits.MAX_EVIDENCE_PART_BYTES:
        problem = f"has {len(part)} bytes, must have 1 to {limits.MAX_EVIDENCE_PART_BYTES}"
        raise validate.refuse("part", f"part {index}", problem)
    sizes = _sizes(state, rental_id, nonce)
    if len(sizes) != count:
        sizes = [0] * count
    total = sum(sizes) - sizes[index] + len(part)
    if total > MAX_BUNDLE_BYTES:
        problem = f"makes {total} bytes in all, at most {MAX_BUNDLE_BYTES} are accepted"
        raise validate.refuse("part", f"part {index}", problem)
    if not any(sizes):
        clear(state, rental_id)
    sizes[index] = len(part)
    prefix = number_key(rental_id)
    header = nonce + b"".join(size.to_bytes(_SIZE_BYTES, "big") for size in sizes)
    state.evidence.put(prefix + _HEADER, header)
    state.evidence.put(prefix + _PART + bytes((index,)), part)
    state.evidence.remove(prefix + _VERIFIED)
    return EvidenceUpload(sum(map(bool, sizes)), count)


def assemble(state: State, rental_id: int, nonce: bytes) -> bytes:
    """The bundle that was uploaded for this nonce; raises `InvalidState` while parts are missing."""
    sizes = _sizes(state, rental_id, nonce)
    if not sizes or not all(sizes):
        current = f"attesting, {sum(map(bool, sizes))} of {len(sizes)} parts of evidence"
        raise InvalidState(current, ["attesting, all parts uploaded for the latest nonce"])
    prefix = number_key(rental_id) + _PART
    parts = [state.evidence.get(prefix + bytes((index,))) or b"" for index in range(len(sizes))]
    return b"".join(parts)


def verified(state: State, rental_id: int) -> list[bytes]:
    """Digests of the signatures that earlier steps verified."""
    data = state.evidence.get(number_key(rental_id) + _VERIFIED) or b""
    return [data[at : at + _DIGEST_BYTES] for at in range(0, len(data), _DIGEST_BYTES)]


def remember(state: State, rental_id: int, digests: list[bytes]) -> None:
    """Keep what was verified for the next step."""
    kept = digests[: limits.MAX_REMEMBERED_SIGNATURES]
    state.evidence.put(number_key(rental_id) + _VERIFIED, b"".join(kept))


def clear(state: State, rental_id: int) -> None:
    """Forget everything about the rental's evidence."""
    prefix = number_key(rental_id)
    if state.evidence.get(prefix + _HEADER) is None:
        return
    for index in range(limits.MAX_EVIDENCE_PARTS):
        state.evidence.remove(prefix + _PART + bytes((index,)))
    state.evidence.remove(prefix + _VERIFIED)
    state.evidence.remove(prefix + _HEADER)


def _sizes(state: State, rental_id: int, nonce: bytes) -> list[int]:
    """Size of each part; none when nothing was uploaded for this nonce."""
    header = state.evidence.get(number_key(rental_id) + _HEADER) or b""
    if header[:_NONCE_BYTES] != nonce:
        return []
    sizes = header[_NONCE_BYTES:]
    return [int.from_bytes(sizes[at : at + _SIZE_BYTES], "big") for at in range(0, len(sizes), _SIZE_BYTES)]
