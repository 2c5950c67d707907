"""What vendors say about their products, posted by anybody, verified before it is kept.

One piece is held for each kind and subject: the newest by the vendor's own time. Everything in a call is
kept, or nothing; a piece that is held already costs no verification. What a piece says is revoked is
remembered for good, so that an answer which expires takes nothing back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from attestation import (
    AttestationError,
    Collateral,
    CollateralUnavailable,
    Evidence,
    Need,
    VerifiedLinks,
    collateral_needs,
    decode_collateral,
)
from attestation.authorities import Authorities, pinned_roots
from attestation.collateral import KINDS, NO_COLLATERAL
from attestation.collateral_check import Checker, Piece
from attestation.intel.verify import MAX_TCB_SIGNERS
from canisters.marketplace.core import collateral_store as store
from canisters.marketplace.core import limits, validate
from canisters.marketplace.core.errors import CollateralRefused
from canisters.marketplace.core.governance_model import CollateralRow
from canisters.marketplace.core.state import PRESENT, State, found
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.types import Message, Timestamp


class Outcome(NamedTuple):
    """What became of one posted `piece` (its place in the container)."""

    piece: str
    kind: str
    subject: str
    sha256: bytes
    outcome: str


class HeldPiece(NamedTuple):
    """A held piece and its bytes."""

    row: CollateralRow
    content: bytes


class Posted(NamedTuple):
    """One piece of a container."""

    name: str
    kind: str
    content: bytes
    sha256: bytes


def post(state: State, message: Message, container: bytes, links: VerifiedLinks) -> list[Outcome]:
    """Keep the pieces of a container; raises `CollateralRefused` for the first that is not sound.

    Pieces whose issuers are in the same container may come in any order.
    """
    sweep(state, message)
    posted = list(_pieces(_readable(container)))
    fresh = [piece for piece in posted if store.held_as(state, piece.sha256) is None]
    _require_bounded(fresh)
    verified = _verify(state, message, fresh, links)
    kept: dict[bytes, Outcome] = {}
    for piece in fresh:
        checked = verified[piece.name]
        outcome = store.keep(state, message, checked, piece.sha256)
        kept.setdefault(
            piece.sha256, Outcome(piece.name, checked.kind, checked.subject, piece.sha256, outcome)
        )
        _note_revoked(state, checked)
    return [_outcome(state, piece, kept) for piece in posted]


def gather(state: State, evidence: Evidence, now: Timestamp) -> Collateral:
    """All held pieces that hold now and that `evidence` wants; raises what `collateral_needs` raises.

    They are noted as wanted, so this is for evidence that whoever locked a bond made for an open nonce.
    """
    if not state.count("collateral"):
        return NO_COLLATERAL
    pieces: dict[str, dict[bytes, None]] = {}
    _find(state, collateral_needs(evidence), now, pieces)
    rims = tuple(pieces.get("rims", ()))
    if rims:
        _find(state, collateral_needs(evidence, rims), now, pieces)
    return Collateral(**{kind: tuple(contents) for kind, contents in pieces.items()})


def is_revoked(state: State, certificate: str) -> bool:
    """Whether an issuer ever said that this certificate is revoked."""
    return state.revoked.get(_digest(certificate)) is not None


def rely_upon(state: State, rental_id: int, certificates: tuple[str, ...]) -> None:
    """Note the certificates that a rental's attestation rests on."""
    state.relied_upon.put(number_key(rental_id), b"".join(map(_digest, certificates)))


def withdrawn(state: State, rental_id: int) -> bool:
    """Whether one of the certificates that the rental's attestation rests on was revoked since."""
    if not state.count("revoked"):
        return False
    digests = state.relied_upon.get(number_key(rental_id)) or b""
    return any(state.revoked.get(digests[at : at + 32]) is not None for at in range(0, len(digests), 32))


def sweep(state: State, message: Message) -> int:
    """Remove pieces that hold no longer, at most 25; how many."""
    ended = store.ended(state, message.now, limits.COLLATERAL_SWEEP)
    for key in ended:
        store.remove(state, key)
    return len(ended)


def page(state: State, after: tuple[str, str] | None, limit: int) -> list[CollateralRow]:
    """Held pieces after (kind, subject), in this order, at most `limit` (1 to 100)."""
    start = b"" if after is None else store.key_of(*after) + b"\x00"
    return [row for _, row in state.collateral.range(start, None, max(1, min(limit, limits.MAX_PAGE)))]


def piece(state: State, kind: str, subject: str) -> HeldPiece:
    """One held piece, or `NotFound`."""
    key = store.key_of(kind, subject)
    row = found(state.collateral.get(key), "collateral", f"{kind} {subject}")
    return HeldPiece(row, store.content(state, key))


def _readable(container: bytes) -> Collateral:
    try:
        return decode_collateral(container)
    except AttestationError as problem:
        raise _refusal("collateral", problem) from problem


def _pieces(collateral: Collateral) -> Iterator[Posted]:
    for kind in KINDS:
        for index, content in enumerate(getattr(collateral, kind.field)):
            name = f"collateral.{kind.field}[{index}]"
            yield Posted(name, kind.field, content, hashlib.sha256(content).digest())


def _require_bounded(fresh: list[Posted]) -> None:
    manifests = sum(piece.kind == "rims" for piece in fresh)
    if len(fresh) > limits.MAX_NEW_PIECES or manifests > limits.MAX_NEW_MANIFESTS:
        most = f"at most {limits.MAX_NEW_PIECES}, and {limits.MAX_NEW_MANIFESTS} manifests, fit a call"
        problem = f"are new, {manifests} of them manifests; {most}: send several calls, certificates first"
        raise validate.refuse("collateral", f"{len(fresh)} pieces", problem)


def _verify(state: State, message: Message, fresh: list[Posted], links: VerifiedLinks) -> dict[str, Piece]:
    """Each new piece checked; certificates first, and those before whose issuers come with them."""
    roots = pinned_roots(state.config.allow_simulated)
    authorities = Authorities(
        roots,
        lambda prefix: store.contents(state, "certificates", prefix, message.now),
        lambda certificate: is_revoked(state, certificate),
        message.now,
        links,
    )
    checker = Checker(authorities, message.now, links)
    checked: dict[str, Piece] = {}
    waiting = [piece for piece in fresh if piece.kind == "certificates"]
    while waiting:
        later = [piece for piece in waiting if not _admit(checker, piece, checked)]
        if len(later) == len(waiting):
            _check(checker, later[0], checked)  # says whose certificate is missing
        waiting = later
    for piece in fresh:
        if piece.name not in checked:
            _check(checker, piece, checked)
    return checked


def _admit(checker: Checker, piece: Posted, checked: dict[str, Piece]) -> bool:
    """Check a certificate; False when its issuer may still come."""
    try:
        checked[piece.name] = checker.check(piece.kind, piece.content, piece.name)
    except CollateralUnavailable:
        return False
    except AttestationError as problem:
        raise _refusal(piece.name, problem) from problem
    return True


def _check(checker: Checker, piece: Posted, checked: dict[str, Piece]) -> None:
    try:
        checked[piece.name] = checker.check(piece.kind, piece.content, piece.name)
    except AttestationError as problem:
        raise _refusal(piece.name, problem) from problem


def _refusal(name: str, problem: AttestationError) -> CollateralRefused:
    return CollateralRefused(name, type(problem).__name__, str(problem)[: limits.MAX_REASON_CHARACTERS])


def _note_revoked(state: State, piece: Piece) -> None:
    for certificate in piece.revoked:
        digest = _digest(certificate)
        if state.revoked.get(digest) is None:
            state.revoked.put(digest, PRESENT)
            state.next_number("revoked")


def _outcome(state: State, piece: Posted, kept: dict[bytes, Outcome]) -> Outcome:
    outcome = kept.get(piece.sha256)
    if outcome is not None:
        return outcome._replace(piece=piece.name)
    key = store.held_as(state, piece.sha256) or b""
    return Outcome(piece.name, piece.kind, key[1:].decode("ascii"), piece.sha256, store.UNCHANGED)


def _find(
    state: State, needs: tuple[Need, ...], now: Timestamp, pieces: dict[str, dict[bytes, None]]
) -> None:
    for need in needs:
        keys = store.usable(state, need.kind, need.subject, now, need.exact)
        if need.kind == "certificates":
            keys = keys[:MAX_TCB_SIGNERS]  # the newest; a verifier refuses more
        for key in keys:
            store.note_wanted(state, key)
            pieces.setdefault(need.kind, {})[store.content(state, key)] = None


def _digest(certificate: str) -> bytes:
    return hashlib.sha256(certificate.encode("ascii")).digest()
