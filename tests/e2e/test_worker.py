"""The worker's daemon as a process: killed, restarted, told to stop, given bad work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leasehold.artifacts import seal_and_upload
from leasehold.identities import IdentityStore
from leasehold.models import Dataset, DatasetArgs, Item, Rental, item_id, new_salt
from leasehold.roles.renter import download_result
from tests.e2e.market import HYPERPARAMETERS, Market

ROOT = Path(__file__).parents[2]
LONG = HYPERPARAMETERS.model_copy(update={"epochs": 100, "learning_rate": 1e-3})
TIMEOUT_S = 120.0


def wait_for(market: Market, rental: int, reached: Callable[[Rental], bool]) -> Rental:
    """Poll the rental until `reached`; bounded, and the last state is shown when it is not."""
    ends = time.monotonic() + TIMEOUT_S
    while True:
        now = market.clients["renter"].marketplace.get_rental(rental)
        if reached(now):
            return now
        assert time.monotonic() < ends, f"rental is still {now.status}: {now.reason}"
        time.sleep(0.1)


@contextmanager
def daemon(market: Market, work: Path) -> Iterator[subprocess.Popen[bytes]]:
    home = market.folder / "home"
    store = IdentityStore(home / "identities")
    if "worker" not in store.names():
        store.save("worker", market.clients["worker"].identity)
    command = [sys.executable, "-m", "leasehold", "--identity", "worker", "--network", market.host.url]
    command += ["--folder", str(market.network.folder), "worker", "run", "--offer", str(market.offer.id)]
    command += ["--evidence", "simulated", "--work-dir", str(work), "--checkpoint-every", "0.5", "--once"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "LEASEHOLD_HOME": str(home)}, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill_trainer(work: Path) -> None:
    """What the kernel does to the trainer when its machine dies: the daemon alone was killed."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"tee_worker.trainer" in line and str(work).encode() in line:
            os.kill(int(entry.name), signal.SIGKILL)


def test_a_killed_worker_goes_on_from_its_checkpoint_after_a_restart(market: Market, tmp_path: Path) -> None:
    rental = market.rent(hyperparameters=LONG)
    work = tmp_path / "work"
    with daemon(market, work) as process:
        wait_for(market, rental.id, lambda now: now.checkpoint is not None)
        process.kill()
        process.wait()
        kill_trainer(work)
    held = market.clients["renter"].marketplace.get_rental(rental.id)
    assert held.status == "running"
    seen = len(market.clients["renter"].marketplace.rental_progress(rental.id))
    with daemon(market, work):
        done = wait_for(market, rental.id, lambda now: now.status == "settling")
    assert done.attempts == 0
    assert done.session == held.session
    points = market.clients["renter"].marketplace.rental_progress(rental.id, seen)
    assert points[0].progress.step > 1, "it began again instead of going on"
    renter = market.clients["renter"]
    accepted = renter.marketplace.accept_result(rental.id)
    assert "training.json" in download_result(renter, accepted, tmp_path / "adapter", tmp_path / "opened")


def test_a_stopped_worker_hands_back_and_another_machine_goes_on_from_the_checkpoint(
    market: Market, tmp_path: Path
) -> None:
    rental = market.rent(hyperparameters=LONG)
    with daemon(market, tmp_path / "first") as process:
        wait_for(market, rental.id, lambda now: now.checkpoint is not None)
        process.terminate()
        process.wait(60)
    handed_back = market.clients["renter"].marketplace.get_rental(rental.id)
    assert handed_back.status == "queued"
    assert handed_back.checkpoint is not None
    assert not any((tmp_path / "first").glob("rental-*")), "something in clear was left"
    seen = len(market.clients["renter"].marketplace.rental_progress(rental.id))
    with daemon(market, tmp_path / "second"):
        done = wait_for(market, rental.id, lambda now: now.status == "settling")
    points = market.clients["renter"].marketplace.rental_progress(rental.id, seen)
    assert points[0].progress.step > 1, "the checkpoint was not used"
    assert done.attestation != handed_back.attestation


def publish_unchecked(market: Market, path: Path, *, sha256: bytes | None = None) -> Dataset:
    """Publish a dataset as a careless or hostile client could: nothing is validated before it is sealed."""
    renter = market.clients["renter"]
    salt = new_salt()
    id = item_id("dataset", renter.principal, salt)
    artifact = seal_and_upload(renter, path, Item.dataset(id), path.parent / "sealing")
    if sha256 is not None:
        artifact = artifact.model_copy(update={"sha256": sha256})
    return renter.marketplace.publish_dataset(
        DatasetArgs(id=id, salt=salt, title="unchecked", rows=1, fee=0, public=False, artifact=artifact)
    )


def reason_of_hand_back(market: Market, dataset: Dataset, work: Path) -> str:
    """Rent with the dataset and let the worker try: why it handed the rental back."""
    renter = market.clients["renter"].marketplace
    escrowed = renter.balances()
    rental = market.rent(datasets=[dataset.id])
    with daemon(market, work):
        handed_back = wait_for(
            market, rental.id, lambda now: now.status == "queued" and now.reason is not None
        )
    assert handed_back.reason is not None
    assert renter.cancel_rental(rental.id).status == "cancelled"
    assert renter.balances() == escrowed, "work that could not be done must cost nothing"
    return handed_back.reason


def test_a_dataset_that_is_not_what_its_record_says_is_never_opened(market: Market, tmp_path: Path) -> None:
    dataset = publish_unchecked(market, market.dataset_file, sha256=bytes(32))
    assert "SHA-256" in reason_of_hand_back(market, dataset, tmp_path / "work")


def test_a_malformed_dataset_is_handed_back_with_the_line(market: Market, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "good day", "label": "up"}\n{"text": "bad day", "label"\n')
    dataset = publish_unchecked(market, broken)
    assert "line 2" in reason_of_hand_back(market, dataset, tmp_path / "work")
