"""The marketplace's stable memory: one map per table, with the id that never changes."""

from kybra import StableBTreeMap, blob

from canisters.marketplace.core.state import State

_KEY_BYTES = 192
_VALUE_BYTES = 1_048_576

_MAPS = {
    "config": StableBTreeMap[blob, blob](memory_id=0, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "counters": StableBTreeMap[blob, blob](memory_id=1, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "listings": StableBTreeMap[blob, blob](memory_id=2, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "datasets": StableBTreeMap[blob, blob](memory_id=3, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "catalog": StableBTreeMap[blob, blob](memory_id=4, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "offers": StableBTreeMap[blob, blob](memory_id=5, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "requests": StableBTreeMap[blob, blob](memory_id=6, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "rentals": StableBTreeMap[blob, blob](memory_id=7, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "queue": StableBTreeMap[blob, blob](memory_id=8, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "deadlines": StableBTreeMap[blob, blob](
        memory_id=9, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "parties": StableBTreeMap[blob, blob](memory_id=10, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "events": StableBTreeMap[blob, blob](memory_id=11, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "progress": StableBTreeMap[blob, blob](
        memory_id=12, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "attestations": StableBTreeMap[blob, blob](
        memory_id=13, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "balances": StableBTreeMap[blob, blob](
        memory_id=14, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "movements": StableBTreeMap[blob, blob](
        memory_id=15, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "movement_viewers": StableBTreeMap[blob, blob](
        memory_id=16, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "transfers": StableBTreeMap[blob, blob](
        memory_id=17, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "transfer_index": StableBTreeMap[blob, blob](
        memory_id=18, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
    "denials": StableBTreeMap[blob, blob](memory_id=19, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES),
    "key_quotas": StableBTreeMap[blob, blob](
        memory_id=20, max_key_size=_KEY_BYTES, max_value_size=_VALUE_BYTES
    ),
}


class StableMap:
    """A `StableBTreeMap` as the core's `OrderedMap`."""

    def __init__(self, name: str) -> None:
        self._map = _MAPS[name]
        self.get = self._map.get
        self.insert = self._map.insert
        self.remove = self._map.remove

    def range(self, start: bytes, stop: "bytes | None", limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` entries with ``start <= key < stop``, in key order."""
        return self._map.range(start, stop, limit=limit)


state = State(StableMap)
