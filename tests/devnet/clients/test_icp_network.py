"""`icp network start` with our launcher, and every command of the unmodified command line against it."""

import hashlib
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from devnet.system.canisters import GENESIS_CYCLES, GENESIS_ICP
from devnet.system.minting import XDR_PERMYRIAD_PER_ICP
from tests.devnet import whoami
from tests.devnet.clients.icp_cli import Icp

pytestmark = pytest.mark.xdist_group("icp-network")

MANIFEST = """
networks:
  - name: local
    mode: managed
    gateway: { port: 0 }
canisters:
  - name: whoami
    build:
      steps:
        - type: script
          commands: [ 'cp whoami.wasm "$ICP_WASM_OUTPUT_PATH"' ]
"""
T = 10**12
SEEDED_ICP, SEEDED_CYCLES = 1_000_000, 1_000 * T
LEDGER_FEE, CYCLES_FEE = 10_000, 100_000_000


def cycles(text: str) -> int:
    """The number before ` cycles`, which is printed with underscores."""
    found = re.search(r"([\d_]+) cycles", text)
    assert found, text
    return int(found[1].replace("_", ""))


def balance(icp: Icp, identity: str) -> int:
    return cycles(icp("cycles", "balance", identity=identity))


@pytest.fixture(scope="module")
def icp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Icp]:
    """A running network that knows `alice`, who was there when it started, and `bob`, who came later."""
    icp = Icp(tmp_path_factory.mktemp("project"))
    (icp.project / "icp.yaml").write_text(MANIFEST)
    (icp.project / "whoami.wasm").write_bytes(whoami.module())
    icp.new_identity("alice")
    try:
        icp("network", "start", "--background")
        icp.new_identity("bob")
        yield icp
    finally:
        icp.run("network", "stop")


@pytest.fixture
def canister(icp: Icp) -> str:
    """A canister of alice's with whoami in it."""
    made = icp("canister", "create", "--detached", "--quiet", identity="alice")
    install(icp, made)
    return made


def install(icp: Icp, canister: str, *options: str) -> None:
    icp("canister", "install", canister, "--wasm", "whoami.wasm", *options, *NETWORK, identity="alice")


NETWORK = ("--network", "local")


def call(icp: Icp, canister: str, method: str, *options: str) -> str:
    return icp("canister", "call", canister, method, "()", *options, *NETWORK, identity="alice")


def of_alice(icp: Icp, *arguments: str) -> str:
    """A `canister` command of alice's."""
    return icp("canister", *arguments, *NETWORK, identity="alice")


def test_the_network_tells_where_it_is_and_is_healthy(icp: Icp) -> None:
    status = icp.json("network", "status")
    ping = json.loads(icp("network", "ping"))
    assert ping["replica_health_status"] == "healthy"
    assert status["root_key"] == bytes(ping["root_key"]).hex()
    shown = icp("network", "status")
    assert status["root_key"] in shown
    page = ("canister", "call", status["candid_ui_principal"], "http_request", PAGE, "--query", *NETWORK)
    assert "200 : nat16" in icp(*page)


PAGE = '(record { url = "/"; method = "GET"; body = blob ""; headers = vec {} })'


def test_identities_that_exist_at_the_start_are_funded(icp: Icp) -> None:
    assert (
        icp("token", "balance", "--quiet", "--of-principal", icp.principal("alice")) == "1000000.00000000 ICP"
    )
    assert icp("token", "balance", "--quiet", identity="bob") == "0 ICP"
    assert balance(icp, "alice") >= SEEDED_CYCLES
    anonymous = icp.json("token", "balance")["balance"]
    # What alice has came from there, with one fee.
    assert anonymous == f"{GENESIS_ICP // 10**8 - SEEDED_ICP - 1}.99990000 ICP"
    assert balance(icp, "anonymous") < GENESIS_CYCLES - SEEDED_CYCLES


def test_identities_are_shown_in_every_form(icp: Icp) -> None:
    assert {"alice", "anonymous", "bob"} <= set(icp.run("identity", "list").stdout.replace("*", "").split())
    bob = icp.principal("bob")
    assert icp("identity", "account-id", "--format", "icrc1", "--of-principal", bob) == bob
    assert len(bytes.fromhex(icp("identity", "account-id", "--of-principal", bob))) == 32
    assert icp("identity", "default", "bob") == "" or icp("identity", "default") == "bob"
    assert icp("identity", "principal") == bob
    icp("identity", "default", "anonymous")
    icp("identity", "rename", "bob", "robert")
    assert icp.principal("robert") == bob
    icp("identity", "rename", "robert", "bob")


def test_icp_moves_to_principals_and_account_identifiers(icp: Icp) -> None:
    bob = icp.principal("bob")
    before = icp_units(icp, "bob")
    sender = icp_units(icp, "alice")
    first = icp.json("token", "transfer", "1.5", bob, identity="alice")
    account = icp("identity", "account-id", identity="bob")
    second = icp("token", "transfer", "0.25", account, "--quiet", identity="alice")
    assert int(second) == int(first["block_index"]) + 1
    assert icp_units(icp, "bob") - before == 175_000_000
    assert sender - icp_units(icp, "alice") == 175_000_000 + 2 * LEDGER_FEE
    assert "insufficient funds" in icp.fails("token", "transfer", "9000000", bob, identity="alice")


def icp_units(icp: Icp, identity: str) -> int:
    """The balance in base units (e8s)."""
    shown = icp("token", "balance", "--quiet", identity=identity)
    return int(Decimal(shown.removesuffix(" ICP")) * 10**8)


def test_an_allowance_is_approved_and_shown(icp: Icp) -> None:
    bob = icp.principal("bob")
    icp("token", "approve", "3.5", bob, "--expires-in", "1h", identity="alice")
    shown = icp.json("token", "allowance", bob, identity="alice")
    assert shown["allowance"] == "3.50000000 ICP"
    assert shown["expires_at"] is not None


def test_cycles_are_minted_from_icp_at_the_fixed_rate(icp: Icp) -> None:
    before, tokens = balance(icp, "alice"), icp_units(icp, "alice")
    said = icp("cycles", "mint", "--icp", "2", identity="alice")
    minted = 2 * 10**8 * XDR_PERMYRIAD_PER_ICP - CYCLES_FEE
    assert cycles(said) == minted
    assert balance(icp, "alice") == before + minted
    assert tokens - icp_units(icp, "alice") == 2 * 10**8 + LEDGER_FEE
    wanted = icp.json("cycles", "mint", "--cycles", "3t", identity="alice")
    assert 3 * T <= cycles(wanted["deposited"]) < 3 * T + XDR_PERMYRIAD_PER_ICP


def test_cycles_are_transferred_for_a_fee(icp: Icp) -> None:
    alice, bob = balance(icp, "alice"), balance(icp, "bob")
    block = icp("cycles", "transfer", "1.5t", icp.principal("bob"), "--quiet", identity="alice")
    assert int(block) > 0
    assert balance(icp, "bob") - bob == 15 * T // 10
    assert alice - balance(icp, "alice") == 15 * T // 10 + CYCLES_FEE


def test_a_canister_is_paid_for_by_the_cycles_ledger(icp: Icp) -> None:
    before = balance(icp, "alice")
    made = icp.json("canister", "create", "--detached", "--cycles", "3t", identity="alice")["canister_id"]
    assert before - balance(icp, "alice") == 3 * T + CYCLES_FEE
    status = icp.json("canister", "status", made, *NETWORK, identity="alice")
    assert int(status["cycles"].replace("_", "")) <= 3 * T - T // 2
    assert status["settings"]["controllers"] == [icp.principal("alice")]
    refused = icp.fails("canister", "create", "--detached", "--cycles", "9000t", identity="alice")
    assert "Insufficient cycles" in refused


def test_a_canister_is_paid_for_with_icp(icp: Icp) -> None:
    before = icp_units(icp, "alice")
    made = icp("canister", "create", "--detached", "--with-icp", "1", "--quiet", identity="alice")
    assert before - icp_units(icp, "alice") == 10**8 + LEDGER_FEE
    assert "Running" in of_alice(icp, "status", made)


def test_a_canister_is_topped_up(icp: Icp, canister: str) -> None:
    before, paid = held(icp, canister), balance(icp, "alice")
    of_alice(icp, "top-up", canister, "--amount", "1t")
    assert 0 <= before + T - held(icp, canister) < 10**9
    assert paid - balance(icp, "alice") == T + CYCLES_FEE
    assert "not found" in of_alice_fails(icp, "top-up", "rwlgt-iiaaa-aaaaa-aaaaa-cai", "--amount", "1t")


def held(icp: Icp, canister: str) -> int:
    """Cycles of a canister."""
    status = icp.json("canister", "status", canister, *NETWORK, identity="alice")
    return int(status["cycles"].replace("_", ""))


def of_alice_fails(icp: Icp, *arguments: str) -> str:
    return icp.fails("canister", *arguments, *NETWORK, identity="alice")


def test_a_canister_is_stopped_started_upgraded_and_deleted(icp: Icp, canister: str) -> None:
    assert call(icp, canister, "bump") == "(1 : nat32)"
    of_alice(icp, "stop", canister)
    assert "Stopped" in of_alice(icp, "status", canister)
    of_alice(icp, "start", canister)
    assert call(icp, canister, "count", "--query") == "(1 : nat32)"
    install(icp, canister, "--mode", "reinstall", "--yes")
    assert call(icp, canister, "count", "--query") == "(0 : nat32)"
    module_hash = hashlib.sha256(whoami.module()).hexdigest()
    assert f"0x{module_hash}" in of_alice(icp, "status", canister)
    assert of_alice(icp, "metadata", canister, "candid:service") == whoami.INTERFACE
    before = balance(icp, "alice")
    of_alice(icp, "stop", canister)
    assert "Recovered" in icp.run(*DELETE, canister, *NETWORK, "--identity", "alice").stderr
    assert balance(icp, "alice") - before > T
    assert "not found" in of_alice_fails(icp, "status", canister)


DELETE = ("canister", "delete")


def test_settings_are_shown_and_changed(icp: Icp, canister: str) -> None:
    bob = icp.principal("bob")
    options = ("--add-controller", bob, "--freezing-threshold", "40d", "--log-visibility", "public")
    variable = ("--add-environment-variable", "COLOUR=blue")
    of_alice(icp, "settings", "update", canister, "--force", *options, *variable)
    settings = icp.json("canister", "settings", "show", canister, *NETWORK, identity="bob")
    assert set(settings["controllers"]) == {icp.principal("alice"), bob}
    assert settings["freezing_threshold"] == [40 * 86_400]
    assert settings["log_visibility"] == "public"
    assert settings["environment_variables"] == [{"name": "COLOUR", "value": "blue"}]
    assert "COLOUR" in of_alice(icp, "settings", "show", canister)


def test_logs_show_why_a_call_failed(icp: Icp, canister: str) -> None:
    assert of_alice(icp, "logs", canister) == ""
    of_alice_fails(icp, "call", canister, "fail", "()")
    records = icp.json("canister", "logs", canister, *NETWORK, identity="alice")["log_records"]
    assert [record["content"] for record in records] == ["[TRAP]: unreachable"]
    assert icp.fails("canister", "logs", canister, *NETWORK, identity="bob")
    later = icp.json("canister", "logs", canister, "--since-index", "1", *NETWORK, identity="alice")
    assert later["log_records"] == []


def test_a_snapshot_brings_a_state_back(icp: Icp, canister: str) -> None:
    call(icp, canister, "bump")
    assert "currently running" in of_alice_fails(icp, "snapshot", "create", canister)
    of_alice(icp, "stop", canister)
    taken = of_alice(icp, "snapshot", "create", canister, "--quiet")
    of_alice(icp, "start", canister)
    assert call(icp, canister, "bump") == "(2 : nat32)"
    of_alice(icp, "stop", canister)
    of_alice(icp, "snapshot", "restore", canister, taken)
    of_alice(icp, "start", canister)
    assert call(icp, canister, "count", "--query") == "(1 : nat32)"
    listed = icp.json("canister", "snapshot", "list", canister, *NETWORK, identity="alice")["snapshots"]
    assert [snapshot["snapshot_id"] for snapshot in listed] == [taken]
    of_alice(icp, "snapshot", "delete", canister, taken)
    assert "Could not find" in of_alice_fails(icp, "snapshot", "delete", canister, taken)


def test_a_snapshot_goes_to_disk_and_back(icp: Icp, canister: str, tmp_path: Path) -> None:
    call(icp, canister, "bump")
    of_alice(icp, "stop", canister)
    taken = of_alice(icp, "snapshot", "create", canister, "--quiet")
    of_alice(icp, "snapshot", "download", canister, taken, "--output", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "wasm_module.bin").read_bytes() == whoami.module()
    install(icp, canister, "--mode", "reinstall", "--yes")
    of_alice(icp, "stop", canister)
    copy = of_alice(icp, "snapshot", "upload", canister, "--input", str(tmp_path / "copy"), "--quiet")
    of_alice(icp, "snapshot", "restore", canister, copy)
    of_alice(icp, "start", canister)
    assert call(icp, canister, "count", "--query") == "(1 : nat32)"


def test_a_project_is_deployed_and_its_canister_called_by_name(icp: Icp) -> None:
    first = icp.json("deploy", identity="alice")
    assert icp("canister", "call", "whoami", "bump", "()", identity="alice") == "(1 : nat32)"
    assert "whoami" in icp("canister", "list")
    assert icp.json("deploy", identity="alice") == first


def test_system_canisters_tell_their_interface(icp: Icp) -> None:
    ledger, minting = "ryjl3-tyaaa-aaaaa-aaaba-cai", "rkp4c-7iaaa-aaaaa-aaaca-cai"
    assert '"ICP"' in icp("canister", "call", ledger, "icrc1_symbol", "()", "--query", *NETWORK)
    assert "notify_mint_cycles : (" in icp("canister", "metadata", minting, "candid:service", *NETWORK)
    assert "no update method" in icp.fails("canister", "call", ledger, "send_dfx", "()", *NETWORK)


def test_the_proxy_canister_creates_and_calls_for_its_controllers(icp: Icp) -> None:
    proxy = ("--proxy", icp.json("network", "status")["proxy_canister_principal"], *NETWORK)
    made = icp("canister", "create", "--detached", "--quiet", *proxy, identity="alice")
    icp("canister", "install", made, "--wasm", "whoami.wasm", *proxy, identity="alice")
    caller = icp("canister", "call", made, "caller", "()", *proxy, identity="alice")
    assert caller == f'(principal "{proxy[1]}")'
