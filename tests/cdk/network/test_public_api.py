"""The public API, a canister for each group, on the network's own engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk.candid import Principal
from devnet.replica import Query
from devnet.replica.management.interface import SETTINGS
from tests.devnet.replica.harness import USER, Net, rejected
from tests.network import moves_time, skipped_when_given

Deploy = Callable[..., Any]
ANONYMOUS = b"\x04"
SMALLEST_MODULE = b"\0asm\1\0\0\0"
NOBODY = Principal(b"\0" * 8 + b"\1\1")


def test_ic_tells_about_message_and_canister(deploy: Deploy, net: Net) -> None:
    system = deploy("system")
    facts = system.update("facts", "x")
    assert facts["caller"] == Principal(USER) and facts["id"] == system.id
    assert abs(facts["time"] - net.clock.now) < 60 * 10**9 and facts["method"] == "facts"
    assert facts["argument"] == system.argument("facts", "x")
    assert facts["argument_size"] == len(facts["argument"])
    assert 0 < facts["balance"] == facts["balance_64"] and 0 < facts["instructions"] < 1_000_000
    assert system.update("take", 5) == (0, 0, 0, 0)
    system.update("say", ["a", "b"])
    assert net.printed == ["a b"]


@skipped_when_given("looks for this replica's word in the certificate's place")
def test_certified_data_comes_with_a_certificate(deploy: Deploy, net: Net) -> None:
    system = deploy("system")
    system.update("certify", b"c" * 32)
    certified = Query(USER, system.raw_id, "certificate", b"DIDL\x00\x00", data_certificate=lambda: b"signed")
    assert system.read("certificate", net.replica.query(certified)) == b"signed"


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


@moves_time
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
    manager = deploy("management")
    assert len(manager.update("random")) == 32
    child = manager.update("create", 2 * 10**12)
    assert manager.update("install", child, SMALLEST_MODULE, b"DIDL\x00\x00") == {"Ok": "done"}
    status = manager.update("status", child)
    assert status["status"] == {"running": None} and len(status["module_hash"]) == 32
    assert status["settings"]["controllers"] == [manager.id]
    assert status["settings"]["freezing_threshold"] == 1000
    manager.update("fund", child, 10**12)
    assert manager.update("status", child)["cycles"] > status["cycles"]
    assert manager.update("start", child) == {"Ok": "done"}
    assert manager.update("stop_and_delete", child) == {"Ok": "deleted"}
    assert "not found" in manager.update("start", child)["Err"]


def test_a_canister_knows_its_surroundings(deploy: Deploy, net: Net) -> None:
    canister = deploy("surroundings")
    told = canister.update("surroundings")
    assert told["root_key"] and told["subnet"] != canister.id
    assert told["nodes"] >= 1 and told["replicated"] and told["controlled"]
    assert (told["deadline"], told["info"], told["signer"]) == (0, b"", None)
    assert not canister.update("surroundings", sender=ANONYMOUS)["controlled"]
    assert canister.query("replicated") is False


def test_environment_variables_name_the_other_canisters(deploy: Deploy, net: Net) -> None:
    canister = deploy("surroundings")
    assert canister.query("variables") == [] and canister.query("peer", "ledger") is None
    set_variables(net, canister, {"PUBLIC_CANISTER_ID:ledger": NOBODY.to_str(), "größe": "8 MiB"})
    assert canister.query("variables") == [("PUBLIC_CANISTER_ID:ledger", NOBODY.to_str()), ("größe", "8 MiB")]
    assert canister.query("variable", "größe") == "8 MiB" and canister.query("variable", "grösse") is None
    assert canister.query("peer", "ledger") == NOBODY and canister.query("peer", "vault") is None
    set_variables(net, canister, {"PUBLIC_CANISTER_ID:ledger": "no principal"})
    assert "no principal" in rejected(lambda: canister.query("peer", "ledger")).message


def set_variables(net: Net, canister: Any, variables: dict[str, str]) -> None:
    rows = [{"name": name, "value": value} for name, value in variables.items()]
    settings = dict.fromkeys(SETTINGS.fields) | {"environment_variables": rows}
    net.manage("update_settings", canister_id=canister.raw_id, settings=settings)


def test_costs_are_what_the_network_takes(deploy: Deploy) -> None:
    canister = deploy("surroundings")
    call, create, outcall, *keys = canister.query("costs", "test_key_1")
    assert 0 < outcall < call < create and keys[0] == keys[1] == keys[2] > 0
    assert canister.query("costs", "key_1")[-1] > keys[-1]
    message = rejected(lambda: canister.query("costs", "key_2")).message
    assert "ValueError: the network has no key 'key_2'" in message


def test_cycles_are_burnt(deploy: Deploy) -> None:
    before, burnt, after = deploy("surroundings").update("burn", 1_000_000)
    assert burnt == 1_000_000 and before - after == burnt
