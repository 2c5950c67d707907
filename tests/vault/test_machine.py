"""Any sequence of requests: the vault agrees with a model that keeps whole blobs for each owner."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from canisters.vault.core.errors import VaultError
from canisters.vault.core.limits import CHUNK_SIZE, HOUR, MIN_CHARGE, UPLOAD_LIFETIME
from tests.vault.memory import ALICE, BOB, MARKETPLACE, NOW, READER, Blob, memory_storage, new_vault, rows_of

BLOBS = [Blob(b"one"), Blob(b"\x02" * CHUNK_SIZE + b"two"), Blob(b"\x03" * (CHUNK_SIZE + 1))]
owners = st.sampled_from([ALICE, BOB, b"carol"])
blobs = st.sampled_from(BLOBS)
T = TypeVar("T")


class VaultMachine(RuleBasedStateMachine):
    """The model: by owner and blob the chunks still missing and the end; by blob the reader's end."""

    @initialize()
    def install(self) -> None:
        self.now = NOW
        self.storage = memory_storage()
        self.vault = new_vault(self.storage)
        self.missing: dict[tuple[bytes, str], set[int]] = {}
        self.ends: dict[tuple[bytes, str], int] = {}
        self.grants: dict[str, int] = {}

    @rule(hours=st.integers(1, 15))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(owner=owners, blob=blobs)
    def begin(self, owner: bytes, blob: Blob) -> None:
        self.vault.begin_upload(owner, blob.manifest, self.now)
        key = owner, blob.id
        self.missing.setdefault(key, set(range(len(blob.chunks))))
        self.ends[key] = self.now + UPLOAD_LIFETIME

    @rule(owner=owners, blob=blobs, index=st.integers(0, 2), right=st.sampled_from([True, True, True, False]))
    def put(self, owner: bytes, blob: Blob, index: int, right: bool) -> None:
        key = owner, blob.id
        data = blob.chunks[index] if index < len(blob.chunks) else b""
        data = data if right else data[:-1] + b"?"
        alive = key in self.missing and (not self.missing[key] or self.now < self.ends[key])
        fits = alive and index < len(blob.chunks) and right
        self._try(fits, lambda: self.vault.put_chunk(owner, blob.id, index, data, self.now))
        if fits:
            self.missing[key].discard(index)

    @rule(blob=blobs, hours=st.integers(-1, 40))
    def grant(self, blob: Blob, hours: int) -> None:
        until = self.now + hours * HOUR
        call = [(blob.id, READER, until)]
        done = self._try(self._complete(blob), lambda: self.vault.grant(MARKETPLACE, call, self.now))
        if done and until <= self.now:
            self.grants.pop(blob.id, None)
        elif done:
            self.grants[blob.id] = max(until, self.grants.get(blob.id, 0))

    @rule(owner=owners, blob=blobs)
    def delete(self, owner: bytes, blob: Blob) -> None:
        key = owner, blob.id
        last = self._complete(blob) == [owner] and self.grants.get(blob.id, 0) > self.now
        allowed = key in self.missing and not last
        if self._try(allowed, lambda: self.vault.delete_blob(owner, blob.id, self.now)):
            del self.missing[key], self.ends[key]

    @rule()
    def sweep(self) -> None:
        while self.vault.sweep(self.now):
            pass
        for key in [key for key, left in self.missing.items() if left and self.now >= self.ends[key]]:
            del self.missing[key], self.ends[key]
        held = {blob_id for _, blob_id in self.missing}
        rows = rows_of(self.storage)
        assert len(rows["contents"]) == len(rows["hashes"]) == len(held) and not rows["garbage"]
        assert len(rows["uploads"]) == sum(bool(left) for left in self.missing.values())
        assert len(rows["grants"]) == len(rows["grant_ends"])
        if not held:
            assert not rows["chunks"]

    def _complete(self, blob: Blob) -> list[bytes]:
        return [owner for (owner, id), left in self.missing.items() if id == blob.id and not left]

    def _try(self, allowed: object, call: Callable[[], T]) -> bool:
        before = rows_of(self.storage)
        if allowed:
            call()
            return True
        with pytest.raises(VaultError):
            call()
        assert rows_of(self.storage) == before
        return False

    @invariant()
    def everybody_reads_what_they_may_and_nothing_else(self) -> None:
        for blob in BLOBS:
            readers = self._complete(blob)
            if readers and self.grants.get(blob.id, 0) > self.now:
                readers.append(READER)
            for caller in (ALICE, BOB, b"carol", READER, MARKETPLACE):
                if caller in readers:
                    for index, chunk in enumerate(blob.chunks):
                        assert self.vault.get_chunk(caller, blob.id, index, self.now) == chunk
                else:
                    with pytest.raises(VaultError):
                        self.vault.get_chunk(caller, blob.id, 0, self.now)

    @invariant()
    def quotas_are_the_sizes_of_what_is_held(self) -> None:
        sizes = {blob.id: max(MIN_CHARGE, len(blob.data)) for blob in BLOBS}
        for owner in (ALICE, BOB, b"carol"):
            held = sum(sizes[blob_id] for holder, blob_id in self.missing if holder == owner)
            assert self.vault.quota.used(owner) == held
        chunks = {blob.id: blob.chunks for blob in BLOBS}
        received = sum(
            len(chunk)
            for (_, blob_id), left in self.missing.items()
            for index, chunk in enumerate(chunks[blob_id])
            if index not in left
        )
        assert self.vault.quota.total() == received + MIN_CHARGE * len(self.missing)


TestVaultMachine = VaultMachine.TestCase
TestVaultMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
