"""The public API, a canister for each group, on the network's own engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk.candid import Principal
from devnet.replica import Query
from tests.devnet.replica.harness import USER, Net, rejected

Deploy = Callable[..., Any]
ANONYMOUS = b"\x04"
NOBODY = Principal(b"\0" * 8 + b"\1\1")


def test_ic_tells_about_message_and_canister(deploy: Deploy, net: Net) -> None:
    system = deploy("system")
    facts = system.update("facts", "x")
    assert facts["caller"] == Principal(USER) and facts["id"] == system.id
    assert facts["time"] == net.clock.now and facts["method"] == "facts"
    assert facts["argument"] == system.argument("facts", "x")
    assert facts["argument_size"] == len(facts["argument"])
    assert 0 < facts["balance"] == facts["balance_64"] and 0 < facts["instructions"] < 1_000_000
    system.update("certify", b"c" * 32)
    certified = Query(USER, system.raw_id, "certificate", b"DIDL\x00\x00", data_certificate=lambda: b"signed")
    assert system.read("certificate", net.replica.query(certified)) == b"signed"
    assert system.update("take", 5) == (0, 0, 0, 0)
    system.update("say", ["a", "b"])
    assert net.printed == ["a b"]


def test_ic_spells_candid_and_names_accounts(deploy: Deploy) -> None:
    system = deploy("system")
    spelled = "(record { 97 = 1 : nat; 98 = vec { true; false } })"
    assert system.query("spelled", system.query("unspelled", spelled)) == spelled
    known = bytes.fromhex("1c7a48ba6a562aa9eaa2481a9049cdf0433b9738c992d698c31d8abf89cadc79")  # anonymous, 0
    assert system.query("account", Principal(ANONYMOUS), 0) == known


def test_manual_answers(deploy: Deploy) -> None:
    system = deploy("system")
    assert system.update("answer", "reply") == "replied"
    assert system.update("answer", "raw") == "raw"
    assert rejected(lambda: system.update("answer", "reject")).message == "rejected"
    assert "trapped" in rejected(lambda: system.update("answer", "trap")).message
    assert "did not reply" in rejected(lambda: system.update("answer", "nothing")).message


def test_system_events_reach_their_functions(deploy: Deploy, net: Net) -> None:
    canister = deploy("lifecycle", "first")
    for _ in range(5):
        net.advance(1)
    assert canister.query("count_beats") == 3
    canister.upgrade("second")
    assert canister.query("events") == ["init first", "pre_upgrade after 3 beats", "post_upgrade second"]
    canister.update("guarded")
    assert rejected(lambda: canister.update("guarded", sender=ANONYMOUS)).code
    assert canister.query("events")[-1] == "guarded"


@pytest.mark.parametrize(
    ("method", "size", "sender", "accepted"),
    [
        ("opened", 10, USER, True),
        ("opened", 200, USER, False),
        ("closed", 10, USER, False),
        ("opened", 10, ANONYMOUS, False),
    ],
)
def test_messages_are_inspected(
    deploy: Deploy, net: Net, method: str, size: int, sender: bytes, accepted: bool
) -> None:
    canister = deploy("lifecycle", "first")
    if accepted:
        net.submit(canister.raw_id, method, bytes(size), sender)
        return
    assert rejected(lambda: net.submit(canister.raw_id, method, bytes(size), sender)).code


def test_raw_stable_memory_grows_keeps_and_is_bounded(deploy: Deploy) -> None:
    memory = deploy("memory")
    assert memory.query("sizes") == (0, 0)
    assert memory.update("grow", 1) == {"Ok": 0}
    assert memory.update("grow_64", 2) == {"Ok": 1}
    memory.update("write", 10, b"ten")
    memory.update("write_64", 3 * 65536 - 3, b"end")
    memory.upgrade()
    assert memory.query("read", 10, 3) == b"ten" and memory.query("read_64", 3 * 65536 - 3, 3) == b"end"
    assert len(memory.query("everything")) == 3 * 65536
    assert memory.update("grow", 65536) == {"Err": {"OutOfMemory": None}}
    assert memory.update("grow_64", 1 << 40) == {"Err": {"OutOfMemory": None}}
    assert "outside its" in rejected(lambda: memory.query("read", 3 * 65536, 1)).message
    assert memory.query("sizes") == (3, 3)


def test_queries_call_queries(deploy: Deploy) -> None:
    first, second, composite = deploy("counter", 40), deploy("counter", 2), deploy("composite")
    assert composite.query("total", [first.id, second.id]) == 42
    assert composite.query("total", []) == 0


def test_functions_and_services_are_values(deploy: Deploy) -> None:
    counter, composite = deploy("counter", 7), deploy("composite")
    function = composite.query("getter", counter.id)
    assert function == (counter.id, "get")
    assert composite.update("call", function) == "(7 : nat64)"


def test_one_way_calls_and_cycles(deploy: Deploy) -> None:
    counter, composite = deploy("counter", 7), deploy("composite")
    assert composite.update("tell", counter.id, 5) == {"Ok": None}
    assert counter.query("get") == 12
    assert composite.update("tell_raw", counter.id, 100) == {"Ok": None}
    assert composite.update("with_cycles", counter.id, 1000) == (1000, 1001)
    code, message = composite.update("why", NOBODY)
    assert code == {"DestinationInvalid": None} and "not found" in message


def test_the_management_canister_is_typed(deploy: Deploy) -> None:
    manager, counter = deploy("management"), deploy("counter", 1)
    assert len(manager.update("random")) == 32
    child = manager.update("create", 2 * 10**12)
    assert manager.update("install", child, counter.module, b"DIDL\x00\x01\x78" + bytes(8)) == {"Ok": "done"}
    status = manager.update("status", child)
    assert status["status"] == {"running": None} and len(status["module_hash"]) == 32
    assert status["settings"]["controllers"] == [manager.id]
    assert status["settings"]["freezing_threshold"] == 1000
    manager.update("fund", child, 10**12)
    assert manager.update("status", child)["cycles"] > status["cycles"]
    assert manager.update("start", child) == {"Ok": "done"}
    assert manager.update("stop_and_delete", child) == {"Ok": "deleted"}
    assert "not found" in manager.update("start", child)["Err"]
