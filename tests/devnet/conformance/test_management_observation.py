"""Interface specification: `canister_status`, `canister_info`, `canister_metadata`, `canister_metrics`,
`fetch_canister_logs`, `list_canisters`, and the methods about the subnet."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from devnet.replica.candid import decode_one, encode_one
from tests.devnet.agent import decode, value_hash
from tests.devnet.conformance import management
from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    Canister,
    Network,
    Rejected,
    User,
    code_of,
    rejected,
)
from tests.devnet.conformance.program import blob, call, grow_memory, module, read, reply, set_variable, trap

PAGE = 65536


def say(*lines: str) -> bytes:
    return b"".join(call("debug_print", blob(line)) for line in lines) + reply()


@pytest.fixture
def fresh(user: User) -> Canister:
    return user.deploy()


def test_memory_is_told_in_parts(fresh: Canister) -> None:
    """`canister_status`, Memory Metrics: the parts add up to the memory size."""
    before = fresh.status()
    fresh.update(grow_memory(10) + call("stable64_grow", 5) + reply())
    after = fresh.status()
    assert (
        after["memory_metrics"]["wasm_memory_size"] - before["memory_metrics"]["wasm_memory_size"]
        == 10 * PAGE
    )
    assert after["memory_metrics"]["stable_memory_size"] == 5 * PAGE
    assert after["memory_metrics"]["wasm_binary_size"] == len(module())
    assert after["memory_size"] >= sum(
        after["memory_metrics"][name]
        for name in ("wasm_memory_size", "stable_memory_size", "wasm_binary_size")
    )
    assert after["idle_cycles_burned_per_day"] > before["idle_cycles_burned_per_day"] > 0


@pytest.mark.parametrize(
    "setting, method",
    [
        ("status_visibility", "canister_status"),
        ("log_visibility", "fetch_canister_logs"),
        ("snapshot_visibility", "list_canister_snapshots"),
    ],
)
def test_who_may_see_what(network: Network, fresh: Canister, setting: str, method: str) -> None:
    """`status_visibility`, `log_visibility`, `snapshot_visibility`: controllers, viewers, everybody."""
    viewer, stranger = network.user(), network.user()
    query = method != "list_canister_snapshots"

    def sees(who: User) -> bool:
        return code_of(lambda: who.manage(method, query=query, canister_id=fresh.id)) == 0

    assert [sees(who) for who in (fresh.user, viewer, stranger)] == [True, False, False]
    fresh.set(**{setting: ("allowed_viewers", [viewer.sender])})
    assert [sees(who) for who in (fresh.user, viewer, stranger)] == [True, True, False]
    fresh.set(**{setting: ("public", None)})
    assert [sees(who) for who in (fresh.user, viewer, stranger)] == [True, True, True]


def info(user: User, canister: Canister, changes: int | None = None) -> Any:
    return user.manage("canister_info", query=True, canister_id=canister.id, num_requested_changes=changes)


def test_the_history_of_a_canister(user: User, canister: Canister) -> None:
    """`canister_info`: creation, deployments, uninstallation, changes of controllers; their origin."""
    fresh = user.create(environment_variables=[{"name": "A", "value": "b"}])
    wasm = module()
    fresh.install(wasm)
    fresh.install(wasm, mode="upgrade")
    fresh.install(wasm, mode="reinstall")
    fresh.set(controllers=[user.sender, canister.id])
    fresh.set(freezing_threshold=12345)
    canister.manage_through("uninstall_code", canister_id=fresh.id)
    found = info(user, fresh, 20)
    details = [change["details"] for change in found["recent_changes"]]
    deployed = {"module_hash": hashlib.sha256(wasm).digest()}
    variables = value_hash({"A": "b"})
    assert details == [
        ("creation", {"controllers": [user.sender], "environment_variables_hash": variables}),
        ("code_deployment", {"mode": ("install", None), **deployed}),
        ("code_deployment", {"mode": ("upgrade", None), **deployed}),
        ("code_deployment", {"mode": ("reinstall", None), **deployed}),
        ("controllers_change", {"controllers": [user.sender, canister.id]}),
        ("code_uninstall", None),
    ]
    origins = [change["origin"] for change in found["recent_changes"]]
    assert origins[:5] == [("from_user", {"user_id": user.sender})] * 5
    assert origins[5][0] == "from_canister" and origins[5][1]["canister_id"] == canister.id
    versions = [change["canister_version"] for change in found["recent_changes"]]
    times = [change["timestamp_nanos"] for change in found["recent_changes"]]
    assert versions == sorted(set(versions)) and times == sorted(times)
    assert (found["total_num_changes"], found["module_hash"]) == (6, None)
    assert sorted(found["controllers"]) == sorted([user.sender, canister.id])


def test_as_much_history_as_is_asked_for(network: Network, fresh: Canister) -> None:
    """`canister_info`: none by default, the most recent ones, for everybody; 20 at least are kept."""
    stranger = network.user()
    assert info(stranger, fresh)["recent_changes"] == []
    assert [change["details"][0] for change in info(stranger, fresh, 1)["recent_changes"]] == [
        "code_deployment"
    ]
    for _ in range(25):
        fresh.install(mode="reinstall")
    found = info(stranger, fresh, 100)
    assert found["total_num_changes"] == 27
    assert len(found["recent_changes"]) >= 20


def test_information_for_canisters(user: User, canister: Canister, fresh: Canister) -> None:
    """`canister_info` as a call: by canisters, not by users' updates."""
    found = canister.manage_through("canister_info", canister_id=fresh.id, num_requested_changes=5)
    assert found["controllers"] == [user.sender]
    assert not rejected(lambda: user.manage("canister_info", canister_id=fresh.id)).certified


def test_metadata_for_canisters(user: User, canister: Canister) -> None:
    """`canister_metadata`: public for every canister, private for controllers; not for users."""
    wasm = module(metadata=(("icp:public open", b"all"), ("icp:private closed", b"few")))
    target = user.create()
    target.install(wasm)

    def ask(name: str) -> bytes:
        value: bytes = canister.manage_through("canister_metadata", canister_id=target.id, name=name)["value"]
        return value

    assert ask("open") == b"all"
    for name in ("closed", "none"):
        with pytest.raises(Rejected):
            ask(name)
    target.set(controllers=[user.sender, canister.id])
    assert ask("closed") == b"few"
    assert not rejected(lambda: target.manage("canister_metadata", name="open")).certified


def records(canister: Canister, **values: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = canister.manage("fetch_canister_logs", query=True, **values)[
        "canister_log_records"
    ]
    return found


def test_logs_are_numbered_and_filtered(fresh: Canister) -> None:
    """`fetch_canister_logs`: index, time and content; ranges include their start and exclude their end."""
    fresh.update(say("one", "two", "three"))
    found = records(fresh)
    assert [record["content"] for record in found] == [b"one", b"two", b"three"]
    first = found[0]["idx"]
    assert [record["idx"] for record in found] == [first, first + 1, first + 2]
    by_index = records(fresh, filter=("by_idx", {"start": first + 1, "end": first + 2}))
    assert [record["content"] for record in by_index] == [b"two"]
    at = found[0]["timestamp_nanos"]
    assert records(fresh, filter=("by_timestamp_nanos", {"start": at, "end": at + 1})) == found
    assert records(fresh, filter=("by_timestamp_nanos", {"start": at + 1, "end": at + 2})) == []


def test_logs_of_canisters_and_users(user: User, canister: Canister, fresh: Canister) -> None:
    """`fetch_canister_logs`: queries of users and calls of canisters, no updates of users."""
    fresh.update(say("line"))
    assert not rejected(lambda: fresh.manage("fetch_canister_logs")).certified
    fresh.set(controllers=[user.sender, canister.id])
    found = canister.manage_through("fetch_canister_logs", canister_id=fresh.id)["canister_log_records"]
    assert [record["content"] for record in found] == [b"line"]


def test_old_logs_make_room(fresh: Canister) -> None:
    """`log_memory_limit`: the oldest lines are purged beyond it."""
    for number in range(10):
        fresh.update(say(f"{number}:" + "x" * 998))
    few = records(fresh)
    assert few and few[-1]["content"].startswith(b"9:") and not few[0]["content"].startswith(b"0:")
    fresh.set(log_memory_limit=100_000)
    for number in range(10):
        fresh.update(say(f"{number}:" + "x" * 998))
    assert len(records(fresh)) >= 10


@pytest.mark.parametrize("change, kept", [("upgrade", True), ("reinstall", False), ("uninstall", False)])
def test_what_becomes_of_logs(fresh: Canister, change: str, kept: bool) -> None:
    """`fetch_canister_logs`: logs persist across upgrades, and are deleted by reinstall and uninstall."""
    fresh.update(say("line"))
    rejected(lambda: fresh.update(trap("the trap")))
    assert any(b"the trap" in line for line in fresh.logs())
    if change == "uninstall":
        fresh.manage("uninstall_code")
    else:
        fresh.install(mode=change)
    assert (b"line" in fresh.logs()) is kept


def test_metrics_of_a_canister(fresh: Canister) -> None:
    """`canister_metrics`: for controllers, as a call and as a query."""
    assert fresh.manage("canister_metrics") == {}
    assert fresh.manage("canister_metrics", query=True) == {}


def test_metrics_of_the_subnet(canister: Canister, user: User) -> None:
    """`subnet_metrics`, `subnet_info`, `node_metrics_history`: for canisters, about a subnet that exists."""
    subnet = canister.query(reply(read("subnet_self")))
    before = canister.manage_through("subnet_metrics", subnet_id=subnet)
    user.create()
    after = canister.manage_through("subnet_metrics", subnet_id=subnet)
    assert after["num_canisters"] == before["num_canisters"] + 1
    told = canister.manage_through("subnet_info", subnet_id=subnet)
    assert told["replica_version"] and told["registry_version"] >= 0
    history = canister.manage_through("node_metrics_history", subnet_id=subnet, start_at_timestamp_nanos=0)
    times = [sample["timestamp_nanos"] for sample in history]
    assert times == sorted(times) and len(times) <= 60
    for method in ("subnet_metrics", "subnet_info"):
        with pytest.raises(Rejected):
            canister.manage_through(method, subnet_id=b"\1" * 28 + b"\2")


@pytest.mark.parametrize("scope", ["canister", "subnet"])
def test_all_canisters_are_listed(user: User, canister: Canister, scope: str) -> None:
    """`list_canisters`: a query, as ranges; also sent to the subnet. Here everybody is an admin."""
    argument, result = management.METHODS["list_canisters"]
    where = canister.query(reply(read("subnet_self"))) if scope == "subnet" else canister.id
    content = user.call_content(b"", "list_canisters", encode_one(argument, {}), kind="query")
    answer = decode(user.send("query", content, where, "v3", scope=scope).content)
    assert answer["status"] == "replied", answer
    ranges = decode_one(result, answer["reply"]["arg"])["canisters"]
    assert any(found["start"] <= canister.id <= found["end"] for found in ranges)


def test_other_queries_are_not_for_the_subnet(user: User, canister: Canister) -> None:
    """Effective subnet id: only `list_canisters` is queried at a subnet."""
    subnet = canister.query(reply(read("subnet_self")))
    content = user.call_content(canister.id, "query", reply(), kind="query")
    assert user.send("query", content, subnet, "v3", scope="subnet").status_code == 400
    assert code_of(lambda: canister.update(set_variable(0, 1))) == CANISTER_ERROR
