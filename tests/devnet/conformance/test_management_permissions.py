"""Interface specification, "The IC management canister": who may call what, and calls that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from devnet.principal import canister_id
from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    DESTINATION_INVALID,
    MANAGEMENT,
    Canister,
    Network,
    Rejected,
    User,
    code_of,
    passed,
    rejected,
)
from tests.devnet.conformance.management import SETTINGS, filled
from tests.devnet.conformance.program import (
    call,
    call_other,
    module,
)

CONTROLLER_METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("update_settings", {}),
    ("start_canister", {}),
    ("stop_canister", {}),
    ("uninstall_code", {}),
    ("delete_canister", {}),
    ("canister_status", {}),
    ("canister_metrics", {}),
    ("upload_chunk", {"chunk": b"chunk"}),
    ("stored_chunks", {}),
    ("clear_chunk_store", {}),
    ("install_code", {"mode": ("install", None), "wasm_module": b"", "arg": b""}),
    ("take_canister_snapshot", {}),
    ("list_canister_snapshots", {}),
    ("delete_canister_snapshot", {"snapshot_id": b"x"}),
    ("load_canister_snapshot", {"snapshot_id": b"x"}),
)
SEEN_BY_OTHERS = ("canister_status", "list_canister_snapshots")
"""The settings may let others call these, so that a replica may find out only when it executes them."""


@pytest.mark.parametrize("method, values", CONTROLLER_METHODS)
def test_methods_of_controllers(
    network: Network, canister: Canister, other: Canister, method: str, values: dict[str, Any]
) -> None:
    """Only controllers: others are refused, as users before anything is certified, and as canisters."""
    if method == "update_settings":
        values = {"settings": filled(SETTINGS, {"freezing_threshold": 5})}
    for stranger in (network.user(), network.anonymous()):
        found = rejected(lambda: stranger.manage(method, canister_id=canister.id, **values))  # noqa: B023
        assert found.code == CANISTER_ERROR
        assert not found.certified or method in SEEN_BY_OTHERS
    assert code_of(lambda: other.manage_through(method, canister_id=canister.id, **values)) == CANISTER_ERROR


def test_a_canister_that_does_not_exist(user: User, canister: Canister) -> None:
    """Management methods about a canister that does not exist: DESTINATION_INVALID."""
    nobody = canister_id(2**33)
    for method in ("canister_status", "start_canister"):
        assert code_of(lambda: user.manage(method, canister_id=nobody)) == DESTINATION_INVALID  # noqa: B023
        through = lambda: canister.manage_through(method, canister_id=nobody)  # noqa: E731, B023
        assert code_of(through) == DESTINATION_INVALID


REFUSALS = (DESTINATION_INVALID, CANISTER_REJECT, CANISTER_ERROR)
"""The specification leaves open which."""


def test_methods_that_do_not_exist_and_arguments_that_are_none(user: User, canister: Canister) -> None:
    """The management canister rejects unknown methods and arguments that are not of its types."""
    for method, arg in (
        ("no_such_method", b"DIDL\0\0"),
        ("start_canister", b"garbage"),
        ("canister_info", b""),
    ):
        steps = call_other(MANAGEMENT, method, arg)
        assert rejected(lambda: passed(canister.update(steps))).code in REFUSALS  # noqa: B023
    with pytest.raises((Rejected, AssertionError)):
        user.call(MANAGEMENT, "start_canister", b"garbage", effective=canister.id)


@pytest.mark.parametrize(
    "method, values",
    [
        ("update_settings", {}),
        ("uninstall_code", {}),
        ("take_canister_snapshot", {}),
        ("install_code", {"mode": ("reinstall", None), "arg": b""}),
    ],
)
def test_the_senders_version_must_be_its_own(
    user: User, canister: Canister, method: str, values: dict[str, Any]
) -> None:
    """`sender_canister_version`: "must be equal to `ic0.canister_version`"."""
    target = user.deploy(controllers=[user.sender, canister.id])
    if method == "update_settings":
        values = {"settings": filled(SETTINGS, {})}
    if method == "install_code":
        values = {**values, "wasm_module": module()}

    def act(version: int) -> None:
        canister.manage_through(method, canister_id=target.id, sender_canister_version=version, **values)

    version = canister.number(call("canister_version"))
    assert code_of(lambda: act(version + 1000)) == CANISTER_ERROR
    act(canister.number(call("canister_version")))
