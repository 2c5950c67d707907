"""What canisters consumed, and what the subnet tells of itself."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from devnet.principal import canister_id
from devnet.replica import Query, prices
from devnet.replica.candid import Record, decode_one, encode_one
from devnet.replica.management.methods import METHODS, UNSUPPORTED
from tests.devnet.replica.agent import AGENT, as_canister
from tests.devnet.replica.harness import (
    NODE_ID,
    OTHER_USER,
    START_NS,
    SUBNET_ID,
    Net,
    rejected,
)
from tests.devnet.replica.test_cycles import BANK, u64


def ask(net: Net, agent: bytes, method: str, **argument: Any) -> Any:
    known = METHODS[method]
    assert isinstance(known.argument, Record)
    return as_canister(net, agent, method, encode_one(known.argument, argument), known.result)


def consumed(net: Net, canister: bytes) -> dict[str, int]:
    metrics: dict[str, int] = net.manage("canister_metrics", canister_id=canister)["cycles_consumed"]
    return metrics


def test_what_a_canister_paid_is_told_by_what_for(net: Net) -> None:
    giver, taker = net.deploy(BANK), net.deploy(BANK)
    funds = 100_000_000_000_000
    net.update(giver, "send", u64(5_000) + u64(2_000) + taker)
    net.update(giver, "burn")
    net.manage(
        "update_settings",
        canister_id=giver,
        settings=dict.fromkeys(METHODS["update_settings"].argument.fields["settings"].fields)  # type: ignore[union-attr]
        | {"compute_allocation": 2},
    )
    net.advance(100)
    paid = consumed(net, giver)
    assert paid["burned_cycles"] == 1_000_000_000_000
    assert paid["compute_allocation"] == 2 * 10_000_000 * 100
    assert paid["memory"] == prices.storage(net.status(giver)["memory_size"], 100)
    sent, received = len("take") + 8, 8
    assert paid["request_and_response_transmission"] == prices.call(sent) + 1_000 * received
    assert paid["instructions"] > 4 * prices.UPDATE_BASE and paid["ingress_induction"] > 3_600_000
    assert (paid["uninstall"], paid["canister_creation"], paid["http_outcalls"]) == (0, 0, 0)
    later = consumed(net, giver)
    assert net.status(giver)["cycles"] == funds - 2_000 - sum(later.values()) - prices.ingress(
        len("canister_status") + len(encode_one(METHODS["canister_status"].argument, {"canister_id": giver}))
    )


def test_only_controllers_see_what_a_canister_paid(net: Net) -> None:
    canister = net.deploy(BANK)
    arg = encode_one(METHODS["canister_metrics"].argument, {"canister_id": canister})
    assert net.query(b"", "canister_metrics", arg)
    ask_stranger = functools.partial(net.query, b"", "canister_metrics", arg, OTHER_USER)
    assert rejected(ask_stranger).error_code == "IC0512"


def test_a_new_canister_paid_for_its_creation(net: Net) -> None:
    agent = net.deploy(AGENT)
    known = METHODS["create_canister"]
    arg = encode_one(known.argument, {"settings": None, "sender_canister_version": None})
    created: Any = as_canister(net, agent, "create_canister", arg, known.result, 10**12)
    paid = ask(net, agent, "canister_metrics", canister_id=created["canister_id"])["cycles_consumed"]
    assert paid["canister_creation"] == sum(paid.values()) == prices.CREATE_CANISTER


def test_the_subnet_counts_canisters_cycles_and_messages(net: Net) -> None:
    agent, gone = net.deploy(AGENT), net.deploy(BANK)
    before = ask(net, agent, "subnet_metrics", subnet_id=SUBNET_ID)
    assert before["num_canisters"] == 2
    assert before["canister_state_bytes"] >= 2 * 65_536
    net.update(gone, "burn")
    net.manage("stop_canister", canister_id=gone)
    net.manage("delete_canister", canister_id=gone)
    after = ask(net, agent, "subnet_metrics", subnet_id=SUBNET_ID)
    assert after["num_canisters"] == 1
    assert after["consumed_cycles_total"] > before["consumed_cycles_total"] + 1_000_000_000_000
    assert after["update_transactions_total"] >= before["update_transactions_total"] + 4
    assert after["block_height"] > before["block_height"]


def test_the_node_and_its_software_are_told(net: Net) -> None:
    agent = net.deploy(AGENT)
    (sample,) = ask(net, agent, "node_metrics_history", subnet_id=SUBNET_ID, start_at_timestamp_nanos=0)
    (node,) = sample["node_metrics"]
    assert (sample["timestamp_nanos"], node["node_id"]) == (START_NS, NODE_ID)
    assert node["num_blocks_proposed_total"] > 0 and node["num_block_failures_total"] == 0
    later = START_NS + 1
    assert not ask(net, agent, "node_metrics_history", subnet_id=SUBNET_ID, start_at_timestamp_nanos=later)
    info = ask(net, agent, "subnet_info", subnet_id=SUBNET_ID)
    assert info["replica_version"].startswith("leasehold-devnet") and info["registry_version"] == 1


@pytest.mark.parametrize("method", ["subnet_metrics", "subnet_info"])
def test_there_is_one_subnet(net: Net, method: str) -> None:
    agent = net.deploy(AGENT)
    reject = rejected(lambda: ask(net, agent, method, subnet_id=b"\1" * 29))
    assert "There is no subnet" in reject.message


def test_all_canisters_are_listed_in_ranges(net: Net) -> None:
    first, second, third = (net.create() for _ in range(3))
    far = canister_id(7)
    net.manage("provisional_create_canister_with_cycles", specified_id=far)
    net.manage("stop_canister", canister_id=second)
    net.manage("delete_canister", canister_id=second)
    reply = net.replica.query(Query(OTHER_USER, b"", "list_canisters", b"DIDL\0\0"))
    ranges = decode_one(METHODS["list_canisters"].result, reply)["canisters"]
    assert [(entry["start"], entry["end"]) for entry in ranges] == [
        (far, far),
        (first, first),
        (third, third),
    ]
    fourth = net.create()
    reply = net.replica.query(Query(OTHER_USER, b"", "list_canisters", b"DIDL\0\0"))
    ranges = decode_one(METHODS["list_canisters"].result, reply)["canisters"]
    assert (ranges[-1]["start"], ranges[-1]["end"]) == (third, fourth)


@pytest.mark.parametrize("method", sorted(UNSUPPORTED))
def test_methods_left_out_say_why(net: Net, method: str) -> None:
    agent = net.deploy(AGENT)
    for ask_it in (
        lambda: net.submit(b"", method, b"DIDL\0\0"),
        lambda: as_canister(net, agent, method, b"DIDL\0\0", None),
    ):
        assert f"'{method}' is not supported on this network: " in rejected(ask_it).message


def test_every_method_of_the_specification_is_answered_or_refused() -> None:
    """The methods of `ic.did`, and of the text beside it."""
    specified = """create_canister update_settings upload_chunk clear_chunk_store stored_chunks install_code
        install_chunked_code uninstall_code start_canister stop_canister canister_status canister_metrics
        delete_canister deposit_cycles raw_rand http_request canister_info canister_metadata ecdsa_public_key
        sign_with_ecdsa schnorr_public_key sign_with_schnorr vetkd_public_key vetkd_derive_key
        bitcoin_get_balance bitcoin_get_utxos bitcoin_send_transaction bitcoin_get_current_fee_percentiles
        bitcoin_get_block_headers node_metrics_history subnet_metrics subnet_info
        provisional_create_canister_with_cycles provisional_top_up_canister take_canister_snapshot
        load_canister_snapshot read_canister_snapshot_metadata read_canister_snapshot_data
        upload_canister_snapshot_metadata upload_canister_snapshot_data list_canister_snapshots
        delete_canister_snapshot fetch_canister_logs list_canisters flexible_http_request"""
    assert sorted([*METHODS, *UNSUPPORTED]) == sorted(specified.split())


@pytest.mark.parametrize(
    "method",
    [
        "raw_rand",
        "deposit_cycles",
        "canister_info",
        "canister_metadata",
        "fetch_canister_logs",
        "subnet_info",
    ],
)
def test_updates_of_users_are_not_accepted_by_every_method(net: Net, method: str) -> None:
    known = METHODS[method]
    canister = net.create()
    fields: dict[str, Any] = (
        dict.fromkeys(known.argument.fields, canister) if isinstance(known.argument, Record) else {}
    )
    fields |= {name: None for name in fields if name in ("filter", "num_requested_changes")}
    fields |= {name: "x" for name in fields if name == "name"}
    reject = rejected(lambda: net.submit(b"", method, encode_one(known.argument, fields)))
    assert (reject.code, reject.error_code) == (4, "IC0516")
