"""The story, from top to bottom: every step is also a command a person can type (README shows them)."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from leasehold.agent import Identity
from leasehold.demo.evaluation import score
from leasehold.demo.model import minilm_folder
from leasehold.demo.page import RENTER, DemoPage, built_page
from leasehold.demo.report import CanisterReport, DemoReport
from leasehold.demo.retelling import all_pages_of_events, described, net_changes, readable, statuses
from leasehold.demo.screen import Screen
from leasehold.demo.stage import Stage
from leasehold.errors import JobFailedError
from leasehold.interfaces import CANISTERS
from leasehold.marketplace import all_pages
from leasehold.models import Dataset, Hyperparameters, Listing, Offer, Payee, Rental
from leasehold.network import Client, Network
from leasehold.roles.account import deposit
from leasehold.roles.deployer import DeployOptions, build_module, deploy
from leasehold.roles.operator import post_offer
from leasehold.roles.publisher import publish_dataset, publish_listing
from leasehold.roles.renter import download_result, ensure_succeeded, follow, rental_args

TOKEN = 100_000_000
"""One test token in base units."""

LISTING_FEE = 2 * TOKEN + 50_000_001
"""Not divisible by the payees' shares, so that the last payee's remainder shows."""

RATE_PER_SECOND = 1_000_000
MAX_DURATION_S = 600
POLICY = "simulated"
FOLLOW_TIMEOUT_S = 540.0
ROLES = ("deployer", "publisher", "coauthor", "operator", "worker", "renter")
HYPERPARAMETERS = Hyperparameters(
    task="text-classification",
    epochs=4,
    learning_rate=2e-3,
    batch_size=16,
    max_length=64,
    lora_rank=8,
    lora_alpha=16,
    lora_dropout=0.05,
    seed=7,
)


@dataclass
class Story:
    """One run: who plays, what was made, what is reported."""

    stage: Stage
    screen: Screen
    dataset_file: Path
    report: DemoReport = field(default_factory=DemoReport)
    people: dict[str, Identity] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    page: DemoPage | None = None

    def play(self) -> DemoReport:
        """All steps; answers the report."""
        self.report.seconds = self.screen.seconds
        with self.screen.step("network", "A local Internet Computer, and our canisters on it"):
            network = self.start_network()
        with self.screen.step("listing", "A publisher lists a sealed model"):
            listing = self.list_model()
        with self.screen.step("offer", "An operator offers a machine and starts its worker"):
            offer = self.offer_machine(network)
        with self.screen.step("rental", "A renter deposits tokens, seals data, creates a rental"):
            rental = self.rent(listing)
        with self.screen.step("training", "The worker attests, unseals, fine-tunes"):
            rental = self.watch(rental, offer)
        with self.screen.step("settlement", "The renter accepts; everybody is paid"):
            rental = self.settle(rental)
        with self.screen.step("result", "The renter opens the adapter: base model against adapter"):
            self.evaluate(rental)
        with self.screen.step("account", "Every amount that moved"):
            self.account(rental)
        return self.report

    def start_network(self) -> Network:
        """Devnet, the three canisters built from their Python source, tokens for the players."""
        network = self.stage.start_network()
        which = "the given network" if self.stage.given else "devnet"
        self.screen.say(f"{which} answers at {network.url}")
        self.prepare_page(network)
        self.people |= {role: self.stage.identity(role) for role in ROLES if role not in self.people}
        modules = {}
        for name in CANISTERS:
            modules[name] = build_module(name, self.stage.data / "build").read_bytes()
            size = f"{len(modules[name]):,} bytes of gzipped Wasm"
            self.screen.say(
                f"built {name}: {size}, SHA-256 {hashlib.sha256(modules[name]).hexdigest()[:16]}…"
            )
        options = DeployOptions(
            initial_balances={self.people[role].principal: 100 * TOKEN for role in ("renter", "operator")},
        )
        network, deployed = deploy(network, self.people["deployer"], modules, options)
        for one in deployed:
            self.screen.say(f"{one.name} {one.action} as {one.canister_id}")
            self.report.canisters[one.name] = CanisterReport(
                canister_id=str(one.canister_id),
                module_sha256=one.module_sha256,
                module_bytes=one.module_bytes,
            )
        if self.page is not None:
            network = self.page.publish(network, self.stage.data / "build")
            self.screen.say(f"web page at {self.page.url}")
        first = network.connect(self.people["deployer"])
        self.clients = {role: first.with_identity(identity) for role, identity in self.people.items()}
        self.report.token = first.ledger.symbol
        return network

    def prepare_page(self, network: Network) -> None:
        """When the demo stays open: a page on which its renter can sign in."""
        if not self.stage.keep_running:
            return
        if self.stage.given:
            self.screen.say("no web page: its renter could not sign in there with the demo's key")
            return
        folder = built_page()
        if folder is None:
            self.screen.say("no web page: it is not built (`make page` builds it with npm)")
            return
        self.people["deployer"] = self.stage.identity("deployer")
        self.page = DemoPage.prepare(self.stage, network, self.people["deployer"], folder)
        self.people[RENTER] = self.page.renter

    def list_model(self) -> Listing:
        """MiniLM, packed, sealed, stored in the vault, with a fee and two payees."""
        publisher, coauthor = self.clients["publisher"], self.clients["coauthor"]
        folder = minilm_folder()
        with self.screen.transfer("sealed model to the vault") as progress:
            listing = publish_listing(
                publisher,
                folder,
                title="MiniLM-L6 sentence encoder",
                description="22.7 M parameters, 384 dimensions, English.",
                base_model="all-MiniLM-L6-v2",
                fee=LISTING_FEE,
                payees=[
                    Payee(account=publisher.principal, basis_points=7_000),
                    Payee(account=coauthor.principal, basis_points=3_000),
                ],
                drafts=self.stage.data / "drafts",
                progress=progress,
            )
        self.screen.say(f"listing {listing.id}: fee {self.money(LISTING_FEE)}, payees 70 % and 30 %")
        self.screen.say(f"sealed archive {listing.artifact.size:,} bytes, {listing.artifact.location}")
        return listing

    def offer_machine(self, network: Network) -> Offer:
        """A rate, a bond, and the daemon as its own process."""
        operator = self.clients["operator"]
        deposit(operator, 5 * TOKEN)
        offer = post_offer(
            operator,
            title="CPU box with a SIMULATED TEE",
            rate_per_second=RATE_PER_SECOND,
            max_duration_s=MAX_DURATION_S,
            hardware="2 cores, SIMULATED SEV-SNP and GPU",
            policies=[POLICY],
            worker=self.people["worker"].principal,
        )
        process = self.stage.start_worker(offer.id, network.url)
        self.screen.say(f"offer {offer.id}: {self.money(RATE_PER_SECOND)} a second, bond 30 % of compute")
        self.screen.say(f"worker runs as process {process}, log in {os.path.relpath(self.stage.worker_log)}")
        self.screen.warn("the worker's TEE is SIMULATED: genuine formats under a development root")
        return offer

    def rent(self, listing: Listing) -> Rental:
        """Approve and deposit, seal and upload, see the price, create."""
        renter = self.clients["renter"]
        done = deposit(renter, 20 * TOKEN)
        self.screen.say(f"deposited {self.money(done.amount)} (ledger fees {self.money(done.fees)})")
        dataset = self.publish_data(renter)
        arguments = rental_args(
            listing=listing.id,
            datasets=[dataset.id],
            hyperparameters=HYPERPARAMETERS,
            policy=POLICY,
            max_rate_per_second=RATE_PER_SECOND,
            max_duration_s=MAX_DURATION_S,
        )
        quote = renter.marketplace.quote_rental(arguments)
        self.screen.say(f"price at most {self.money(quote.total_max)}; {quote.refund_rule}")
        rental = renter.marketplace.create_rental(arguments.model_copy(update={"max_price": quote.total_max}))
        self.screen.say(f"rental {rental.id} is {rental.status}, {self.money(rental.escrow)} in escrow")
        return rental

    def publish_data(self, renter: Client) -> Dataset:
        """The renter's own labelled texts, readable by nobody else."""
        with self.screen.transfer("sealed dataset to the vault") as progress:
            dataset = publish_dataset(
                renter,
                self.dataset_file,
                title=self.dataset_file.stem,
                task=HYPERPARAMETERS.task,
                drafts=self.stage.data / "drafts",
                progress=progress,
            )
        self.screen.say(f"dataset {dataset.id}: {dataset.rows} rows, sealed {dataset.artifact.size:,} bytes")
        return dataset

    def watch(self, rental: Rental, offer: Offer) -> Rental:
        """Follow the rental to its result, drawing the loss as the worker posts it."""
        renter = self.clients["renter"]
        with self.screen.loss_curve() as curve:
            for update in follow(
                renter,
                rental.id,
                until=lambda now: now.is_over or now.status in ("settling", "disputed"),
                timeout_s=FOLLOW_TIMEOUT_S,
                sleep=self.stage.sleep_while_worker_lives,
            ):
                for event in update.events:
                    self.screen.say(described(event))
                for point in update.progress:
                    now = point.progress
                    curve.add(now.loss, now.step, now.total_steps, now.epoch)
        rental = renter.marketplace.get_rental(rental.id)
        ensure_succeeded(rental)
        if rental.attestation is None or rental.offer != offer.id:
            raise JobFailedError(f"rental {rental.id} is {rental.status!r} without accepted evidence")
        self.report.training_loss = curve.values
        self.report.attestation = rental.attestation.model_dump(mode="json")
        mark = "SIMULATED " if rental.attestation.simulated else ""
        self.screen.warn(
            f"{mark}evidence verified on chain: {rental.attestation.cpu_kind} "
            f"{rental.attestation.chip_id[:16]}…, {len(rental.attestation.gpus)} GPU, "
            f"{len(rental.attestation.claims)} claims valid"
        )
        return rental

    def settle(self, rental: Rental) -> Rental:
        """Accept the result: charges are paid out, the rest is refunded, the bond returns."""
        rental = self.clients["renter"].marketplace.accept_result(rental.id)
        ensure_succeeded(rental)
        assert rental.charges is not None
        self.report.price = {
            name: str(amount) for name, amount in rental.charges.model_dump().items() if name != "slashed"
        }
        self.screen.say(f"rental {rental.id} {rental.status} after {rental.seconds_used} s of compute")
        rows = [
            (name.replace("_", " "), self.tokens(int(amount))) for name, amount in self.report.price.items()
        ]
        self.screen.table("price of the rental", ("what", self.report.token), rows)
        events = all_pages_of_events(self.clients["renter"], rental.id)
        self.report.rental = rental.id
        self.report.statuses = statuses(events)
        return rental

    def evaluate(self, rental: Rental) -> None:
        """Download, open, and score base model and adapter on the held-out lines."""
        adapter = self.stage.folder / "adapter"
        with self.screen.transfer("sealed adapter from the vault") as progress:
            names = download_result(
                self.clients["renter"], rental, adapter, self.stage.data / "work", progress
            )
        self.screen.say(f"adapter opened: {', '.join(names)}")
        scores = score(minilm_folder(), self.dataset_file, adapter)
        base, tuned = scores["base"], scores["adapter"]
        self.report.loss_before, self.report.loss_after = base["loss"], tuned["loss"]
        self.report.accuracy_before, self.report.accuracy_after = base["accuracy"], tuned["accuracy"]
        rows = [
            ("loss", f"{base['loss']:.4f}", f"{tuned['loss']:.4f}"),
            ("accuracy", f"{base['accuracy']:.4f}", f"{tuned['accuracy']:.4f}"),
        ]
        title = f"{base['rows']} held-out lines that the worker never trained on"
        self.screen.table(title, ("", "base model, new head", "with the adapter"), rows)

    def account(self, rental: Rental) -> None:
        """The book of the whole run: sums to zero, and agrees with the ledger."""
        deployer = self.clients["deployer"]
        movements = list(all_pages(deployer.marketplace.movements, lambda movement: movement.index))
        changes = net_changes(movements)
        names = {str(identity.principal): role for role, identity in self.people.items()}
        self.report.amounts = {readable(account, names): str(change) for account, change in changes.items()}
        self.report.amounts_sum = str(sum(changes.values()))
        rows = [
            (account, self.tokens(int(change), sign=True)) for account, change in self.report.amounts.items()
        ]
        rows.append(("sum", self.tokens(sum(changes.values()))))
        self.screen.table("changes in the marketplace's book", ("account", self.report.token), rows)
        held = deployer.marketplace.status().held
        on_ledger = deployer.ledger.balance(deployer.marketplace.id)
        self.screen.say(f"held for people {self.money(held)}, on the ledger {self.money(on_ledger)}")
        if sum(changes.values()) != 0 or held != on_ledger:
            raise JobFailedError("the book does not balance; this is a defect, please report it")

    def money(self, amount: int) -> str:
        """An amount with the token's symbol."""
        return f"{self.tokens(amount)} {self.report.token}"

    def tokens(self, amount: int, *, sign: bool = False) -> str:
        """Base units as people write tokens, all eight places."""
        prefix = "-" if amount < 0 else "+" if sign and amount > 0 else ""
        whole, rest = divmod(abs(amount), TOKEN)
        return f"{prefix}{whole}.{rest:08d}"
