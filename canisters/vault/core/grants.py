"""Read access that the marketplace gives to others than the owners."""

from __future__ import annotations

from typing import NamedTuple

from canisters.vault.core.storage import OrderedMap, Storage, number_key, prefix_end, principal_key


class Grant(NamedTuple):
    """`reader` may read `blob` while ``now < until`` (ns)."""

    blob: bytes
    reader: bytes
    until: int


class Grants:
    """Grants by blob and reader. Ended ones count for nothing and are removed by sweeps."""

    def __init__(self, storage: Storage) -> None:
        self._grants: OrderedMap = storage.grants
        self._ends: OrderedMap = storage.grant_ends

    def allows(self, blob: bytes, reader: bytes, now: int) -> bool:
        """Whether `reader` may read `blob` at `now`."""
        return now < self._until(blob + principal_key(reader))

    def give(self, grant: Grant, now: int) -> None:
        """Let the reader read until `grant.until`, or longer if they may already.

        A time that is not in the future takes the access back.
        """
        key = grant.blob + principal_key(grant.reader)
        current = self._until(key)
        if current:
            self._ends.remove(number_key(current) + key)
        if grant.until <= now:
            self._grants.remove(key)
            return
        until = number_key(max(current, grant.until))
        self._grants.insert(key, until)
        self._ends.insert(until + key, b"")

    def latest_end(self, blob: bytes, now: int) -> int | None:
        """When one of the blob's live grants ends; None if there is no live one."""
        start = blob
        while True:
            found = self._grants.range(start, prefix_end(blob), 50)
            ends = [end for end in (int.from_bytes(value, "big") for _, value in found) if end > now]
            if ends:
                return max(ends)
            if len(found) < 50:
                return None
            start = found[-1][0] + b"\x00"

    def expire(self, now: int, limit: int) -> bool:
        """Remove at most `limit` ended grants. True if there are more."""
        ended = self._ends.range(None, number_key(now + 1), limit)
        for entry, _ in ended:
            self._ends.remove(entry)
            self._grants.remove(entry[8:])
        return len(ended) == limit

    def _until(self, key: bytes) -> int:
        record = self._grants.get(key)
        return 0 if record is None else int.from_bytes(record, "big")
