"""The marketplace's endpoints on this machine, with the real ledger beside it and a stand-in for vault and
vetKD.
"""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

from attestation import encode_bundle
from attestation.simulator import SimulatedMachine
from canisters.marketplace.core.catalog import item_id
from canisters.marketplace.core.types import Principal as PrincipalText
from cdk.candid import Codec, Principal
from cdk.candid.did_parser import parse_did
from cdk.testing import Rejected, Simulator, System
from tests.signers import signer

ROOT = Path(__file__).resolve().parents[2]
MANAGEMENT = Principal.management_canister()
VAULT = Principal(bytes(7) + b"\x09\x01\x01")
FEE = 10
START = 1_763_700_000_000_000_000
# The generator of BLS12-381 G1: a network derives keys only to points of the group.
TRANSPORT_KEY = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
VAULT_DID = parse_did((ROOT / "canisters/vault/vault.did").read_text())
VETKD = parse_did(
    """type Key = record { curve : variant { bls12_381_g2 }; name : text };
    service : {
      vetkd_public_key : (record { canister_id : opt principal; context : blob; key_id : Key })
        -> (record { public_key : blob });
      vetkd_derive_key : (record { input : blob; context : blob; transport_public_key : blob; key_id : Key })
        -> (record { encrypted_key : blob });
      raw_rand : () -> (blob);
    }"""
).methods


def person(name: str) -> Principal:
    return Principal(signer(name).principal.raw)


def session_key(name: str) -> bytes:
    """A guest's public session key (DER)."""
    return signer(f"session {name}").public_key_der


MACHINE = SimulatedMachine("machine")


class Failed(Exception):
    """An endpoint answered Err."""

    def __init__(self, error: dict[str, Any]) -> None:
        ((self.kind, self.fields),) = error.items()
        super().__init__(f"{self.kind}: {self.fields}")


class Simulation:
    """A deployed marketplace. Methods ask one endpoint each, as named people, and raise `Failed` for Err."""

    def __init__(self, **changes: Any) -> None:
        self.granted: list[Any] = []
        self.derived: list[Any] = []
        self._fresh = itertools.count(1)
        self.ledger = self._ledger()
        init = {
            "ledger": self.ledger.id,
            "vault": VAULT,
            "governors": [person("governor")],
            "arbiter": person("arbiter"),
            "treasury": person("treasury"),
            "platform_basis_points": 500,
            "vetkd_key_name": "test_key_1",
            "allow_simulated": True,
            "review_window_s": 60,
        }
        system = System(canister_id=bytes(7) + b"\x08\x01\x01", now=START)
        self.market = Simulator("canisters.marketplace.main", {**init, **changes}, root=ROOT, system=system)
        self.market.connect(self.ledger)
        self.answer_calls()

    def _ledger(self) -> Simulator:
        account = {"owner": person("minter"), "subaccount": None}
        holders = [({"owner": person(name), "subaccount": None}, 10**9) for name in ("renter", "operator")]
        init = {
            "minting_account": account,
            "token_name": "Test",
            "token_symbol": "TST",
            "decimals": 8,
            "transfer_fee": FEE,
            "initial_balances": holders,
        }
        return Simulator(
            "canisters.ledger.main", init, root=ROOT, system=System(bytes(7) + b"\x0a\x01\x01", now=START)
        )

    def answer_calls(self) -> None:
        handlers = self.market.handlers
        handlers[MANAGEMENT, "raw_rand"] = lambda _: self._encode(VETKD["raw_rand"], self.randomness())
        handlers[MANAGEMENT, "vetkd_public_key"] = lambda _: self._encode(
            VETKD["vetkd_public_key"], {"public_key": bytes(96)}
        )
        handlers[MANAGEMENT, "vetkd_derive_key"] = self._derive
        handlers[VAULT, "grant"] = self._grant

    def _derive(self, argument: bytes) -> bytes:
        method = VETKD["vetkd_derive_key"]
        self.derived.append(Codec(method.arguments).decode(argument)[0])
        return self._encode(method, {"encrypted_key": bytes(192)})

    def _grant(self, argument: bytes) -> bytes:
        method = VAULT_DID.methods["grant"]
        self.granted += Codec(method.arguments).decode(argument)[0]
        return self._encode(method, {"Ok": 1})

    @staticmethod
    def _encode(method: Any, value: Any) -> bytes:
        return Codec(method.results).encode([value])

    def randomness(self) -> bytes:
        return hashlib.sha256(b"random%d" % next(self._fresh)).digest()

    def fresh(self) -> bytes:
        return next(self._fresh).to_bytes(16, "big")

    @property
    def now(self) -> int:
        return self.market.system.now

    def advance(self, seconds: float) -> None:
        """Let time pass everywhere; the marketplace's timers run."""
        self.ledger.advance(seconds)
        self.market.advance(seconds)

    def ask(self, who: str | Principal, method: str, *args: Any) -> Any:
        """The plain answer of an endpoint."""
        caller = person(who) if isinstance(who, str) else who
        return self.market.update(method, *args, caller=caller)

    def do(self, who: str | Principal, method: str, *args: Any) -> Any:
        """What an endpoint answers in Ok; `Failed` for Err."""
        answer = self.ask(who, method, *args)
        if "Err" in answer:
            raise Failed(answer["Err"])
        return answer["Ok"]

    # --- The story ---

    def deposit(self, who: str, amount: int, created_at: int | None = None) -> Any:
        approval = {
            "from_subaccount": None,
            "spender": {"owner": self.market.id, "subaccount": None},
            "amount": amount + FEE,
            "expected_allowance": None,
            "expires_at": None,
            "fee": None,
            "memo": None,
            "created_at_time": None,
        }
        assert "Ok" in self.ledger.update("icrc2_approve", approval, caller=person(who))
        return self.do(who, "deposit", amount, created_at or self.now)

    def tokens(self, owner: Principal) -> int:
        balance: int = self.ledger.update("icrc1_balance_of", {"owner": owner, "subaccount": None})
        return balance

    def artifact(self, name: str) -> dict[str, Any]:
        digest = hashlib.sha256(name.encode())
        return {
            "location": f"vault:{digest.hexdigest()}",
            "size": 1_000,
            "sha256": digest.digest(),
            "sealed_identity": b"sealed",
        }

    def item(self, kind: str, owner: str) -> dict[str, Any]:
        salt = self.fresh()
        return {"id": item_id(kind, PrincipalText(person(owner).to_str()), salt), "salt": salt}

    def listing_args(self) -> dict[str, Any]:
        return {
            **self.item("listing", "publisher"),
            "title": "MiniLM",
            "description": "",
            "base_model": "all-MiniLM-L6-v2",
            "tasks": ["text-classification"],
            "fee": 1_000,
            "payees": [
                {"account": person("publisher"), "basis_points": 7_000},
                {"account": person("co-author"), "basis_points": 3_000},
            ],
            "artifact": self.artifact("model"),
        }

    def dataset_args(self) -> dict[str, Any]:
        return {
            **self.item("dataset", "renter"),
            "title": "Reviews",
            "rows": 300,
            "fee": 0,
            "public": False,
            "artifact": self.artifact("data"),
        }

    def offer_args(self) -> dict[str, Any]:
        return {
            "request_id": self.fresh(),
            "title": "H200",
            "rate_per_second": 10,
            "max_duration_s": 10_000,
            "bond_basis_points": 3_000,
            "policies": ["simulated"],
            "hardware": "1 x H200",
            "worker": person("worker"),
        }

    def rental_args(self, **changes: Any) -> dict[str, Any]:
        args = {
            "request_id": self.fresh(),
            "listing": self.listing["id"],
            "datasets": [self.dataset["id"]],
            "hyperparameters": {
                "task": "text-classification",
                "epochs": 3,
                "learning_rate": 2e-4,
                "batch_size": 16,
                "max_length": 128,
                "lora_rank": 8,
                "lora_alpha": 16,
                "lora_dropout": 0.05,
                "seed": 7,
            },
            "policy": "simulated",
            "max_rate_per_second": 12,
            "max_duration_s": 1_000,
            "max_price": 10**9,
            "queue_timeout_s": 7_200,
        }
        return {**args, **changes}

    def open_market(self) -> None:
        self.listing = self.do("publisher", "publish_listing", self.listing_args())
        self.dataset = self.do("renter", "publish_dataset", self.dataset_args())
        self.offer = self.do("operator", "post_offer", self.offer_args())
        self.deposit("renter", 100_000)
        self.deposit("operator", 50_000)

    def create(self, **changes: Any) -> int:
        rental: int = self.do("renter", "create_rental", self.rental_args(**changes))["id"]
        return rental

    def evidence(self, nonce: bytes, session: str, machine: SimulatedMachine | None = None) -> bytes:
        """A genuine-format bundle of a simulated machine for this nonce and the named session."""
        machine = machine or MACHINE
        operator = person("operator").bytes
        return encode_bundle(machine.collect(nonce, operator, session_key(session), TRANSPORT_KEY))

    def attest(self, rental: int, session: str = "session") -> Principal:
        """Claim and attest; the session's principal."""
        self.do("worker", "claim_rental", self.offer["id"], rental)
        nonce = self.do("worker", "begin_attestation", rental)["nonce"]
        caller = Principal.self_authenticating(session_key(session))
        self.do(caller, "submit_attestation", rental, self.evidence(nonce, session))
        return caller

    def get_keys(self, rental: int, session: Principal) -> None:
        for item in ({"Listing": self.listing["id"]}, {"Dataset": self.dataset["id"]}):
            self.do(session, "release_key", item, rental, None)

    def settling(self) -> int:
        rental = self.create()
        session = self.attest(rental)
        self.get_keys(rental, session)
        self.advance(100)
        result = {"rental": rental, "artifact": self.artifact("adapter"), "metrics": "{}"}
        self.do(session, "submit_result", result)
        return rental

    def reject(self, canister: Principal, method: str, message: str = "overloaded") -> None:
        """Let calls of `method` be rejected until `answer_calls` or `connect`."""

        def refuse(_: bytes) -> bytes:
            raise Rejected(message)

        self.market.handlers[canister, method] = refuse
