"""Instructions of the marketplace's dearest messages: creating a rental, and verifying evidence on chain."""

from __future__ import annotations

from collections.abc import Sequence

from attestation import encode_bundle
from attestation.simulator import SimulatedMachine
from benchmarks.figures import Figure, Section
from benchmarks.goods import Goods, stock
from benchmarks.local_network import Market, market
from leasehold.agent import Identity
from leasehold.interfaces import load_interface
from leasehold.vetkeys import TransportKey

EXISTING = (0, 1_000, 10_000)
CREATE_GOAL = 10_000_000
ATTESTATION_GOAL = 1_500_000_000


def starting(people: Market) -> list[Figure]:
    """`canister_init` of our canisters: Python, their modules, their first state."""
    client = people.clients["renter"]
    ids = {"marketplace": client.marketplace.id, "vault": client.vault.id, "ledger": client.ledger.id}
    costs = {name: people.subnet.instructions(canister, "canister_init") for name, canister in ids.items()}
    return [Figure(f"canister_init of {name}", cost, "instructions") for name, cost in costs.items()]


def attesting(people: Market, goods: Goods) -> list[Figure]:
    """`submit_attestation` of SIMULATED evidence of one machine, twice."""
    machine = SimulatedMachine("benchmark")
    first, again = (attest(people, goods, machine) for _ in range(2))
    name = "submit_attestation, SEV-SNP and 1 GPU"
    return [
        Figure(name, first, "instructions", ATTESTATION_GOAL, note="all links verified"),
        Figure(f"{name}, again", again, "instructions", note="known links kept"),
    ]


def attest(people: Market, goods: Goods, machine: SimulatedMachine) -> int:
    """Claim a rental, attest for it, and answer what the verification cost."""
    worker, operator = people.clients["worker"], people.clients["operator"].principal
    number = people.clients["renter"].marketplace.create_rental(goods.rental()).id
    worker.marketplace.claim_rental(goods.offer, number)
    nonce = worker.marketplace.begin_attestation(number).nonce
    session, transport = Identity.generate(), TransportKey.generate()
    evidence = machine.collect(nonce, operator.raw, session.public_key_der, transport.public_key)
    guest = worker.with_identity(session)
    guest.marketplace.submit_attestation(number, encode_bundle(evidence))
    return people.subnet.instructions(guest.marketplace.id, "canister_update submit_attestation")


def creating(people: Market, goods: Goods, existing: Sequence[int]) -> list[Figure]:
    """`create_rental` among so many queued rentals of the same renter."""
    renter = people.clients["renter"]
    encode = load_interface("marketplace").method("create_rental").encode
    figures, made = [], 0
    for count in existing:
        arguments = [encode(goods.rental().candid()) for _ in range(count - made)]
        people.subnet.update_many(renter.marketplace.id, "create_rental", renter.principal, arguments)
        renter.marketplace.create_rental(goods.rental())
        made = count + 1
        cost = people.subnet.instructions(renter.marketplace.id, "canister_update create_rental")
        name = f"create_rental, {count:,} rentals exist"
        figures.append(Figure(name, cost, "instructions", CREATE_GOAL, note="the whole message"))
    return figures


def measure(existing: Sequence[int] = EXISTING) -> Section:
    """Installation, attestation, rentals."""
    with market() as people:
        figures = starting(people)
        goods = stock(people.clients)
        figures += attesting(people, goods)
        figures += creating(people, goods, existing)
    return Section("Marketplace", figures)
