"""Interface specification, `update_settings`, and the settings of `create_canister`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.devnet.conformance import management
from tests.devnet.conformance.driver import (
    Canister,
    Network,
    Rejected,
    User,
)

T = 10**12


def test_defaults_of_a_new_canister(user: User) -> None:
    """`create_canister`: default values of the settings; a new canister is empty and runs."""
    status = user.create(cycles=3 * T).status()
    assert status["status"] == ("running", None)
    assert (status["module_hash"], status["cycles"] > 2 * T) == (None, True)
    # The specification says 0; the Internet Computer sets 3 GiB, and so does devnet.
    assert status["settings"].pop("wasm_memory_limit") in (0, 3 * 2**30)
    assert status["settings"] == {
        "controllers": [user.sender],
        "compute_allocation": 0,
        "memory_allocation": 0,
        "freezing_threshold": 2_592_000,
        "reserved_cycles_limit": 5 * T,
        "minimum_incoming_canister_call_cycles": 0,
        "log_visibility": ("controllers", None),
        "log_memory_limit": 4096,
        "snapshot_visibility": ("controllers", None),
        "status_visibility": ("controllers", None),
        "wasm_memory_threshold": 0,
        "environment_variables": [],
    }


CHANGES: dict[str, Any] = {
    "compute_allocation": 1,
    "memory_allocation": 50_000_000,
    "freezing_threshold": 1_000_000,
    "reserved_cycles_limit": 7,
    "minimum_incoming_canister_call_cycles": 8,
    "log_visibility": ("public", None),
    "log_memory_limit": 8192,
    "snapshot_visibility": ("public", None),
    "status_visibility": ("allowed_viewers", [b"\x04"]),
    "wasm_memory_limit": 9 * 2**20,
    "wasm_memory_threshold": 10,
    "environment_variables": [{"name": "A", "value": "b"}],
}


def test_settings_are_set_one_by_one(user: User) -> None:
    """`update_settings`: a setting that is not included is not changed."""
    canister = user.create()
    expected = canister.status()["settings"]
    for name, value in CHANGES.items():
        canister.set(**{name: value})
        expected = {**expected, name: value}
        assert canister.status()["settings"] == expected


def test_settings_of_creation(user: User, canister: Canister) -> None:
    """`create_canister` and `provisional_create_canister_with_cycles`: settings may be given."""
    settings = user.create(**CHANGES).status()["settings"]
    assert {name: settings[name] for name in CHANGES} == CHANGES
    created = canister.manage_through(
        "create_canister", cycles=T, settings=_settings(controllers=[user.sender, canister.id])
    )
    status = Canister(user, created["canister_id"]).status()
    assert sorted(status["settings"]["controllers"]) == sorted([user.sender, canister.id])


def _settings(**values: Any) -> dict[str, Any]:
    return management.filled(management.SETTINGS, values)


@pytest.mark.parametrize(
    "name, good, bad",
    [
        ("compute_allocation", 100, 101),
        ("memory_allocation", None, 2**64),
        ("freezing_threshold", 2**64 - 1, 2**64),
        ("reserved_cycles_limit", 2**128 - 1, 2**128),
        ("minimum_incoming_canister_call_cycles", 2**128 - 1, 2**128),
        ("wasm_memory_limit", 2**48, 2**48 + 1),
        ("wasm_memory_threshold", 2**48, 2**48 + 1),
        ("log_memory_limit", 0, 1),
        ("log_memory_limit", 4096, 4095),
        ("log_memory_limit", 2**21, 2**21 + 1),
        ("controllers", [bytes([n]) for n in range(1, 11)], [bytes([n]) for n in range(1, 12)]),
        ("log_visibility", ("allowed_viewers", [b"\1"] * 10), ("allowed_viewers", [b"\1"] * 11)),
        ("snapshot_visibility", ("allowed_viewers", [b"\1"] * 10), ("allowed_viewers", [b"\1"] * 11)),
        ("status_visibility", ("allowed_viewers", [b"\1"] * 10), ("allowed_viewers", [b"\1"] * 11)),
    ],
)
def test_bounds_of_settings(user: User, name: str, good: object, bad: object) -> None:
    """`create_canister`: the range of each setting; what is outside is rejected and changes nothing."""
    canister = user.create(cycles=2**120)
    before = canister.status()["settings"]
    with pytest.raises(Rejected):
        canister.set(**{name: bad})
    assert canister.status()["settings"] == before
    if good is not None:
        canister.set(**{name: good})


def test_controllers_may_be_given_away(user: User, network: Network) -> None:
    """`update_settings`: `controllers`; nobody else may change them afterwards."""
    canister = user.create()
    heir = network.user()
    canister.set(controllers=[heir.sender])
    with pytest.raises(Rejected):
        canister.status()
    assert Canister(heir, canister.id).status()["settings"]["controllers"] == [heir.sender]
    Canister(heir, canister.id).set(controllers=[])
    with pytest.raises(Rejected):
        Canister(heir, canister.id).status()


def test_canisters_may_control_themselves(user: User) -> None:
    """A canister may be its own controller, and read its own status in any case."""
    canister = user.deploy()
    status = canister.manage_through("canister_status", canister_id=canister.id)
    assert status["settings"]["controllers"] == [user.sender]
    canister.set(controllers=[user.sender, canister.id])
    steps = canister.manage_through(
        "update_settings", canister_id=canister.id, settings=_settings(freezing_threshold=99)
    )
    assert steps is None
    assert canister.status()["settings"]["freezing_threshold"] == 99
