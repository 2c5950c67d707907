"""Stable maps, and the order of their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk.candid import Principal
from cdk.candid import types as candid
from cdk.testing import Simulator, Trapped
from cdk.testing.loading import LoadedCanister

Start = Callable[..., Simulator]
ALICE, BOB = Principal(b"alice"), Principal(b"bob")


def item(note: str | None = None) -> dict[str, object]:
    return {"owner": ALICE, "tags": ["a", "b"], "note": note}


def test_a_map_holds_records(canister: Start) -> None:
    maps = canister("maps")
    assert maps.update("put_item", 1, item()) is None
    assert maps.update("put_item", 1, item("new")) == item()
    assert maps.query("get_item", 1) == item("new")
    assert maps.query("get_item", 2) is None
    assert maps.update("put_item", 300, item()) is None
    assert maps.query("summary") == "2 False True [1, 300] 2"
    assert maps.update("remove_item", 1) == item("new")
    assert maps.update("remove_item", 1) is None
    assert maps.query("summary") == "1 False False [300] 1"


def test_maps_survive_upgrades(canister: Start) -> None:
    maps = canister("maps")
    maps.update("put_item", 1, item("kept"))
    maps.upgrade()
    assert maps.query("get_item", 1) == item("kept")


def test_ranges_are_bounded_and_ordered(canister: Start) -> None:
    maps = canister("maps")
    for number in (5, 1, 256, 1 << 40, 3):
        maps.update("put_item", number, item())
    assert maps.query("page", None, 10, False) == [1, 3, 5, 256, 1 << 40]
    assert maps.query("page", 3, 2, False) == [3, 5]
    assert maps.query("page", 3, 2, True) == [1 << 40, 256]


def test_tuple_keys(canister: Start) -> None:
    maps = canister("maps")
    for caller in (BOB, ALICE):
        for account in ("savings", "a"):
            maps.update("credit", account, 5, caller=caller)
    assert maps.update("credit", "a", 1, caller=BOB) == 6
    assert maps.query("accounts") == [(ALICE, "a"), (ALICE, "savings"), (BOB, "a"), (BOB, "savings")]


def test_values_above_the_maximum_size_are_refused(canister: Start) -> None:
    maps = canister("maps")
    with pytest.raises(Trapped, match=r"ValueTooLargeError: map 0: a value takes \d+ bytes, at most 200"):
        maps.update("put_item", 1, item("x" * 200))
    maps.update("put_blob", 1, bytes(1024))
    with pytest.raises(Trapped, match="ValueTooLargeError"):
        maps.update("put_blob", 1, bytes(1025))
    with pytest.raises(Trapped, match="KeyTooLargeError: map 2: a key takes"):
        maps.update("credit", "x" * 100, 1)


def test_a_later_version_reads_records_of_an_earlier_one(source: Start) -> None:
    old = source(_VERSION.format(fields="a: nat\n    gone: text"))
    old.update("put", 1, {"a": 7, "gone": "x"})
    new = source(_VERSION.format(fields="a: nat\n    added: Opt[text]"))
    new.system.maps.update(old.system.maps)
    new._reload_maps()
    assert new.query("get", 1) == {"a": 7, "added": None}


_VERSION = """
class Item(Record):
    {fields}
items = StableBTreeMap[nat64, Item](memory_id=0, max_key_size=8, max_value_size=100)
@update
def put(key: nat64, value: Item) -> void:
    items.insert(key, value)
@query
def get(key: nat64) -> Opt[Item]:
    return items.get(key)
"""

VALUES: list[tuple[str, Any, Any]] = [
    *[("nat64", 5, -1), ("nat", 1 << 80, -1), ("int", -5, "x"), ("bool", True, 1), ("text", "a", b"a")],
    *[("blob", b"\x00", "a"), ("Principal", ALICE, "x"), ("float64", 1.5, "x"), ("Opt[nat]", 3, "x")],
    *[("Vec[Opt[text]]", ["a", None], 1), ("Tuple[nat, text]", (1, "x"), (1,)), ("null", None, 1)],
]


@pytest.mark.parametrize(("type", "value", "wrong"), VALUES, ids=lambda value: str(value)[:15])
def test_values_of_every_type(source: Start, type: str, value: Any, wrong: Any) -> None:
    sim = source(
        f"""
map = StableBTreeMap[text, {type}](memory_id=3, max_key_size=9, max_value_size=99)
@query
def f() -> nat: return 1
"""
    )
    map = sim.loaded.kybra.stable.MAPS[3]
    assert map.insert("k", value) is None
    assert map.get("k") == value and map.items() == [("k", value)] and map.values() == [value]
    with pytest.raises(Exception, match=r"expected|negative|range"):
        map.insert("k", wrong)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("StableBTreeMap(memory_id=0, max_key_size=1, max_value_size=1)", "name the types"),
        ("StableBTreeMap[nat, nat](memory_id=255, max_key_size=1, max_value_size=1)", "from 0 to 254"),
        ("StableBTreeMap[Vec[text], nat](memory_id=0, max_key_size=1, max_value_size=1)", "a key may be"),
        (
            "[StableBTreeMap[nat, nat](memory_id=0, max_key_size=1, max_value_size=1) for _ in range(2)]",
            "used by two maps",
        ),
    ],
)
def test_wrong_maps_are_refused_when_the_canister_is_loaded(source: Start, text: str, problem: str) -> None:
    with pytest.raises(Exception, match=problem) as caught:
        source(f"m = {text}\n@query\ndef f() -> nat: return 1\n")
    assert type(caught.value).__name__ == "DefinitionError"


@pytest.fixture(scope="module")
def key_codec(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys_canister.py").write_text(
        "from kybra import nat, query\n@query\ndef f() -> nat: return 1\n"
    )
    from cdk.testing import System

    loaded: Any = LoadedCanister("keys_canister", folder, System().modules())
    return loaded.kybra.keys.KeyCodec


KEYS: list[tuple[candid.Type, st.SearchStrategy[Any]]] = [
    (candid.NAT8, st.integers(0, 255)),
    (candid.NAT64, st.integers(0, (1 << 64) - 1)),
    (candid.INT16, st.integers(-(1 << 15), (1 << 15) - 1)),
    (candid.INT64, st.integers(-(1 << 63), (1 << 63) - 1)),
    (candid.NAT, st.integers(0, 1 << 200)),
    (candid.INT, st.integers(-(1 << 200), 1 << 200)),
    (candid.BOOL, st.booleans()),
    (candid.TEXT, st.text("ab\x00\x01\xff", max_size=4)),
    (candid.BLOB, st.binary(max_size=4)),
    (candid.PRINCIPAL, st.binary(max_size=4).map(Principal)),
]


@settings(deadline=None, max_examples=300)
@given(st.data(), st.lists(st.sampled_from(KEYS), min_size=1, max_size=3))
def test_keys_come_back_and_sort_like_their_bytes(
    key_codec: Any, data: st.DataObject, parts: list[tuple[candid.Type, st.SearchStrategy[Any]]]
) -> None:
    values = st.tuples(*[strategy for _, strategy in parts])
    one, two = data.draw(values), data.draw(values)
    codec = key_codec(candid.tuple_type(tuple(type for type, _ in parts)))
    assert codec.decode(codec.encode(one)) == one
    assert (codec.encode(one) < codec.encode(two)) == (_order(one) < _order(two))
    single = key_codec(parts[0][0])
    assert single.decode(single.encode(one[0])) == one[0]
    assert (single.encode(one[0]) < single.encode(two[0])) == (_order(one[:1]) < _order(two[:1]))


def _order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Texts sort as UTF-8, principals as bytes."""
    return tuple(
        part.encode() if isinstance(part, str) else part.bytes if isinstance(part, Principal) else part
        for part in key
    )


@pytest.mark.parametrize(
    ("type", "value"),
    [
        *[
            (candid.NAT8, 256),
            (candid.NAT8, -1),
            (candid.INT8, 128),
            (candid.NAT, -1),
            (candid.NAT, 1 << 2000),
        ],
        *[
            (candid.TEXT, b"a"),
            (candid.BLOB, "a"),
            (candid.PRINCIPAL, "a"),
            (candid.BOOL, 1),
            (candid.NAT64, "a"),
        ],
        (candid.tuple_type((candid.NAT,)), (1, 2)),
    ],
)
def test_keys_that_do_not_fit_are_refused(key_codec: Any, type: candid.Type, value: Any) -> None:
    with pytest.raises(Exception, match="key"):
        key_codec(type).encode(value)
