"""Canisters compiled from Python, on the engine: the modules the node is mostly used with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from icp_candid import Types, decode, encode  # type: ignore[import-untyped]
from icp_principal.principal import Principal  # type: ignore[import-untyped]

from cdk.build import build
from devnet.replica import Limits
from tests.devnet.replica.harness import Net, make_net, rejected

CANISTERS = "tests/cdk/canisters"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def net(tmp_path: Path) -> Any:
    net = make_net(Limits(), tmp_path / "state")
    yield net
    net.replica.close()


def deploy(net: Net, name: str, *arguments: tuple[Any, Any]) -> bytes:
    canister = net.create()
    net.install(canister, build(f"{CANISTERS}/{name}", ROOT).module, arg=candid(*arguments))
    return canister


def candid(*arguments: tuple[Any, Any]) -> bytes:
    return bytes(encode([{"type": kind, "value": value} for kind, value in arguments]))


def value(reply: bytes) -> Any:
    return decode(reply)[0]["value"]


def test_state_is_kept_trapped_upgraded_and_reopened(net: Net, tmp_path: Path) -> None:
    counter = deploy(net, "counter", (Types.Nat64, 5))
    assert value(net.update(counter, "increment", candid())) == 6
    reject = rejected(lambda: net.update(counter, "fail", candid()))
    assert "ValueError: this always fails" in reject.message
    assert value(net.query(counter, "get", candid())) == 6
    net.install(counter, build(f"{CANISTERS}/counter", ROOT).module, mode="upgrade", arg=candid())
    assert value(net.update(counter, "increment", candid())) == 7
    net.replica.close()
    again = make_net(Limits(), tmp_path / "state")
    assert value(again.query(counter, "get", candid())) == 7
    assert value(again.update(counter, "increment", candid())) == 8
    again.replica.close()


def test_asynchronous_methods_call_other_canisters(net: Net) -> None:
    counter, caller = deploy(net, "counter", (Types.Nat64, 1)), deploy(net, "caller")
    target = (Types.Principal, Principal(counter))
    assert list(value(net.update(caller, "add_twice", candid(target, (Types.Nat64, 10)))).values()) == [20]
    assert value(net.query(counter, "get", candid())) == 21
    assert len(value(net.update(caller, "random_bytes", candid()))) == 32
    nobody = (Types.Principal, Principal(b"\0" * 8 + b"\1\1"))
    told = value(net.update(caller, "add_or_explain", candid(nobody, (Types.Nat64, 1))))
    assert told.startswith("failed:") and "not found" in told


def test_a_lock_is_given_up_when_a_callback_fails(net: Net) -> None:
    caller = deploy(net, "caller")
    nobody = (Types.Principal, Principal(b"\0" * 8 + b"\1\1"))
    rejected(lambda: net.update(caller, "add_locked", candid(nobody, (Types.Nat64, 1))))
    assert value(net.query(caller, "is_locked", candid())) is False


def test_timers_run_and_a_failing_one_disturbs_no_other(net: Net) -> None:
    timers = deploy(net, "timers")
    net.update(timers, "once", candid((Types.Nat64, 3)))
    net.update(timers, "ask_in", candid((Types.Nat64, 4)))
    for _ in range(5):
        net.advance(5)

    def count(name: str) -> int:
        return int(value(net.query(timers, "get", candid((Types.Text, name)))))

    assert [count(name) for name in ("tick", "once", "asked", "fail")] == [2, 1, 1, 0]
