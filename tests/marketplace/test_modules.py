"""The three canisters as built modules on one replica: calls between them, keys, an upgrade in mid-rental,
size.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk.build import build
from cdk.candid import Codec, Principal
from cdk.candid.did_parser import Description, parse_did
from tests.devnet.replica.harness import FakeClock, Net
from tests.marketplace.simulation import FEE, START, Failed, Simulation, person
from tests.marketplace.test_endpoints_trust import BOARD, claimed, container
from tests.network import moves_time
from tests.network_replica import open_net

STACK_BYTES = 64 << 20
MAX_MODULE_GZIP_BYTES = (2 << 20) - (64 << 10)  # one install message of 2 MiB, with its arguments
SEALED = b"sealed model " * 100


class Canister:
    """One deployed module and its interface."""

    def __init__(self, net: Net, name: str) -> None:
        self.net = net
        self.built = build(name)
        self.did: Description = parse_did(self.built.did)
        self.id = net.create()

    def install(self, argument: Any, mode: str = "install") -> None:
        self.net.install(self.id, self.built.module, mode, Codec(self.did.init or ()).encode([argument]))

    def ask(self, caller: Principal, method: str, *args: Any) -> Any:
        function = self.did.methods[method]
        encoded = Codec(function.arguments).encode(args)
        call: Callable[..., bytes] = self.net.query if "query" in function.modes else self.net.update
        return Codec(function.results).decode(call(self.id, method, encoded, caller.bytes))[0]


class Deployment(Simulation):
    """`Simulation`'s story, told to real modules."""

    def __init__(self, net: Net) -> None:
        self._fresh = itertools.count(1)
        self.net = net
        self.canisters = {name: Canister(self.net, name) for name in ("ledger", "vault", "marketplace")}
        account = {"owner": person("minter"), "subaccount": None}
        holders = [({"owner": person(name), "subaccount": None}, 10**9) for name in ("renter", "operator")]
        self.canisters["ledger"].install(
            {
                "minting_account": account,
                "token_name": "Test",
                "token_symbol": "TST",
                "decimals": 8,
                "transfer_fee": FEE,
                "initial_balances": holders,
            }
        )
        self.canisters["vault"].install({"marketplace": Principal(self.canisters["marketplace"].id)})
        self.canisters["marketplace"].install(self.init_args())

    def init_args(self) -> dict[str, Any]:
        return {
            "ledger": Principal(self.canisters["ledger"].id),
            "vault": Principal(self.canisters["vault"].id),
            "governors": [person("governor")],
            "arbiter": person("arbiter"),
            "treasury": person("treasury"),
            "platform_basis_points": 500,
            "vetkd_key_name": "test_key_1",
            "allow_simulated": True,
            "review_window_s": 60,
        }

    @property
    def now(self) -> int:
        return self.net.clock.now

    def advance(self, seconds: float) -> None:
        self.net.advance(seconds)

    def ask(self, who: str | Principal, method: str, *args: Any) -> Any:
        caller = person(who) if isinstance(who, str) else who
        return self.canisters["marketplace"].ask(caller, method, *args)

    def deposit(self, who: str, amount: int, created_at: int | None = None) -> Any:
        approval = {
            "from_subaccount": None,
            "spender": {"owner": Principal(self.canisters["marketplace"].id), "subaccount": None},
            "amount": amount + FEE,
            "expected_allowance": None,
            "expires_at": None,
            "fee": None,
            "memo": None,
            "created_at_time": None,
        }
        assert "Ok" in self.canisters["ledger"].ask(person(who), "icrc2_approve", approval)
        return self.do(who, "deposit", amount, created_at or self.now)

    def upload(self, owner: str, content: bytes) -> dict[str, Any]:
        """Put a blob into the vault; its artifact."""
        digest = hashlib.sha256(content).digest()
        vault, caller = self.canisters["vault"], person(owner)
        args = {"size": len(content), "sha256": digest, "chunk_sha256s": [digest]}
        blob = vault.ask(caller, "begin_upload", args)["Ok"]["blob_id"]
        chunk = {"blob_id": blob, "index": 0, "data": content}
        assert vault.ask(caller, "put_chunk", chunk)["Ok"]["complete"]
        location = f"vault:{blob}"
        return {"location": location, "size": len(content), "sha256": digest, "sealed_identity": b"sealed"}

    def listing_args(self) -> dict[str, Any]:
        return {**super().listing_args(), "artifact": self.upload("publisher", SEALED)}

    def dataset_args(self) -> dict[str, Any]:
        return {**super().dataset_args(), "artifact": self.upload("renter", b"sealed data")}


@pytest.fixture
def on_large_stack() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Runs a function on a thread whose stack is large enough for canisters."""

    def run(function: Callable[[], None]) -> None:
        problems: list[BaseException] = []

        def guarded() -> None:
            try:
                function()
            except BaseException as problem:
                problems.append(problem)

        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
        if problems:
            raise problems[0]

    before = threading.stack_size(STACK_BYTES)
    yield run
    threading.stack_size(before)


def story() -> None:
    with open_net(FakeClock(START)) as net:
        play(Deployment(net))


def play(market: Deployment) -> None:
    market.open_market()
    rental = market.create()
    session = market.attest(rental)
    vault = market.canisters["vault"]
    blob = market.listing["artifact"]["location"].removeprefix("vault:")
    with pytest.raises(Failed, match="NotAuthorized"):
        market.do("stranger", "release_key", {"Listing": market.listing["id"]}, rental, None)
    assert "Err" in vault.ask(session, "get_chunk", blob, 0)
    market.get_keys(rental, session)
    assert vault.ask(session, "get_chunk", blob, 0) == {"Ok": SEALED}

    market.canisters["marketplace"].install(market.init_args(), "upgrade")

    market.advance(100)
    result = {"rental": rental, "artifact": market.upload("worker", b"adapter"), "metrics": "{}"}
    market.do(session, "submit_result", result)
    market.advance(80)  # the timer, armed again by the upgrade, ends the review
    done = market.do("renter", "get_rental", rental)
    assert (done["status"], done["charges"]["compute"]) == ("succeeded", 10 * done["seconds_used"])
    assert 100 <= done["seconds_used"] < 200  # on a given network the machine's time passes as well
    book = market.ask("renter", "balances"), market.ask("operator", "balances")
    assert [balance["escrowed"] + balance["bonded"] for balance in book] == [0, 0]
    account = {"owner": Principal(market.canisters["marketplace"].id), "subaccount": None}
    held = market.canisters["ledger"].ask(person("renter"), "icrc1_balance_of", account)
    assert held == market.ask("renter", "status")["held"] == 150_000


@moves_time
def test_the_whole_story_in_webassembly(on_large_stack: Callable[[Callable[[], None]], None]) -> None:
    on_large_stack(story)


def board_story() -> None:
    with open_net(FakeClock(START)) as net:
        attest_a_board(Deployment(net))


def attest_a_board(market: Deployment) -> None:
    market.open_market()
    posted = market.do("stranger", "post_collateral", container(BOARD, market.now))
    assert {outcome["outcome"] for outcome in posted} == {"added"}
    rental, session, bundle = claimed(market, BOARD)
    parts = [bundle[at : at + 50_000] for at in range(0, len(bundle), 50_000)]
    for index, part in enumerate(parts):
        market.do("worker", "upload_evidence", rental, index, len(parts), part)
    first = market.do(session, "continue_attestation", rental)["Unfinished"]
    market.canisters["marketplace"].install(market.init_args(), "upgrade")
    step = market.do(session, "continue_attestation", rental)
    while "Unfinished" in step:
        assert step["Unfinished"]["done"] > first["done"]
        step = market.do(session, "continue_attestation", rental)
    assert len(step["Accepted"]["switches"]) == 4
    market.get_keys(rental, session)


def test_a_whole_board_is_attested_in_webassembly(
    on_large_stack: Callable[[Callable[[], None]], None],
) -> None:
    on_large_stack(board_story)


def test_the_module_fits(tmp_path: Path) -> None:
    assert build("marketplace").gzip_size <= MAX_MODULE_GZIP_BYTES
