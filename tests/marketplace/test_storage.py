"""Tables hold changes back until the message is decided, and read their own changes meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.marketplace.core.records import BytesCodec
from canisters.marketplace.core.storage import (
    MemoryMap,
    Table,
    number_after,
    number_key,
    number_of,
    prefix_end,
)
from tests.marketplace.world import RENTER, World

KEYS = st.binary(min_size=1, max_size=2)
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.just(b"v")), max_size=20)


def apply(table: Table[bytes], changes: list[tuple[bytes, bytes | None]]) -> None:
    for key, value in changes:
        if value is None:
            table.remove(key)
        else:
            table.put(key, value)


@given(CHANGES, CHANGES, KEYS, KEYS | st.none(), st.integers(1, 10))
def test_a_table_with_pending_changes_reads_like_one_that_committed_them(
    first: list[tuple[bytes, bytes | None]],
    second: list[tuple[bytes, bytes | None]],
    start: bytes,
    stop: bytes | None,
    limit: int,
) -> None:
    table = Table(MemoryMap(), BytesCodec())
    apply(table, first)
    table.commit()
    apply(table, second)
    pending = table.range(start, stop, limit), [table.get(key) for key, _ in second]
    table.commit()
    assert pending == (table.range(start, stop, limit), [table.get(key) for key, _ in second])
    expected = {**dict(first), **dict(second)}
    assert table.range(b"", None, 10**6) == sorted((k, v) for k, v in expected.items() if v is not None)


@given(CHANGES, CHANGES)
def test_a_rollback_leaves_what_was_committed(
    first: list[tuple[bytes, bytes | None]], second: list[tuple[bytes, bytes | None]]
) -> None:
    table = Table(MemoryMap(), BytesCodec())
    apply(table, first)
    table.commit()
    before = table.range(b"", None, 10**6)
    apply(table, second)
    table.rollback()
    assert table.range(b"", None, 10**6) == before


def test_an_exception_inside_a_message_changes_nothing(world: World) -> None:
    before = world.snapshot()
    with pytest.raises(ZeroDivisionError), world.state.atomically():
        world.state.next_number("rentals")
        world.state.parties.put(RENTER.encode(), b"\x01")
        raise ZeroDivisionError
    assert world.snapshot() == before
    assert world.state.count("rentals") == 0


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_number_keys_sort_as_numbers(a: int, b: int) -> None:
    assert (number_key(a) < number_key(b)) == (a < b)
    assert number_of(b"prefix" + number_key(a)) == a


def test_a_page_after_the_last_possible_number_is_empty_not_an_error() -> None:
    assert (number_after(None), number_after(5), number_after(2**64 - 1)) == (0, 6, 2**64 - 1)


@given(st.binary(min_size=1).filter(lambda prefix: prefix[-1] < 255), st.binary())
def test_a_prefix_ends_after_all_its_keys(prefix: bytes, rest: bytes) -> None:
    assert prefix <= prefix + rest < prefix_end(prefix)
