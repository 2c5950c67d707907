"""How many bytes each owner keeps, and all of them together."""

from __future__ import annotations

from canisters.vault.core.errors import QuotaExceeded
from canisters.vault.core.limits import MIN_CHARGE, OWNER_QUOTA, TOTAL_CAPACITY
from canisters.vault.core.storage import OrderedMap, Storage, number_key, principal_key

_TOTAL = b"total"


class Quota:
    """Charges for blobs. A blob kept by two owners is charged to both.

    Owners are charged what they announce, all together what has arrived: announcing costs nothing, so it must
    not take the room of others.
    """

    def __init__(self, storage: Storage) -> None:
        self._usage = storage.usage
        self._settings = storage.settings

    def used(self, owner: bytes) -> int:
        """Bytes charged to `owner`."""
        return _number(self._usage, principal_key(owner))

    def total(self) -> int:
        """Bytes received from all owners, and `MIN_CHARGE` for each of their blobs."""
        return _number(self._settings, _TOTAL)

    def charge(self, owner: bytes, size: int) -> None:
        """Charge a blob to its owner; QuotaExceeded if it does not fit."""
        charged, used, total = max(size, MIN_CHARGE), self.used(owner), self.total()
        if used + charged > OWNER_QUOTA:
            raise QuotaExceeded(used, OWNER_QUOTA, charged)
        _check_total(total, MIN_CHARGE)
        self._set(owner, used + charged, total + MIN_CHARGE)

    def receive(self, size: int) -> None:
        """Charge bytes that an owner has sent; QuotaExceeded if the vault is full."""
        total = self.total()
        _check_total(total, size)
        self._settings.insert(_TOTAL, number_key(total + size))

    def release(self, owner: bytes, size: int, received: int) -> int:
        """Take a blob off its owner's account; returns the bytes of the owner's quota that become free."""
        charged = max(size, MIN_CHARGE)
        self._set(owner, self.used(owner) - charged, self.total() - MIN_CHARGE - received)
        return charged

    def _set(self, owner: bytes, used: int, total: int) -> None:
        if used:
            self._usage.insert(principal_key(owner), number_key(used))
        else:
            self._usage.remove(principal_key(owner))
        self._settings.insert(_TOTAL, number_key(total))


def _check_total(total: int, more: int) -> None:
    if total + more > TOTAL_CAPACITY:
        raise QuotaExceeded(total, TOTAL_CAPACITY, more)


def _number(rows: OrderedMap, key: bytes) -> int:
    record = rows.get(key)
    return 0 if record is None else int.from_bytes(record, "big")
