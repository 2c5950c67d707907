"""The marketplace's stable memory: one map per table, with the id that never changes."""

from kybra import StableBTreeMap, blob

from canisters.marketplace.core.state import State

# Stock Kybra reads maps and their sizes from the source. Keys have 192 bytes, values 1 MiB.
config = StableBTreeMap[blob, blob](memory_id=0, max_key_size=192, max_value_size=1_048_576)
counters = StableBTreeMap[blob, blob](memory_id=1, max_key_size=192, max_value_size=1_048_576)
listings = StableBTreeMap[blob, blob](memory_id=2, max_key_size=192, max_value_size=1_048_576)
datasets = StableBTreeMap[blob, blob](memory_id=3, max_key_size=192, max_value_size=1_048_576)
catalog = StableBTreeMap[blob, blob](memory_id=4, max_key_size=192, max_value_size=1_048_576)
offers = StableBTreeMap[blob, blob](memory_id=5, max_key_size=192, max_value_size=1_048_576)
requests = StableBTreeMap[blob, blob](memory_id=6, max_key_size=192, max_value_size=1_048_576)
rentals = StableBTreeMap[blob, blob](memory_id=7, max_key_size=192, max_value_size=1_048_576)
queue = StableBTreeMap[blob, blob](memory_id=8, max_key_size=192, max_value_size=1_048_576)
deadlines = StableBTreeMap[blob, blob](memory_id=9, max_key_size=192, max_value_size=1_048_576)
parties = StableBTreeMap[blob, blob](memory_id=10, max_key_size=192, max_value_size=1_048_576)
events = StableBTreeMap[blob, blob](memory_id=11, max_key_size=192, max_value_size=1_048_576)
progress = StableBTreeMap[blob, blob](memory_id=12, max_key_size=192, max_value_size=1_048_576)
attestations = StableBTreeMap[blob, blob](memory_id=13, max_key_size=192, max_value_size=1_048_576)
balances = StableBTreeMap[blob, blob](memory_id=14, max_key_size=192, max_value_size=1_048_576)
movements = StableBTreeMap[blob, blob](memory_id=15, max_key_size=192, max_value_size=1_048_576)
movement_viewers = StableBTreeMap[blob, blob](memory_id=16, max_key_size=192, max_value_size=1_048_576)
transfers = StableBTreeMap[blob, blob](memory_id=17, max_key_size=192, max_value_size=1_048_576)
transfer_index = StableBTreeMap[blob, blob](memory_id=18, max_key_size=192, max_value_size=1_048_576)
denials = StableBTreeMap[blob, blob](memory_id=19, max_key_size=192, max_value_size=1_048_576)
key_quotas = StableBTreeMap[blob, blob](memory_id=20, max_key_size=192, max_value_size=1_048_576)
policies = StableBTreeMap[blob, blob](memory_id=21, max_key_size=192, max_value_size=1_048_576)
governance = StableBTreeMap[blob, blob](memory_id=22, max_key_size=192, max_value_size=1_048_576)
proposals = StableBTreeMap[blob, blob](memory_id=23, max_key_size=192, max_value_size=1_048_576)
open_proposals = StableBTreeMap[blob, blob](memory_id=24, max_key_size=192, max_value_size=1_048_576)
governance_events = StableBTreeMap[blob, blob](memory_id=25, max_key_size=192, max_value_size=1_048_576)
collateral = StableBTreeMap[blob, blob](memory_id=26, max_key_size=192, max_value_size=1_048_576)
collateral_content = StableBTreeMap[blob, blob](memory_id=27, max_key_size=192, max_value_size=1_048_576)
collateral_index = StableBTreeMap[blob, blob](memory_id=28, max_key_size=192, max_value_size=1_048_576)
revoked = StableBTreeMap[blob, blob](memory_id=29, max_key_size=192, max_value_size=1_048_576)
relied_upon = StableBTreeMap[blob, blob](memory_id=30, max_key_size=192, max_value_size=1_048_576)
evidence = StableBTreeMap[blob, blob](memory_id=31, max_key_size=192, max_value_size=1_048_576)

_MAPS = {
    "config": config,
    "counters": counters,
    "listings": listings,
    "datasets": datasets,
    "catalog": catalog,
    "offers": offers,
    "requests": requests,
    "rentals": rentals,
    "queue": queue,
    "deadlines": deadlines,
    "parties": parties,
    "events": events,
    "progress": progress,
    "attestations": attestations,
    "balances": balances,
    "movements": movements,
    "movement_viewers": movement_viewers,
    "transfers": transfers,
    "transfer_index": transfer_index,
    "denials": denials,
    "key_quotas": key_quotas,
    "policies": policies,
    "governance": governance,
    "proposals": proposals,
    "open_proposals": open_proposals,
    "governance_events": governance_events,
    "collateral": collateral,
    "collateral_content": collateral_content,
    "collateral_index": collateral_index,
    "revoked": revoked,
    "relied_upon": relied_upon,
    "evidence": evidence,
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
