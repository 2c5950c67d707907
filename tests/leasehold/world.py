"""Our canisters' own code in this process, behind a fake node: all but WebAssembly and time is real."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

import cdk.candid
from cdk.testing import Rejected, Simulator, System, Trapped
from leasehold.agent import Identity, Interface, Principal
from leasehold.network import Client, Network
from leasehold.roles.deployer import DeployOptions, init_arguments
from leasehold.vetkeys.hashing import augmented_hash_to_g1, hash_to_scalar
from leasehold.vetkeys.keys import derive_public_key
from tests.leasehold.fake_node import NOW, URL, FakeNode, Reject

ROOT = Path(__file__).parents[2]
TOKEN = 100_000_000

IDS = {
    name: Principal(bytes.fromhex(f"00000000000000{number:02x}0101"))
    for number, name in enumerate(("ledger", "vault", "marketplace"), 16)
}

_VETKD = Interface.parse("""
type key_id = record { curve : variant { bls12_381_g2 }; name : text };
service : {
  vetkd_public_key : (record { canister_id : opt principal; context : blob; key_id : key_id })
    -> (record { public_key : blob });
  vetkd_derive_key : (record { input : blob; context : blob; transport_public_key : blob; key_id : key_id })
    -> (record { encrypted_key : blob });
  raw_rand : () -> (blob);
}
""")


class VetKd:
    """The management canister's vetKD for one canister, from a secret that is known."""

    def __init__(self, canister: Principal, secret: int = 5) -> None:
        self._canister = canister
        self._secret = Scalar(secret)
        self.master = (G2Point() * self._secret).to_compressed_bytes()

    def public_key(self, context: bytes) -> bytes:
        return derive_public_key(self.master, self._canister.raw, context)

    def derive(self, input: bytes, context: bytes, transport_public_key: bytes) -> bytes:
        first = derive_public_key(self.master, self._canister.raw, b"")
        secret = self._secret + _offset(self.master, self._canister.raw, "canister-id")
        secret = secret + _offset(first, context, "context") if context else secret
        key = augmented_hash_to_g1(self.public_key(context), input) * secret
        r = Scalar(123456789)
        e3 = G1Point.from_compressed_bytes(transport_public_key) * r + key
        points = (G1Point() * r, G2Point() * r, e3)
        return b"".join(point.to_compressed_bytes() for point in points)

    def handlers(self) -> dict[tuple[Any, str], Any]:
        """For `Simulator.handlers`."""
        management = cdk.candid.Principal.management_canister()
        answers = {
            "vetkd_public_key": lambda given: {"public_key": self.public_key(given["context"])},
            "vetkd_derive_key": lambda given: {
                "encrypted_key": self.derive(given["input"], given["context"], given["transport_public_key"])
            },
            "raw_rand": lambda: b"\x07" * 32,
        }
        return {(management, name): _handler(name, answer) for name, answer in answers.items()}


def _handler(name: str, answer: Any) -> Any:
    from leasehold.agent import candid

    method = _VETKD.method(name)
    return lambda argument: candid.encode(
        method.results, [answer(*candid.decode(method.arguments, argument))]
    )


def _offset(public_key: bytes, value: bytes, domain: str) -> Scalar:
    prefixed = len(public_key).to_bytes(8, "big") + public_key + len(value).to_bytes(8, "big") + value
    return hash_to_scalar(prefixed, f"ic-vetkd-bls12-381-g2-{domain}")


@dataclass
class World:
    """Three canisters and who talks to them.

    Args:
        folder: for the network's files.
    """

    folder: Path
    deployer: Identity = field(default_factory=lambda: Identity.from_ed25519(b"\x01" * 32))
    node: FakeNode = field(default_factory=FakeNode)

    def __post_init__(self) -> None:
        arguments = init_arguments(IDS, self.deployer.principal, DeployOptions(review_window_s=60))
        self.canisters = {name: _simulated(name, arguments[name]) for name in IDS}
        for name, simulator in self.canisters.items():
            self.node.canisters[IDS[name].raw] = _dispatcher(simulator)
            for other in self.canisters.values():
                if other is not simulator:
                    simulator.connect(other)
        self.vetkd = VetKd(IDS["marketplace"])
        self.canisters["marketplace"].handlers.update(self.vetkd.handlers())
        self.network = Network(URL, {name: str(id) for name, id in IDS.items()}, folder=self.folder)

    def client(self, identity: Identity) -> Client:
        """Our canisters, as somebody."""
        from leasehold.ledger import Ledger
        from leasehold.marketplace import Marketplace
        from leasehold.vault import Vault

        agent = self.node.agent(identity)
        ids = IDS
        return Client(
            agent,
            Marketplace(agent, ids["marketplace"]),
            Vault(agent, ids["vault"]),
            Ledger(agent, ids["ledger"]),
        )

    def person(self, number: int, tokens: int = 0) -> Client:
        """Somebody with tokens on the ledger."""
        client = self.client(Identity.from_ed25519(bytes([number]) * 32))
        if tokens:
            self.client(self.deployer).ledger.transfer(client.principal, tokens)
        return client

    def advance(self, seconds: float) -> None:
        """Let time pass for the canisters."""
        for simulator in self.canisters.values():
            simulator.advance(seconds)


def _simulated(name: str, arguments: dict[str, Any]) -> Simulator:
    system = System(canister_id=IDS[name].raw, now=NOW)
    return Simulator(f"canisters.{name}.main", _cdk_values(arguments), root=ROOT, system=system)


def _cdk_values(value: Any) -> Any:
    # The compiler's codec has its own principals.
    if isinstance(value, Principal):
        return cdk.candid.Principal(value.raw)
    if isinstance(value, dict):
        return {name: _cdk_values(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cdk_values(inner) for inner in value)
    return value


def _dispatcher(simulator: Simulator) -> Any:
    def dispatch(method: str, argument: bytes, sender: Principal) -> bytes:
        try:
            return simulator.call_raw(method, argument, cdk.candid.Principal(sender.raw))
        except Trapped as trap:
            raise Reject(5, str(trap)) from trap
        except Rejected as reject:
            raise Reject(reject.code, reject.message) from reject

    return dispatch
