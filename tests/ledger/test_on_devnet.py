"""The built ledger on a network: certified calls, many callers, upgrades, restarts, the `icp` program."""

import os
import platform
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from leasehold.agent import Canister, Identity, Principal
from tests.devnet.clients.npm_packages import install
from tests.ledger.built import BuiltCanister
from tests.ledger.network import connected, deploy, upgrade
from tests.ledger.test_endpoints import ALICE, BOB, account, init_arguments
from tests.network import skipped_when_given

FEE = 10
MINTER, RICH = Identity.generate(), Identity.generate()


def account_of(owner: Principal) -> dict[str, Any]:
    return {"owner": owner, "subaccount": None}


def init() -> dict[str, Any]:
    balances = [(account_of(RICH.principal), 1_000_000)]
    names = {"token_name": "Test Token", "token_symbol": "TEST", "decimals": 8, "transfer_fee": FEE}
    return {"minting_account": account_of(MINTER.principal), **names, "initial_balances": balances}


def send(ledger: Canister, to: Principal, amount: int, **fields: Any) -> Any:
    optional = dict.fromkeys(("from_subaccount", "fee", "memo", "created_at_time"))
    return ledger.icrc1_transfer({"to": account_of(to), "amount": amount, **optional, **fields})


@pytest.fixture(scope="module")
def ledger() -> Iterator[Canister]:
    with connected(RICH) as agent:
        yield deploy(agent, "ledger", init())


def test_transfers_of_many_callers_at_once_conserve_tokens(ledger: Canister) -> None:
    people = [Identity.generate() for _ in range(4)]
    for person in people:
        send(ledger, person.principal, 10_000)
    supply = ledger.icrc1_total_supply()

    def pay_all(person: Identity) -> None:
        own = ledger.agent.with_identity(person).canister(ledger.id, ledger.interface)
        for other in people:
            assert "Ok" in send(own, other.principal, 500)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(pay_all, people))
    balances = [ledger.icrc1_balance_of(account_of(person.principal)) for person in people]
    assert balances == [10_000 - 4 * FEE] * 4
    assert ledger.icrc1_total_supply() == supply - 16 * FEE


def test_an_upgrade_keeps_balances_allowances_and_the_memory_of_repetitions(ledger: Canister) -> None:
    friend = Identity.generate().principal
    moment = ledger.agent.read_state([[b"time"]]).time
    first = send(ledger, friend, 77, created_at_time=moment)
    optional = dict.fromkeys(("from_subaccount", "expected_allowance", "expires_at", "fee", "memo"))
    approval = {"spender": account_of(friend), "amount": 55, "created_at_time": None, **optional}
    assert "Ok" in ledger.icrc2_approve(approval)
    upgrade(ledger.agent, ledger, "ledger")
    assert ledger.icrc1_balance_of(account_of(friend)) == 77
    assert send(ledger, friend, 77, created_at_time=moment) == {
        "Err": {"Duplicate": {"duplicate_of": first["Ok"]}}
    }
    pair = {"account": account_of(RICH.principal), "spender": account_of(friend)}
    assert ledger.icrc2_allowance(pair) == {"allowance": 55, "expires_at": None}


@skipped_when_given("restarts the node")
def test_a_restarted_node_has_the_same_ledger(tmp_path: Path) -> None:
    friend = Identity.generate().principal
    with connected(RICH, tmp_path / "state") as agent:
        ledger = deploy(agent, "ledger", init())
        assert send(ledger, friend, 77) == {"Ok": 1}
    with connected(RICH, tmp_path / "state") as agent:
        again = agent.canister(ledger.id, ledger.interface)
        assert again.icrc1_balance_of(account_of(friend)) == 77
        assert send(again, friend, 3) == {"Ok": 2}


def test_the_icp_command_line_reads_and_transfers(ledger: Canister, tmp_path: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the pinned icp command line is built for Linux on x86-64")
    program = install("icp") / "node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp"
    node = f'  - name: local\n    mode: connected\n    url: "{ledger.agent.url}"\n    root-key: fetch\n'
    (tmp_path / "icp.yaml").write_text(f"networks:\n{node}canisters: []\n")
    (tmp_path / "rich.pem").write_bytes(RICH.to_pem())
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "DO_NOT_TRACK": "1"}

    def icp(*arguments: str) -> str:
        result = subprocess.run(
            [program, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    icp("identity", "import", "rich", "--storage", "plaintext", "--from-pem", "rich.pem")
    friend = Identity.generate().principal
    to = f'record {{ owner = principal "{friend}"; subaccount = null }}'
    rest = "fee = null; memo = null; from_subaccount = null; created_at_time = null"
    where = ("--network", "local", "--identity", "rich")
    answer = icp(
        "canister",
        "call",
        str(ledger.id),
        "icrc1_transfer",
        f"(record {{ to = {to}; amount = 123; {rest} }})",
        *where,
    )
    assert "Ok" in answer
    balance = icp("canister", "call", str(ledger.id), "icrc1_balance_of", f"({to})", "--query", *where)
    assert "123" in balance


def test_messages_cost_few_instructions() -> None:
    """Fuel counts are exact, so they are asserted, with room to grow; first calls cost more."""
    ledger = BuiltCanister("ledger", init_arguments())
    for _ in range(2):
        ledger.call("icrc1_transfer", {"to": account(BOB), "amount": 1}, caller=ALICE.bytes)
    assert ledger.instructions <= 1_500_000
    for _ in range(2):
        ledger.call("icrc1_balance_of", account(BOB), caller=ALICE.bytes)
    assert ledger.instructions <= 200_000
