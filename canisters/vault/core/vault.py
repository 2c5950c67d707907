"""The vault: sealed blobs in chunks, kept for their owners, read by those the marketplace admits.

- A blob that several owners upload is stored once and owned by each: one owner's deletion takes nothing from
  the others. Each owner sends every chunk, see `records.Claim`.
- The last owner cannot delete a blob while a grant to read it is live: a running rental keeps its data.
- Only complete blobs can be read. An upload that is not complete in time is dropped by a sweep.
- Deleted chunks are removed by sweeps, a few at a time.

A raised error means that nothing has changed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple, Sequence

from canisters.vault.core import bitmaps, limits
from canisters.vault.core.blobs import Manifest, chunk_count, chunk_length, key_of
from canisters.vault.core.claims import Claims
from canisters.vault.core.contents import Contents
from canisters.vault.core.errors import HashMismatch, Incomplete, InvalidArgument, NotAuthorized, NotFound
from canisters.vault.core.grants import Grant, Grants
from canisters.vault.core.quota import Quota
from canisters.vault.core.records import Claim, Content
from canisters.vault.core.storage import Storage

ANONYMOUS = b"\x04"
"""The principal of callers who have not signed in."""
_MARKETPLACE = b"marketplace"


class Possession(NamedTuple):
    """An owner's claim to a blob."""

    blob: bytes
    owner: bytes
    claim: Claim

    def missing(self) -> list[int]:
        """The chunks the owner has still to send, ascending."""
        return bitmaps.missing(self.claim.received, self.claim.chunk_count) if self.claim.missing else []


class Vault:
    """Contents, claims, grants and quotas over `storage`. Callers are principals as bytes, times are ns."""

    def __init__(self, storage: Storage) -> None:
        self._settings = storage.settings
        self._contents = Contents(storage)
        self._claims = Claims(storage)
        self._grants = Grants(storage)
        self.quota = Quota(storage)

    def install(self, marketplace: bytes) -> None:
        """Set the one principal that may grant read access."""
        self._settings.insert(_MARKETPLACE, marketplace)

    def begin_upload(self, caller: bytes, manifest: Manifest, now: int) -> Possession:
        """Begin to upload a blob, or go on with an upload that was interrupted; both set its end anew."""
        if caller == ANONYMOUS:
            raise NotAuthorized("a principal that has signed in")
        blob = manifest.blob_key()
        previous = self._claims.get(caller, blob)
        if previous is None:
            return self._new_upload(caller, blob, manifest, now)
        if previous.sha256 != manifest.sha256:
            problem = f"these chunks were declared with the hash {previous.sha256.hex()} before"
            raise InvalidArgument("sha256", manifest.sha256.hex(), problem)
        claim = previous
        if not previous.complete:
            claim = previous._replace(ends_at=now + limits.UPLOAD_LIFETIME)
            self._claims.save(caller, blob, claim, previous)
        return Possession(blob, caller, claim)

    def _new_upload(self, caller: bytes, blob: bytes, manifest: Manifest, now: int) -> Possession:
        self.quota.charge(caller, manifest.size)
        self._contents.hold(blob, manifest)
        count = manifest.chunk_count
        end = now + limits.UPLOAD_LIFETIME
        claim = Claim(manifest.size, now, count, manifest.sha256, end, bitmaps.empty(count))
        self._claims.save(caller, blob, claim)
        return Possession(blob, caller, claim)

    def put_chunk(self, caller: bytes, blob_id: str, index: int, data: bytes, now: int) -> Possession:
        """Take one chunk, in any order; sending a chunk again changes nothing.

        Raises InvalidArgument for an index or length that the blob does not have, HashMismatch for bytes not
        as declared, NotAuthorized if the caller never began the upload, NotFound if it has ended,
        QuotaExceeded if the vault is full.
        """
        blob = key_of(blob_id)
        content = self._content(blob, blob_id)
        previous = self._own_upload(caller, blob, blob_id, now)
        _check_index(index, previous.chunk_count)
        expected_length = chunk_length(previous.size, index)
        if len(data) != expected_length:
            problem = f"chunk {index} of this blob has {expected_length} bytes"
            raise InvalidArgument("data", f"{len(data)} bytes", problem)
        expected, found = self._contents.declared_hash(content, index), sha256(data).digest()
        if found != expected:
            raise HashMismatch(index, expected, found)
        claim = previous.with_chunk(index)
        if claim is not previous:
            self.quota.receive(len(data))
        self._contents.store(blob, content, index, data)
        if claim is not previous:
            self._claims.save(caller, blob, claim, previous)
            if claim.complete:
                self._contents.complete(blob)
        return Possession(blob, caller, claim)

    def get_chunk(self, caller: bytes, blob_id: str, index: int, now: int) -> bytes:
        """A chunk of a complete blob, for an owner or somebody with a grant."""
        blob = key_of(blob_id)
        content = self._content(blob, blob_id)
        self._check_reader(caller, blob, content, now)
        _check_index(index, chunk_count(content.size))
        return self._contents.read(content, index)

    def blob_info(self, caller: bytes, blob_id: str, now: int) -> Possession:
        """An owner's own claim; for readers and the marketplace that of an owner whose blob is complete."""
        blob = key_of(blob_id)
        content = self._content(blob, blob_id)
        claim = self._claims.get(caller, blob)
        if claim is not None:
            return Possession(blob, caller, claim)
        if caller != self._marketplace():
            self._check_reader(caller, blob, content, now)
        found = self._claims.first_complete(blob)
        if found is None:
            raise Incomplete(len(bitmaps.missing(content.stored, chunk_count(content.size))))
        return Possession(blob, *found)

    def my_blobs(self, caller: bytes, after: str | None, limit: int) -> list[Possession]:
        """The caller's blobs by id, those after the id `after`, at most `limits.PAGE`."""
        last = None if after is None else key_of(after)
        found = self._claims.of(caller, last, min(limit, limits.PAGE))
        return [Possession(blob, caller, claim) for blob, claim in found]

    def delete_blob(self, caller: bytes, blob_id: str, now: int) -> int:
        """Give up the caller's claim; returns the bytes that no longer count towards the quota.

        Raises InvalidArgument if the blob would be gone for somebody who may read it now.
        """
        blob = key_of(blob_id)
        content = self._content(blob, blob_id)
        claim = self._claims.get(caller, blob)
        if claim is None:
            raise NotAuthorized("an owner of the blob")
        end = self._grants.latest_end(blob, now)
        if end is not None and claim.complete and content.complete_holders == 1:
            raise InvalidArgument("blob_id", blob_id, f"is in use: others may read it until {end}")
        return self._drop(caller, blob, claim)

    def grant(self, caller: bytes, grants: Sequence[tuple[str, bytes, int]], now: int) -> int:
        """Let readers read blobs (id, reader, until): the marketplace alone may, and all or nothing is done.

        A reader's access is never shortened, but a time that is not in the future takes it back. Returns the
        number of grants.
        """
        if caller != self._marketplace():
            raise NotAuthorized("the marketplace")
        if len(grants) > limits.GRANTS_PER_CALL:
            problem = f"at most {limits.GRANTS_PER_CALL} grants in one call"
            raise InvalidArgument("grants", str(len(grants)), problem)
        for grant in [self._checked_grant(*each, now) for each in grants]:
            self._grants.give(grant, now)
        return len(grants)

    def sweep(self, now: int) -> bool:
        """Remove some of what has ended: uploads, grants, chunks. True if another sweep has more to do."""
        ended = self._claims.ended_uploads(now, limits.SWEEP_RECORDS)
        for owner, blob in ended:
            claim = self._claims.get(owner, blob)
            if claim is not None:
                self._drop(owner, blob, claim)
        more_grants = self._grants.expire(now, limits.SWEEP_RECORDS)
        more_chunks = self._contents.collect(limits.SWEEP_CHUNKS)
        return len(ended) == limits.SWEEP_RECORDS or more_grants or more_chunks

    def _drop(self, owner: bytes, blob: bytes, claim: Claim) -> int:
        self._claims.remove(owner, blob, claim)
        self._contents.let_go(blob, claim.complete)
        return self.quota.release(owner, claim.size, claim.received_bytes)

    def _marketplace(self) -> bytes:
        marketplace = self._settings.get(_MARKETPLACE)
        if marketplace is None:
            raise LookupError("the vault was not installed with a marketplace")
        return marketplace

    def _content(self, blob: bytes, blob_id: str) -> Content:
        content = self._contents.get(blob)
        if content is None:
            raise NotFound("blob", blob_id)
        return content

    def _own_upload(self, caller: bytes, blob: bytes, blob_id: str, now: int) -> Claim:
        claim = self._claims.get(caller, blob)
        if claim is None:
            raise NotAuthorized("an owner, who has begun to upload the blob,")
        if not claim.complete and now >= claim.ends_at:
            raise NotFound("upload", blob_id)
        return claim

    def _check_reader(self, caller: bytes, blob: bytes, content: Content, now: int) -> None:
        """Refuse callers who are neither owner nor granted to, and blobs that are not complete."""
        if self._grants.allows(blob, caller, now) and content.complete_holders:
            return
        claim = self._claims.get(caller, blob)
        if claim is None:
            raise NotAuthorized("an owner of the blob or a principal that was granted to read it")
        if not claim.complete:
            raise Incomplete(claim.missing)

    def _checked_grant(self, blob_id: str, reader: bytes, until: int, now: int) -> Grant:
        blob = key_of(blob_id)
        content = self._content(blob, blob_id)
        if not content.complete_holders:
            raise Incomplete(len(bitmaps.missing(content.stored, chunk_count(content.size))))
        if until > now + limits.MAX_GRANT:
            raise InvalidArgument("until", str(until), f"at most {limits.MAX_GRANT} ns from now ({now})")
        return Grant(blob, reader, until)


def _check_index(index: int, count: int) -> None:
    if index >= count:
        raise InvalidArgument("index", str(index), f"the blob has {count} chunks, counted from 0")
