"""Who owns what: claims by owner and blob, and the ends of unfinished uploads."""

from __future__ import annotations

from canisters.vault.core.records import Claim
from canisters.vault.core.storage import Storage, number_key, prefix_end, principal_key


class Claims:
    """The owners' claims, complete and unfinished."""

    def __init__(self, storage: Storage) -> None:
        self._claims = storage.claims
        self._holders = storage.holders
        self._uploads = storage.uploads

    def get(self, owner: bytes, blob: bytes) -> Claim | None:
        """The claim of `owner` to `blob`."""
        record = self._claims.get(principal_key(owner) + blob)
        return None if record is None else Claim.decode(record)

    def save(self, owner: bytes, blob: bytes, claim: Claim, previous: Claim | None = None) -> None:
        """Store a claim in place of `previous`, and keep the list of unfinished uploads in step."""
        key = principal_key(owner) + blob
        self._claims.insert(key, claim.encode())
        if previous is None:
            self._holders.insert(blob + principal_key(owner), b"")
        before, now = _ends_at(previous), _ends_at(claim)
        if before is not None and before != now:
            self._uploads.remove(number_key(before) + key)
        if now is not None and before != now:
            self._uploads.insert(number_key(now) + key, b"")

    def remove(self, owner: bytes, blob: bytes, claim: Claim) -> None:
        """Forget a claim."""
        key = principal_key(owner) + blob
        self._claims.remove(key)
        self._holders.remove(blob + principal_key(owner))
        if not claim.complete:
            self._uploads.remove(number_key(claim.ends_at) + key)

    def first_complete(self, blob: bytes) -> tuple[bytes, Claim] | None:
        """An owner with a complete claim to `blob`, and that claim."""
        start, stop = blob, prefix_end(blob)
        while True:
            found = self._holders.range(start, stop, 50)
            for key, _ in found:
                owner = key[len(blob) + 1 :]
                claim = self.get(owner, blob)
                if claim is not None and claim.complete:
                    return owner, claim
            if len(found) < 50:
                return None
            start = found[-1][0] + b"\x00"

    def of(self, owner: bytes, after: bytes | None, limit: int) -> list[tuple[bytes, Claim]]:
        """At most `limit` claims of `owner` with their blobs, in order, those after the blob `after`."""
        prefix = principal_key(owner)
        start = prefix if after is None else prefix + after + b"\x00"
        found = self._claims.range(start, prefix_end(prefix), limit)
        return [(key[len(prefix) :], Claim.decode(record)) for key, record in found]

    def ended_uploads(self, now: int, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` owners and blobs of uploads that were not completed in time."""
        ended = self._uploads.range(None, number_key(now + 1), limit)
        return [_owner_and_blob(key[8:]) for key, _ in ended]


def _ends_at(claim: Claim | None) -> int | None:
    """When the upload is dropped; None if there is no unfinished one."""
    return None if claim is None or claim.complete else claim.ends_at


def _owner_and_blob(key: bytes) -> tuple[bytes, bytes]:
    owner_end = 1 + key[0]
    return key[1:owner_end], key[owner_end:]
