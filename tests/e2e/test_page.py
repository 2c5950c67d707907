"""The web page in a real Chromium, from certified assets to the live loss curve: two people, two views."""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cdk.build import build
from devnet.identity_page.identities import Identities, public_key_der
from devnet.node import Node
from leasehold.agent import Identity
from leasehold.models import Payee, Progress, Rental
from leasehold.network import Client, Network
from leasehold.roles.account import deposit
from leasehold.roles.deployer import DeployOptions, deploy
from leasehold.roles.operator import post_offer
from leasehold.roles.page import create_page, page_url, publish_page
from leasehold.roles.publisher import publish_dataset, publish_listing
from leasehold.roles.renter import rental_args
from leasehold.vetkeys import TransportKey
from tee_worker.evidence import SimulatedProvider
from tests.e2e.market import HYPERPARAMETERS, RATE, TOKEN
from tests.network import skipped_when_given

pytestmark = skipped_when_given("signs in with keys of the node's development sign-in")

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
SCRIPT = Path(__file__).parent / "page" / "two_people.mjs"
SCREENSHOT = "LEASEHOLD_SCREENSHOT"
BROWSER_TIMEOUT_S = 120
STEPS = 40


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser; skips the test where it, Node.js or the built page is missing."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is missing: `apt-get install chromium`, or give its path as $CHROMIUM")
    if shutil.which("node") is None or not (FRONTEND / "node_modules" / "playwright-core").is_dir():
        pytest.skip("Node.js and the page's packages are needed; `make page` installs them with npm")
    if not (FRONTEND / "dist" / "index.html").is_file():
        pytest.skip("the page is not built; `make page` builds it with npm")
    return found


class Stage:
    """A small market, its page, and two people with a rental each."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.folder = folder
        self.people = {name: Identity.generate() for name in ("deployer", "publisher", "operator", "worker")}
        network = Network(node.url, {}, node.root_key, folder / ".leasehold")
        page = create_page(network, self.people["deployer"])
        self.url = page_url(network, page)
        identities = Identities(node.keys, None)
        for name in ("Alice", "Bob"):
            identities.create(name)
            key = identities.key(name, self.url).private_bytes_raw()
            self.people[name] = Identity.from_ed25519(key)
        modules = {name: build(name).packed for name in ("ledger", "vault", "marketplace")}
        funded = {self.people[name].principal: 100 * TOKEN for name in ("Alice", "Bob", "operator")}
        options = DeployOptions(initial_balances=funded)
        network, _ = deploy(network, self.people["deployer"], modules, options)
        self.network, _ = publish_page(
            network, self.people["deployer"], page, build("frontend").packed, FRONTEND / "dist"
        )

    @contextmanager
    def connected(self) -> Iterator[dict[str, Client]]:
        with self.network.connect(self.people["deployer"]) as first:
            yield {name: first.with_identity(identity) for name, identity in self.people.items()}


def list_model(client: Client, folder: Path) -> str:
    """A model that nobody trains here: only its listing is looked at."""
    model = folder / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "bert"}')
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (model / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    payees = [Payee(account=client.principal, basis_points=10_000)]
    return publish_listing(
        client,
        model,
        title="MiniLM-L6 sentence encoder",
        description="22.7 M parameters, 384 dimensions, English.",
        base_model="all-MiniLM-L6-v2",
        fee=2 * TOKEN,
        payees=payees,
        drafts=folder / "drafts",
    ).id


def rent(client: Client, listing: str, folder: Path) -> Rental:
    rows = folder / f"{client.principal}.jsonl"
    rows.write_text('{"text": "good", "label": "up"}\n{"text": "bad", "label": "down"}\n')
    dataset = publish_dataset(
        client, rows, title="reviews", task="text-classification", drafts=folder / "drafts"
    )
    deposit(client, 50 * TOKEN)
    arguments = rental_args(
        listing=listing,
        datasets=[dataset.id],
        hyperparameters=HYPERPARAMETERS,
        policy="simulated",
        max_rate_per_second=RATE,
        max_duration_s=600,
    )
    return client.marketplace.create_rental(arguments)


def start_job(clients: dict[str, Client], offer: int, rental: int) -> Client:
    """The worker's part by hand up to `running`; answers the attested session."""
    worker, session = clients["worker"], Identity.generate()
    job = worker.marketplace.claim_rental(offer, rental)
    bundle = SimulatedProvider("test machine").collect(
        nonce=worker.marketplace.begin_attestation(rental).nonce,
        operator=job.operator.raw,
        session_public_key=session.public_key_der,
        transport_public_key=TransportKey.generate().public_key,
    )
    attested = worker.with_identity(session)
    attested.marketplace.submit_attestation(rental, bundle)
    return attested


def progress(first: int, last: int) -> list[Progress]:
    return [
        Progress(
            step=step,
            total_steps=STEPS,
            epoch=step / 10,
            loss=0.15 + 1.5 * math.exp(-step / 12) + 0.05 * math.sin(step),
            eval_loss=0.2 + 1.4 * math.exp(-step / 11) if step % 10 == 0 else None,
            eval_accuracy=0.95 if step % 10 == 0 else None,
        )
        for step in range(first, last + 1)
    ]


class Browser:
    """The script in the browser, which reports as it goes."""

    def __init__(self, url: str, chromium: str) -> None:
        command = ["node", "--input-type=module", "--eval", SCRIPT.read_text(), "--", url, chromium]
        if target := os.environ.get(SCREENSHOT):
            command.append(str(Path(target).resolve()))
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=FRONTEND, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def next(self, what: str) -> dict[str, Any]:
        """What was seen at the next point of the story."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            pytest.fail(f"the browser ended before {what!r}:\n{self._process.communicate()[1][-3000:]}")
        seen: dict[str, Any] = json.loads(line)
        assert seen["what"] == what
        return seen

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def close(self) -> None:
        try:
            self._process.communicate(timeout=BROWSER_TIMEOUT_S)
        finally:
            self._process.kill()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Node.start() as node:
        yield Stage(node, tmp_path)


def test_two_people_sign_in_and_each_sees_only_their_own_rentals(stage: Stage, chromium: str) -> None:
    with stage.connected() as clients:
        listing = list_model(clients["publisher"], stage.folder)
        deposit(clients["operator"], 20 * TOKEN)
        offer = post_offer(
            clients["operator"],
            title="A simulated machine",
            rate_per_second=RATE,
            max_duration_s=600,
            hardware="2 cores, SIMULATED SEV-SNP and GPU",
            policies=["simulated"],
            worker=clients["worker"].principal,
        ).id
        alices, bobs = (rent(clients[name], listing, stage.folder) for name in ("Alice", "Bob"))
        session = start_job(clients, offer, alices.id).marketplace
        session.post_progress(alices.id, progress(1, 20))
        browser = Browser(stage.url, chromium)
        try:
            watch(browser, stage, session, alices, bobs)
        finally:
            browser.close()


def watch(browser: Browser, stage: Stage, session: Any, alices: Rental, bobs: Rental) -> None:
    """The browser's story, and the job that goes on meanwhile."""
    principals = {name: str(stage.people[name].principal) for name in ("Alice", "Bob")}
    stranger = browser.next("stranger")
    assert stranger["models"] == ["MiniLM-L6 sentence encoder", "A simulated machine"]
    assert "SIMULATED" in stranger["notice"][0]
    assert stranger["rentals"] == 0

    alice = browser.next("alice")
    assert (alice["principal"], alice["marked"]) == (principals["Alice"], 1)
    assert [row.split()[0] for row in alice["rows"]] == [f"#{alices.id}"]
    assert "SIMULATED" in alice["rows"][0]
    assert (alice["phase"], alice["points"]) == (["running"], 1)
    assert alice["caption"].startswith(f"Step 20 of {STEPS}")
    assert len(alice["claims"]) > 5
    assert all("✓ valid" in claim for claim in alice["claims"])
    assert alice["simulated"] >= 3

    session.post_progress(alices.id, progress(21, STEPS))
    browser.go_on()
    live = browser.next("live")
    assert live["caption"].startswith(f"Step {STEPS} of {STEPS}")
    assert browser.next("phone")["overflow"] <= 0
    assert browser.next("reloaded")["principal"] == principals["Alice"]
    assert browser.next("signed out")["claims"] == 0

    bob = browser.next("bob")
    assert bob["principal"] == principals["Bob"]
    assert [row.split()[0] for row in bob["rows"]] == [f"#{bobs.id}"]
    assert "queued" in bob["rows"][0]
    assert "not yours" in bob["stranger"][0] or "may see this" in bob["stranger"][0]
    assert bob["claims"] == 0
    assert browser.next("end")["problems"] == []

    chosen = browser.next("chosen")
    assert (chosen["offered"], chosen["principal"]) == (["Alice", "Bob"], principals["Alice"])
    cancelled = browser.next("cancelled")
    assert "cancelled" in cancelled["problem"][0]
    assert cancelled["signedIn"] == 0


@pytest.fixture
def shared_page(tmp_path: Path) -> Iterator[tuple[Node, str]]:
    """A node, and a page that lets `http://localhost` of this node use the identities people have with it."""
    owner, dist = Identity.generate(), tmp_path / "dist"
    with Node.start() as node:
        (dist / ".well-known").mkdir(parents=True)
        (dist / "index.html").write_text("shared")
        allowed = {"alternativeOrigins": [f"http://localhost:{node.port}"]}
        (dist / ".well-known" / "ii-alternative-origins").write_text(json.dumps(allowed))
        ids = dict.fromkeys(("marketplace", "vault", "ledger"), "aaaaa-aa")
        network = Network(node.url, ids, node.root_key, tmp_path / ".leasehold")
        page = create_page(network, owner)
        publish_page(network, owner, page, build("frontend").packed, dist)
        yield node, page_url(network, page)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_listed_origin_may_use_the_identities_of_another_and_no_other_may(
    shared_page: tuple[Node, str], chromium: str, host: str
) -> None:
    node, url = shared_page
    script = (Path(__file__).parent / "page" / "derivation_origin.mjs").read_text()
    words = [f"http://{host}:{node.port}", url, f"http://id.ai.localhost:{node.port}/authorize", chromium]
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", script, "--", *words],
        cwd=FRONTEND,
        capture_output=True,
        text=True,
        timeout=BROWSER_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers["status"]["result"] == "ready"
    names = {one["name"] for one in answers["standards"]["result"]["supportedStandards"]}
    assert names == {"ICRC-25", "ICRC-29", "ICRC-34", "ICRC-95"}
    assert answers["unknown"]["error"]["code"] == 2000
    if host == "127.0.0.1":
        assert "does not list" in answers["delegation"]["error"]["message"]
        return
    assert url in answers["asked"]
    identities = Identities(node.keys, None)
    identities.create("Alice")
    key = public_key_der(identities.key("Alice", url))
    assert base64.b64decode(answers["delegation"]["result"]["publicKey"]) == key
