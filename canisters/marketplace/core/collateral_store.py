"""Where collateral is kept: one piece for each kind and subject, found by either, by content and by its end.

A key is the kind's code and the subject. Index rows: ``s`` sha256 → key; ``u`` end key → present; ``n`` kind
number → key, by which the one posted first makes room, those that no machine's evidence wanted before others.
"""

from __future__ import annotations

from attestation.collateral import KINDS
from attestation.collateral_check import Piece
from canisters.marketplace.core import limits, policies, validate
from canisters.marketplace.core.governance_model import CollateralRow
from canisters.marketplace.core.state import PRESENT, State, found
from canisters.marketplace.core.storage import number_key, prefix_end
from canisters.marketplace.core.types import Message, Timestamp

ADDED, REPLACED, UNCHANGED, OLDER = "added", "replaced", "unchanged", "older"
_CODES = {kind.field: bytes((kind.code,)) for kind in KINDS}
_SHA, _UNTIL, _NUMBER = b"s", b"u", b"n"
_WANTED = 2**62
"""Added to the number of a piece that was wanted: thousands about other machines do not push it out."""


def keep(state: State, message: Message, piece: Piece, sha256: bytes) -> str:
    """Keep a verified piece, unless a newer one about its subject is held; answers what became of it."""
    key = key_of(piece.kind, piece.subject)
    held = state.collateral.get(key)
    if held is not None and held.valid_until >= message.now and held.version >= piece.version:
        return UNCHANGED if held.sha256 == sha256 else OLDER
    if held is not None:
        remove(state, key)
    _make_room(state, piece.kind)
    row = CollateralRow(
        kind=piece.kind,
        subject=piece.subject,
        sha256=sha256,
        size=len(piece.content),
        version=piece.version,
        valid_from=_clipped(piece.valid_from * limits.SECOND_NS),
        valid_until=_clipped((piece.valid_until + 1) * limits.SECOND_NS - 1),
        posted_at=message.now,
        number=state.next_number("collateral") + (0 if held is None else held.number & _WANTED),
    )
    state.collateral.put(key, row)
    state.collateral_content.put(key, piece.content)
    for index_key, value in _index_rows(key, row):
        state.collateral_index.put(index_key, value)
    _count(state, row, 1)
    return ADDED if held is None else REPLACED


def _clipped(time: int) -> Timestamp:
    """A time in 8 bytes, whatever the vendor wrote (such as the year 9999)."""
    return Timestamp(max(0, min(time, 2**64 - 1)))


def _make_room(state: State, kind: str) -> None:
    most = limits.MAX_HELD[kind]
    if state.count(f"held/{kind}") < most:
        return
    # Wanted ones go where they are too many: what was just posted must stay until it can be wanted.
    many = state.count(f"wanted/{kind}") > most * limits.WANTED_QUARTERS // 4
    prefix = _NUMBER + _CODES[kind]
    start = prefix + number_key(_WANTED if many else 0)
    ((_, key),) = state.collateral_index.range(start, prefix_end(prefix), 1)
    remove(state, key)


def remove(state: State, key: bytes) -> None:
    """Forget the piece under `key`, without a trace."""
    row = found(state.collateral.get(key), "collateral", key.hex())
    for index_key, _ in _index_rows(key, row):
        state.collateral_index.remove(index_key)
    state.collateral.remove(key)
    state.collateral_content.remove(key)
    _count(state, row, -1)


def _index_rows(key: bytes, row: CollateralRow) -> list[tuple[bytes, bytes]]:
    return [
        (_SHA + row.sha256, key),
        (_UNTIL + number_key(row.valid_until) + key, PRESENT),
        (_number_key(row), key),
    ]


def _number_key(row: CollateralRow) -> bytes:
    return _NUMBER + _CODES[row.kind] + number_key(row.number)


def _count(state: State, row: CollateralRow, change: int) -> None:
    for name in ("held", "wanted") if row.number & _WANTED else ("held",):
        state.set_count(f"{name}/{row.kind}", state.count(f"{name}/{row.kind}") + change)


def held_as(state: State, sha256: bytes) -> bytes | None:
    """Key of the held piece with this content."""
    return state.collateral_index.get(_SHA + sha256)


def ended(state: State, now: Timestamp, limit: int) -> list[bytes]:
    """Keys of at most `limit` pieces that hold no longer, from the one that ended first."""
    rows = state.collateral_index.range(_UNTIL, _UNTIL + number_key(now), limit)
    return [index_key[9:] for index_key, _ in rows]


def note_wanted(state: State, key: bytes) -> None:
    """Note that a machine's evidence wanted this piece: others make room before it."""
    row = found(state.collateral.get(key), "collateral", key.hex())
    if row.number & _WANTED:
        return
    state.collateral_index.remove(_number_key(row))
    wanted = row._replace(number=row.number | _WANTED)
    state.collateral_index.put(_number_key(wanted), key)
    _count(state, row, -1)
    _count(state, wanted, 1)
    state.collateral.put(key, wanted)


def contents(state: State, kind: str, subject: str, now: Timestamp) -> list[bytes]:
    """Held pieces that hold now, whose subject begins with `subject`."""
    return [content(state, key) for key in usable(state, kind, subject, now)]


def content(state: State, key: bytes) -> bytes:
    """The bytes of a held piece."""
    return state.collateral_content.get(key) or b""


def usable(state: State, kind: str, subject: str, now: Timestamp, exact: bool = False) -> list[bytes]:
    """Keys of pieces that hold now, whose subject is or begins with `subject`; no denied manifest."""
    start = key_of(kind, subject)
    stop = start + b"\x00" if exact else start + b"\x7f"
    rows = state.collateral.range(start, stop, limits.MAX_FOUND)
    newest_first = sorted(rows, key=lambda entry: entry[1].version, reverse=True)
    return [key for key, row in newest_first if row.valid_until >= now and not _is_denied(state, row)]


def _is_denied(state: State, row: CollateralRow) -> bool:
    return row.kind == "rims" and policies.is_denied(state, policies.MANIFEST, row.subject.rpartition("/")[2])


def key_of(kind: str, subject: str) -> bytes:
    """The key of the piece of this kind about `subject`; raises `InvalidArgument` for no kind."""
    code = _CODES.get(kind)
    if code is None:
        raise validate.refuse("kind", kind, f"is no kind of collateral; there are {', '.join(_CODES)}")
    return code + subject.encode("utf-8")[:184]
