"""Whether every index says exactly what the records say."""

from canisters.marketplace.core.types import Status
from tests.marketplace.world import World


def check_indexes(world: World) -> None:
    """Raise AssertionError when queue, deadlines, parties or derived sums disagree with rentals and
    balances.
    """
    rentals = [row for _, row in world.state.rentals.range(b"", None, 10**9)]
    queued = {r.id for r in rentals if r.status is Status.QUEUED}
    assert {_id(key) for key, _ in _rows(world, "queue")} == queued
    due = {(r.deadline, r.id) for r in rentals if r.deadline is not None}
    assert {(int.from_bytes(key[:8], "big"), _id(key)) for key, _ in _rows(world, "deadlines")} == due
    parties = {
        (party, r.id)
        for r in rentals
        for party in (r.renter, *((r.attempt.operator, r.attempt.worker) if r.attempt else ()))
    }
    assert {(key[:-9].decode(), _id(key)) for key, _ in _rows(world, "parties")} == parties
    sums: dict[str, int] = {}
    for rental in rentals:
        _add(sums, f"total/escrow/{rental.renter}", world.account(f"escrow/{rental.id}"))
        if rental.attempt is not None:
            _add(sums, f"total/bond/{rental.attempt.operator}", world.account(f"bond/{rental.id}"))
    stored = {
        key.decode(): int(value) for key, value in _rows(world, "balances") if key.startswith(b"total/")
    }
    assert stored == {name: amount for name, amount in sums.items() if amount}


def _rows(world: World, table: str) -> list[tuple[bytes, bytes]]:
    return world.maps[table].range(b"", None, 10**9) if table in world.maps else []


def _id(key: bytes) -> int:
    return int.from_bytes(key[-8:], "big")


def _add(sums: dict[str, int], name: str, amount: int) -> None:
    sums[name] = sums.get(name, 0) + amount
