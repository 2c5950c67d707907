"""The management canister, called by users and by canisters."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import pytest

from devnet.replica import IngressState
from devnet.replica.candid import BLOB, decode_one, encode_one
from devnet.replica.management import interface, observation, service_types
from tests.devnet.replica.agent import AGENT, as_canister
from tests.devnet.replica.harness import OTHER_USER, USER, Net, rejected


def test_created_canisters_are_empty_and_controlled_by_their_creator(net: Net) -> None:
    canister = net.create()
    view = net.replica.canister_view(canister)
    assert view is not None
    assert (view.module_hash, view.controllers) == (None, (USER,))
    status = net.status(canister)
    assert status["status"] == ("running", None)
    assert 99_999_000_000_000 < status["cycles"] <= 100_000_000_000_000
    later = net.create()
    assert net.replica.canister_ids() == [canister, later]
    assert canister < later
    low, high = net.replica.canister_ranges()[0]
    assert low <= canister <= high


def test_a_wished_id_is_given_once(net: Net) -> None:
    wish = b"\0\0\0\0\0\0\0\7\1\1"
    create = "provisional_create_canister_with_cycles"
    assert net.manage(create, specified_id=wish)["canister_id"] == wish
    assert rejected(lambda: net.manage(create, specified_id=wish)).error_code == "IC0205"


def test_settings_are_changed_one_by_one(net: Net) -> None:
    canister = net.create()
    settings = dict.fromkeys(interface.SETTINGS.fields)
    wanted = {
        "controllers": [USER, OTHER_USER],
        "freezing_threshold": 77,
        "log_visibility": ("allowed_viewers", [OTHER_USER]),
        "environment_variables": [{"name": "PUBLIC_CANISTER_ID:x", "value": "aaaaa-aa"}],
    }
    net.manage("update_settings", canister_id=canister, settings=settings | wanted)
    got = net.status(canister)["settings"]
    assert {name: got[name] for name in wanted} == wanted
    assert got["wasm_memory_limit"] == 3 << 30
    net.manage(
        "update_settings", OTHER_USER, canister_id=canister, settings=settings | {"compute_allocation": 1}
    )
    assert net.status(canister)["settings"]["freezing_threshold"] == 77


@pytest.mark.parametrize(
    "bad",
    [
        {"controllers": [bytes([number]) for number in range(11)]},
        {"compute_allocation": 101},
        {"freezing_threshold": 1 << 64},
        {"wasm_memory_threshold": (1 << 48) + 1},
        {"log_memory_limit": 4_095},
        {"log_memory_limit": (2 << 20) + 1},
        {"log_visibility": ("allowed_viewers", [bytes([number]) for number in range(11)])},
        {"environment_variables": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
        {"environment_variables": [{"name": "a" * 129, "value": "1"}]},
        {"environment_variables": [{"name": str(number), "value": "1"} for number in range(21)]},
    ],
)
def test_settings_out_of_bounds_are_refused(net: Net, bad: dict[str, object]) -> None:
    canister = net.create()
    settings = dict.fromkeys(interface.SETTINGS.fields) | bad
    reject = rejected(lambda: net.manage("update_settings", canister_id=canister, settings=settings))
    assert reject.error_code == "IC0403"


@pytest.mark.parametrize(
    "method", ["canister_status", "stop_canister", "start_canister", "uninstall_code", "delete_canister"]
)
def test_strangers_control_nothing(net: Net, method: str) -> None:
    canister = net.create()
    reject = rejected(lambda: net.manage(method, OTHER_USER, canister_id=canister))
    assert (reject.code, reject.error_code) == (5, "IC0512")


def test_some_methods_are_for_canisters_only(net: Net) -> None:
    for method, argument in (
        ("raw_rand", encode_one(None, None)),
        ("deposit_cycles", encode_one(interface.CANISTER, {"canister_id": net.create()})),
        ("vetkd_derive_key", vetkd_arguments()),
    ):
        reject = rejected(functools.partial(net.submit, b"", method, argument))
        assert (reject.code, reject.error_code) == (4, "IC0516")
        assert f"Only canisters can call ic00 method '{method}'" in reject.message
    assert rejected(lambda: net.submit(b"", "no_such_method")).error_code == "IC0302"
    assert rejected(lambda: net.submit(b"", "canister_status", b"junk")).error_code == "IC0402"


def test_a_canister_is_stopped_and_started(net: Net) -> None:
    canister = net.deploy(AGENT)
    net.manage("stop_canister", canister_id=canister)
    assert net.status(canister)["status"] == ("stopped", None)
    assert rejected(lambda: net.submit(canister, "chatty")).error_code == "IC0508"
    assert rejected(lambda: net.query(canister, "chatty")).error_code == "IC0508"
    net.manage("start_canister", canister_id=canister)
    net.update(canister, "chatty")


def test_stopping_waits_for_open_calls(net: Net) -> None:
    canister = net.deploy(AGENT)
    waiting = net.submit(canister, "wait_for_self")
    net.replica.run(1)
    stop = net.submit(
        b"", "stop_canister", encode_one(interface.CANISTER, {"canister_id": canister}), effective=canister
    )
    net.replica.run(2)
    status = net.replica.ingress_status(stop)
    assert status is not None and status.state is IngressState.RECEIVED
    net.settle()
    assert net.outcome(stop) == b"DIDL\0\0"
    assert net.outcome(waiting).startswith(b"DIDL")
    assert net.status(canister)["status"] == ("stopped", None)


def test_only_stopped_canisters_are_deleted(net: Net) -> None:
    canister = net.deploy(AGENT)
    assert rejected(lambda: net.manage("delete_canister", canister_id=canister)).error_code == "IC0510"
    net.manage("stop_canister", canister_id=canister)
    net.manage("delete_canister", canister_id=canister)
    assert net.replica.canister_view(canister) is None
    assert rejected(lambda: net.status(canister)).error_code == "IC0301"


def test_a_canister_gets_randomness(net: Net) -> None:
    agent = net.deploy(AGENT)
    assert as_canister(net, agent, "raw_rand", encode_one(None, None), BLOB) == bytes(range(32))


def test_a_canister_creates_and_feeds_another(net: Net) -> None:
    agent = net.deploy(AGENT)
    argument = encode_one(interface.CREATE_ARGS, {"settings": None, "sender_canister_version": None})
    created = as_canister(net, agent, "create_canister", argument, interface.CANISTER, 900_000_000_000)
    assert isinstance(created, dict)
    identifier = created["canister_id"]
    view = net.replica.canister_view(identifier)
    assert view is not None and view.controllers == (agent,)
    feed = encode_one(interface.CANISTER, {"canister_id": identifier})
    as_canister(net, agent, "deposit_cycles", feed, None, 1_000)
    status = as_canister(net, agent, "canister_status", feed, interface.STATUS)
    assert isinstance(status, dict) and status["cycles"] == 400_000_001_000
    reject = rejected(lambda: as_canister(net, agent, "create_canister", argument, None, 499_999_999_999))
    assert "requires a fee of 500000000000" in reject.message


def vetkd_arguments(**changes: object) -> bytes:
    arguments = {
        "input": b"input",
        "context": b"context",
        "transport_public_key": b"transport",
        "key_id": {"curve": ("bls12_381_g2", None), "name": "test_key_1"},
    }
    return encode_one(service_types.VETKD_DERIVE_KEY_ARGS, arguments | changes)


def test_vetkeys_are_derived_for_the_calling_canister_and_paid(net: Net) -> None:
    agent = net.deploy(AGENT)
    before = net.status(agent)["cycles"]
    fee = 10_000_000_000
    got = as_canister(
        net, agent, "vetkd_derive_key", vetkd_arguments(), service_types.VETKD_DERIVE_KEY, fee + 5_000_000_000
    )
    expected = b"|".join([b"derived", agent, b"context", b"input", b"transport", b"test_key_1"])
    assert got == {"encrypted_key": expected}
    assert fee < before - net.status(agent)["cycles"] < fee + 1_000_000_000
    asked = {
        "canister_id": None,
        "context": b"c",
        "key_id": {"curve": ("bls12_381_g2", None), "name": "key_1"},
    }
    public = as_canister(
        net,
        agent,
        "vetkd_public_key",
        encode_one(service_types.VETKD_PUBLIC_KEY_ARGS, asked),
        service_types.VETKD_PUBLIC_KEY,
    )
    assert public == {"public_key": b"public|" + agent + b"|c|key_1"}


def test_vetkeys_that_cannot_be_derived_cost_nothing(net: Net) -> None:
    agent = net.deploy(AGENT)
    fee = 10_000_000_000
    unknown = vetkd_arguments(key_id={"curve": ("bls12_381_g2", None), "name": "other"})
    for argument, cycles, part in (
        (vetkd_arguments(), fee - 1, "10000000000 cycles are required"),
        (vetkd_arguments(transport_public_key=b"bad"), fee, "transport key is not a point"),
        (unknown, fee, "there is no key 'other'"),
    ):
        before = net.status(agent)["cycles"]
        call = functools.partial(as_canister, net, agent, "vetkd_derive_key", argument, None, cycles)
        assert part in rejected(call).message
        assert before - net.status(agent)["cycles"] < 1_000_000_000


def logs(net: Net, canister: bytes, sender: bytes = USER, selection: object = None) -> list[dict[str, Any]]:
    argument = encode_one(interface.LOGS_ARGS, {"canister_id": canister, "filter": selection})
    reply = net.query(b"", "fetch_canister_logs", argument, sender)
    records: list[dict[str, Any]] = decode_one(interface.LOGS, reply)["canister_log_records"]
    return records


def test_logs_keep_the_last_lines_and_traps(net: Net) -> None:
    canister = net.deploy(AGENT)
    net.update(canister, "chatty")
    rejected(lambda: net.update(canister, "fail"))
    records = logs(net, canister)
    assert records[-1]["content"] == b"[TRAP]: " + b"l" * 100
    assert records[-1]["idx"] == 100
    contents = b"".join(record["content"] for record in records)
    assert len(contents) <= 4096
    assert [record["idx"] for record in records] == list(range(61, 101))
    some = logs(net, canister, selection=("by_idx", {"start": 70, "end": 72}))
    assert [record["idx"] for record in some] == [70, 71]
    assert rejected(lambda: logs(net, canister, OTHER_USER)).error_code == "IC0512"


def test_history_tells_who_changed_what(net: Net) -> None:
    canister = net.deploy(AGENT)
    net.install(canister, AGENT, mode="upgrade")
    info = net.manage("canister_info", canister_id=canister, num_requested_changes=2)
    assert info["total_num_changes"] == 3
    kinds = [(change["details"][0], change["details"][1]["mode"][0]) for change in info["recent_changes"]]
    assert kinds == [("code_deployment", "install"), ("code_deployment", "upgrade")]
    assert info["recent_changes"][0]["origin"] == ("from_user", {"user_id": USER})


def test_history_keeps_a_hash_of_the_first_environment_variables(net: Net) -> None:
    """By the interface specification, "Hash of map"."""

    def creation(canister: bytes) -> Any:
        info = net.manage("canister_info", canister_id=canister, num_requested_changes=5)
        return info["recent_changes"][0]["details"][1]["environment_variables_hash"]

    variables = [{"name": "b", "value": "1"}, {"name": "a", "value": ""}]
    pairs = sorted(
        b"".join(hashlib.sha256(text.encode()).digest() for text in (entry["name"], entry["value"]))
        for entry in variables
    )
    assert creation(net.create(environment_variables=variables)) == hashlib.sha256(b"".join(pairs)).digest()
    assert creation(net.create(environment_variables=[])) == hashlib.sha256(b"").digest()
    assert creation(net.create()) is None


def test_logs_that_do_not_fit_one_answer_are_cut(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are left out, but with a filter the newest."""
    monkeypatch.setattr(observation, "MAX_LOGS_BYTES", 10 * 132 + 131)
    agent = net.deploy(AGENT)
    net.update(agent, "chatty")
    assert [line["idx"] for line in logs(net, agent)] == list(range(90, 100))
    oldest = logs(net, agent, selection=("by_idx", {"start": 70, "end": 1 << 32}))
    assert [line["idx"] for line in oldest] == list(range(70, 80))


def test_a_smaller_log_forgets_its_oldest_lines(net: Net) -> None:
    agent = net.deploy(AGENT)
    net.update(agent, "chatty")
    assert len(logs(net, agent)) == 40
    nothing = dict.fromkeys(interface.SETTINGS.fields) | {"log_memory_limit": 0}
    net.manage("update_settings", canister_id=agent, settings=nothing)
    net.update(agent, "chatty")
    assert logs(net, agent) == []


def test_cycles_can_be_topped_up(net: Net) -> None:
    canister = net.create(cycles=0)
    net.manage("provisional_top_up_canister", OTHER_USER, canister_id=canister, amount=10**30)
    assert net.status(canister)["cycles"] > 10**30 - 10**9
    assert net.status(net.create(cycles=10**12))["cycles"] > 10**12 - 10**9
