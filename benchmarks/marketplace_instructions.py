"""Instructions of the marketplace's dearest messages: rentals, evidence, collateral."""

from __future__ import annotations

import time
from collections.abc import Sequence

from attestation import Collateral, Evidence, encode_bundle, encode_collateral, with_issuers
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from benchmarks.figures import Figure, Section
from benchmarks.goods import Goods, stock
from benchmarks.local_network import Market, market
from leasehold.agent import Identity
from leasehold.interfaces import load_interface
from leasehold.models import AttestationRecord
from leasehold.network import Client
from leasehold.vetkeys import TransportKey

EXISTING = (0, 1_000, 10_000)
CREATE_GOAL = 10_000_000
ATTESTATION_GOAL = 1_500_000_000
BOARD_GOAL = 5_000_000_000
PART_BYTES = 60_000


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


def attesting_a_board(people: Market, goods: Goods) -> list[Figure]:
    """Collateral of 8 GPUs and 4 switches, then their evidence in parts, verified in steps."""
    machine = SimulatedMachine("benchmark board", 8, Settings(gpu_mode="protected-pcie"), switches=4)
    guest, number, evidence = claimed(people, goods, machine)
    said = with_issuers(collateral_of(machine, time.time_ns()), evidence)
    posted = [post(people, said) for _ in range(2)]
    bundle = encode_bundle(evidence)
    parts = [bundle[at : at + PART_BYTES] for at in range(0, len(bundle), PART_BYTES)]
    worker = people.clients["worker"].marketplace
    for index, part in enumerate(parts):
        worker.upload_evidence(number, index, len(parts), part)
    steps: list[int] = []
    finished = False
    while not finished:
        finished = isinstance(guest.marketplace.continue_attestation(number), AttestationRecord)
        export = "canister_update continue_attestation"
        steps.append(people.subnet.instructions(guest.marketplace.id, export))
    name = f"continue_attestation, 8 GPUs and 4 switches, {len(steps)} messages"
    return [
        Figure("post_collateral of 8 GPUs and 4 switches", posted[0], "instructions"),
        Figure("post_collateral of the same again", posted[1], "instructions", note="nothing verified"),
        Figure(name, sum(steps), "instructions", BOARD_GOAL, note="all of them"),
        Figure("the dearest of them", max(steps), "instructions"),
    ]


def post(people: Market, collateral: Collateral) -> int:
    """Post collateral, and answer what it cost."""
    marketplace = people.clients["renter"].marketplace
    marketplace.post_collateral(encode_collateral(collateral))
    return people.subnet.instructions(marketplace.id, "canister_update post_collateral")


def attest(people: Market, goods: Goods, machine: SimulatedMachine) -> int:
    """Claim a rental, attest for it, and answer what the verification cost."""
    guest, number, evidence = claimed(people, goods, machine)
    guest.marketplace.submit_attestation(number, encode_bundle(evidence))
    return people.subnet.instructions(guest.marketplace.id, "canister_update submit_attestation")


def claimed(people: Market, goods: Goods, machine: SimulatedMachine) -> tuple[Client, int, Evidence]:
    """The session that is to attest for a claimed rental, the rental, and the evidence."""
    worker, operator = people.clients["worker"], people.clients["operator"].principal
    number = people.clients["renter"].marketplace.create_rental(goods.rental()).id
    worker.marketplace.claim_rental(goods.offer, number)
    nonce = worker.marketplace.begin_attestation(number).nonce
    session, transport = Identity.generate(), TransportKey.generate()
    evidence = machine.collect(nonce, operator.raw, session.public_key_der, transport.public_key)
    return worker.with_identity(session), number, evidence


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
        figures += attesting_a_board(people, goods)
        figures += creating(people, goods, existing)
    return Section("Marketplace", figures)
