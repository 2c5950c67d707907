"""Ordered maps in stable memory."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cdk.runtime.host import PAGE_SIZE, Canister, Trapped

LARGE = 1 << 20


def test_put_get_remove_answer_former_values(canister: Canister) -> None:
    source = """
        result = [
            _stable.get(0, b"k"), _stable.put(0, b"k", b"v"), _stable.put(0, b"k", b"w"),
            _stable.get(0, b"k"), _stable.contains(0, b"k"), _stable.length(0),
            _stable.remove(0, b"k"), _stable.remove(0, b"k"), _stable.contains(0, b"k"), _stable.length(0),
        ]
    """
    assert canister.evaluate(source) == [None, None, b"v", b"w", True, 1, b"w", None, False, 0]


def test_a_map_never_written_is_empty_and_costs_no_stable_memory(canister: Canister) -> None:
    source = """
        _stable.clear(9)
        result = (_stable.get(9, b""), _stable.remove(9, b""), _stable.length(9), _stable.items(9))
    """
    assert canister.evaluate(source) == (None, None, 0, [])
    assert canister.evaluate("result = _stable.keys(9)") == []
    assert len(canister.stable) == 0


def test_empty_keys_and_values_are_values(canister: Canister) -> None:
    source = (
        "result = (_stable.put(0, b'', b''), _stable.get(0, b''), _stable.items(0), _stable.contains(0, b''))"
    )
    assert canister.evaluate(source) == (None, b"", [(b"", b"")], True)


def test_maps_are_apart(canister: Canister) -> None:
    source = """
        for map in (0, 1, 255):
            _stable.put(map, b"k", bytes([map]))
        _stable.clear(1)
        result = [_stable.get(map, b"k") for map in (0, 1, 255)]
    """
    assert canister.evaluate(source) == [b"\x00", None, b"\xff"]


def test_ranges(canister: Canister) -> None:
    canister.evaluate(
        """
        for i in range(10):
            _stable.put(0, bytes([i]), bytes([i] * 2))
        result = 0
        """
    )
    everything = [(bytes([i]), bytes([i] * 2)) for i in range(10)]
    assert canister.evaluate("result = _stable.items(0)") == everything
    assert canister.evaluate("result = _stable.items(0, None, None, -1, True)") == everything[::-1]
    assert canister.evaluate("result = _stable.items(0, b'\\3', b'\\6')") == everything[3:6]
    assert canister.evaluate("result = _stable.items(0, b'\\3', b'\\6', 2, True)") == everything[5:3:-1]
    assert canister.evaluate("result = _stable.keys(0, b'\\7')") == [b"\x07", b"\x08", b"\x09"]
    assert canister.evaluate("result = _stable.keys(0, None, b'\\1')") == [b"\x00"]
    assert canister.evaluate("result = _stable.keys(0, None, b'')") == []
    assert canister.evaluate("result = _stable.keys(0, b'\\6', b'\\3')") == []
    assert canister.evaluate("result = _stable.items(0, None, None, 0)") == []


keys = st.binary(max_size=3)
values = st.one_of(
    st.binary(max_size=5), st.integers(890, 910).map(bytes), st.integers(4000, 9000).map(bytes)
)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, values),
        st.tuples(st.just("remove"), keys),
        st.tuples(st.just("get"), keys),
        st.tuples(st.just("clear")),
        st.tuples(st.just("items"), st.none() | keys, st.none() | keys, st.integers(-1, 5), st.booleans()),
    ),
    max_size=30,
)


def apply(model: dict[bytes, bytes], name: str, *arguments: Any) -> Any:
    """What the operation answers, on a dict."""
    if name == "put":
        former = model.get(arguments[0])
        model[arguments[0]] = arguments[1]
        return former
    if name == "items":
        start, stop, limit, reverse = arguments
        found = sorted(item for item in model.items() if item[0] >= (start or b""))
        found = [item for item in found if stop is None or item[0] < stop]
        found = found[::-1] if reverse else found
        return found if limit < 0 else found[:limit]
    if name == "clear":
        return model.clear()
    return model.pop(arguments[0], None) if name == "remove" else model.get(arguments[0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(operations, min_size=1, max_size=3))
def test_like_a_dict_over_messages_and_upgrades(canister: Canister, messages: list[list[Any]]) -> None:
    model: dict[bytes, bytes] = {}
    canister.evaluate("_stable.clear(0); result = 0")
    for message in messages:
        answers = canister.evaluate(
            f"result = [getattr(_stable, name)(0, *rest) for name, *rest in {message!r}]"
        )
        assert answers == [apply(model, *operation) for operation in message]
        canister = canister.upgraded(pre_upgrade=False)
        assert canister.evaluate("result = (_stable.items(0), _stable.length(0))") == (
            sorted(model.items()),
            len(model),
        )


def test_a_mebibyte_survives_an_upgrade(canister: Canister) -> None:
    canister.evaluate(f"for i in range(5): _stable.put(3, bytes([i]), bytes([i]) * {LARGE})\nresult = 0")
    new = canister.upgraded()
    assert (
        new.evaluate(f"result = [_stable.get(3, bytes([i])) == bytes([i]) * {LARGE} for i in range(5)]")
        == [True] * 5
    )


def test_large_values_can_shrink_and_grow(canister: Canister) -> None:
    source = f"""
        sizes = [{LARGE}, 10, 2000, 3000, {LARGE}, 0, 895, 905]
        for size in sizes:
            _stable.put(0, b"key", b"x" * size)
        result = (len(_stable.get(0, b"key")), _stable.length(0), len(_stable.remove(0, b"key")))
    """
    assert canister.evaluate(source) == (905, 1, 905)
    assert canister.evaluate("result = _stable.items(0)") == []


def test_space_of_removed_values_is_used_again(canister: Canister) -> None:
    for _ in range(6):
        canister.evaluate(f"_stable.put(0, b'key', b'x' * {LARGE}); _stable.remove(0, b'key'); result = 0")
    assert len(canister.stable) < 4 * LARGE


def test_a_trap_loses_the_messages_changes_only(canister: Canister) -> None:
    canister.evaluate("_stable.put(0, b'kept', b'1'); result = 0")
    with pytest.raises(Trapped, match="ZeroDivisionError"):
        canister.evaluate(
            "_stable.put(0, b'lost', b'2'); _stable.remove(0, b'kept'); _stable.put(7, b'', b''); 1 / 0"
        )
    assert canister.evaluate("result = (_stable.items(0), _stable.length(0))") == ([(b"kept", b"1")], 1)
    assert canister.evaluate("_stable.put(0, b'next', b'3'); result = _stable.length(0)") == 2
    assert canister.upgraded().evaluate("result = _stable.keys(0)") == [b"kept", b"next"]


def test_the_layout_is_as_documented(canister: Canister) -> None:
    canister.evaluate("_stable.put(2, b'a', b''); _stable.put(2, b'b', b''); result = 0")
    header = bytes(canister.stable[:PAGE_SIZE])
    assert header[:8] == b"LHSTABLE"
    assert int.from_bytes(header[8:12], "little") == 1
    assert int.from_bytes(header[16:24], "little") % 4096 == 0
    counts = [int.from_bytes(header[32 + 8 * i : 40 + 8 * i], "little") for i in range(256)]
    assert counts == [0, 0, 3] + [0] * 253
    assert canister.stable[PAGE_SIZE : PAGE_SIZE + 15] == b"SQLite format 3"


def test_maps_and_raw_writes_exclude_each_other(canister: Canister) -> None:
    canister.evaluate("_stable.put(0, b'k', b'v'); result = 0")
    with pytest.raises(Trapped, match="belongs to the stable maps"):
        canister.evaluate("_ic0.stable_write(0, b'x')")
    with pytest.raises(Trapped, match="belongs to the stable maps"):
        canister.evaluate("_ic0.stable_grow(1)")


def test_foreign_stable_memory_is_not_overwritten(canister: Canister) -> None:
    canister.evaluate("_ic0.stable_grow(1); _ic0.stable_write(0, b'mine'); result = 0")
    with pytest.raises(Trapped, match="already holds other data"):
        canister.evaluate("_stable.put(0, b'k', b'v')")


def test_a_newer_layout_is_refused(canister: Canister) -> None:
    canister.evaluate("_stable.put(0, b'k', b'v'); result = 0")
    canister.stable[8] = 2
    with pytest.raises(Trapped, match="unknown version"):
        canister.upgraded(pre_upgrade=False).evaluate("result = _stable.get(0, b'k')")


def test_a_damaged_database_traps(canister: Canister) -> None:
    canister.evaluate("for i in range(500): _stable.put(0, i.to_bytes(2, 'big'), bytes(300))\nresult = 0")
    canister.stable[PAGE_SIZE + 4096 :] = bytes(len(canister.stable) - PAGE_SIZE - 4096)
    with pytest.raises(Trapped, match=r"stable storage: .*malformed"):
        canister.upgraded(pre_upgrade=False).evaluate("result = _stable.items(0)")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("_stable.get(-1, b'')", "ValueError"),
        ("_stable.get(256, b'')", "ValueError"),
        ("_stable.put(2**40, b'', b'')", "OverflowError"),
        ("_stable.get('0', b'')", "TypeError"),
        ("_stable.get(0, 'text')", "TypeError"),
        ("_stable.put(0, b'', None)", "TypeError"),
        ("_stable.put(0, b'')", "TypeError"),
        ("_stable.put(0, b'', bytes(2**26 + 1))", "ValueError"),
        ("_stable.items(300)", "ValueError"),
        ("_stable.items(0, 'a')", "TypeError"),
    ],
)
def test_wrong_arguments_raise(canister: Canister, source: str, error: str) -> None:
    with pytest.raises(Trapped, match=f"^{error}: "):
        canister.evaluate(source)
