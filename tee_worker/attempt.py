"""One attempt at one rental: attest, unseal, train, checkpoint, seal, submit.

Reads like the recipe it is. Each step may be repeated: a restarted worker comes back here with the same
session and transport keys (`journal.Attempt`) and goes on where the marketplace says the rental is.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from leasehold.agent import Identity
from leasehold.artifacts import fetch_and_open, seal_and_upload
from leasehold.errors import InvalidState, LeaseholdError, NotAuthorized
from leasehold.models import Artifact, AttestationRecord, Item, Job, Progress
from leasehold.network import Client
from leasehold.sealing import hash_file, pack_folder, unpack_archive
from leasehold.vetkeys import TransportKey
from tee_worker.attesting import Attester
from tee_worker.errors import RentalLost, TrainingFailed, TrainingInterrupted
from tee_worker.evidence import EvidenceProvider
from tee_worker.journal import Attempt
from tee_worker.trainer.job import (
    CheckpointMessage,
    DoneMessage,
    FailedMessage,
    ProgressMessage,
    TrainingJob,
)
from tee_worker.trainer_process import TrainerProcess

REPORT_EVERY_S = 0.5
"""At most this often progress is posted."""
HEARTBEAT_EVERY_S = 30.0
"""At least this often the marketplace hears from a running rental."""
MAX_POINTS_PER_POST = 64
STALLED_AFTER_S = 1800.0
"""A trainer that is silent for so long is given up: a tokenizer's pattern can keep it busy for ever."""

Tell = Callable[[str], None]


class RunningAttempt:
    """Carries one claimed `job` to its submitted result; `run` raises the reason when it cannot."""

    def __init__(
        self,
        worker: Client,
        job: Job,
        keys: Attempt,
        evidence: EvidenceProvider,
        folder: Path,
        tell: Tell,
        should_stop: Callable[[], bool],
        checkpoint_every_s: float,
    ) -> None:
        self.worker, self.job, self.evidence, self.folder = worker, job, evidence, folder
        self.tell, self.should_stop, self.checkpoint_every_s = tell, should_stop, checkpoint_every_s
        self.session_identity = Identity.from_ed25519(keys.session_seed)
        self.session = worker.with_identity(self.session_identity)
        self.transport = TransportKey.from_bytes(keys.transport_secret)
        self.rental = keys.rental
        self._last_post = time.monotonic()
        self._pending: list[Progress] = []

    def run(self) -> Artifact:
        """The whole attempt; answers the submitted result."""
        if not self.is_attested():
            self.attest()
        model = self.open_model()
        datasets = self.open_datasets()
        self.open_checkpoint()
        adapter, metrics = self.train(model, datasets)
        return self.submit(adapter, metrics)

    def is_attested(self) -> bool:
        """Whether this attempt's session already runs the rental (a restarted worker)."""
        rental = self.worker.marketplace.get_rental(self.rental)
        return rental.status == "running" and rental.session == self.session_identity.principal

    def attest(self) -> AttestationRecord:
        """Evidence bound to a fresh nonce and this attempt's keys; refused evidence raises its rows."""
        attester = Attester(self.worker, self.session, self.evidence, self.tell)
        operator, policy = self.job.operator.raw, self.job.policy
        return attester.attest(self.rental, operator, policy, self.transport.public_key)

    def open_model(self) -> Path:
        """The model folder in clear, unpacked."""
        target = self.folder / "model"
        if not (target / ".complete").exists():
            archive = self.folder / "model.tar"
            self._open(self.job.listing.artifact, Item.listing(self.job.listing.id), archive)
            shutil.rmtree(target, ignore_errors=True)
            unpack_archive(archive, target, kind="model")
            archive.unlink()
            (target / ".complete").touch()
        self.tell(f"rental {self.rental}: model unsealed")
        return target

    def open_datasets(self) -> tuple[Path, ...]:
        """Each dataset in clear."""
        opened = []
        for dataset in self.job.datasets:
            target = self.folder / f"dataset-{dataset.id}.jsonl"
            if not target.exists():
                self._open(dataset.artifact, Item.dataset(dataset.id), target)
            opened.append(target)
        self.tell(f"rental {self.rental}: {len(opened)} dataset(s) unsealed")
        return tuple(opened)

    def open_checkpoint(self) -> None:
        """An earlier attempt's checkpoint, unless this machine has a newer one of its own."""
        folder = self.folder / "checkpoints"
        if self.job.checkpoint is None or any(folder.glob("step-*")):
            return
        archive = self.folder / "checkpoint.tar"
        self._open(self.job.checkpoint, Item.checkpoint(self.rental), archive)
        unpack_archive(archive, folder / "step-00000000", kind="checkpoint")
        archive.unlink()
        self.tell(f"rental {self.rental}: going on from the last checkpoint")

    def _open(self, artifact: Artifact, item: Item, target: Path) -> None:
        staging = target.with_name(target.name + ".opening")
        fetch_and_open(
            self.session,
            artifact,
            item,
            staging,
            self.folder,
            rental=self.rental,
            transport=self.transport,
            progress=lambda done, total: self.heartbeat(),
        )
        staging.replace(target)

    def _seal_and_upload(self, archive: Path, item: Item) -> Artifact:
        return seal_and_upload(
            self.session, archive, item, self.folder, progress=lambda done, total: self.heartbeat()
        )

    def train(self, model: Path, datasets: tuple[Path, ...]) -> tuple[Path, dict[str, float]]:
        """Run the trainer process and pass its progress on; answers the adapter folder and its metrics."""
        job = TrainingJob(
            model=model,
            datasets=datasets,
            output=self.folder / "adapter",
            checkpoints=self.folder / "checkpoints",
            hyperparameters=self.job.hyperparameters,
            checkpoint_every_s=self.checkpoint_every_s,
        )
        done: DoneMessage | None = None
        stopping = False
        heard = time.monotonic()
        with TrainerProcess(job, self.folder) as trainer:
            for message in trainer.messages(poll_s=REPORT_EVERY_S):
                if message is not None:
                    heard = time.monotonic()
                elif time.monotonic() - heard >= STALLED_AFTER_S:
                    raise TrainingFailed(f"the trainer made no step for {STALLED_AFTER_S:.0f} s")
                match message:
                    case ProgressMessage():
                        self._pending.append(Progress.model_validate(message.model_dump(exclude={"event"})))
                    case CheckpointMessage():
                        self.submit_checkpoint(message.path)
                    case FailedMessage():
                        raise TrainingFailed(f"{message.reason}: {message.message}")
                    case DoneMessage():
                        done = message
                self.report()
                if self.should_stop() and not stopping:
                    stopping = True
                    trainer.stop()
            status = trainer.exit_status
            if done is None and stopping:
                raise TrainingInterrupted("the worker is shutting down; the last checkpoint is kept")
            if done is None:
                raise TrainingFailed(f"the trainer ended with status {status}")
        self.report(force=True)
        return done.path, done.metrics

    def report(self, *, force: bool = False) -> None:
        """Post pending progress when it is time; raises `RentalLost` when the rental is no longer ours."""
        due = REPORT_EVERY_S if self._pending else HEARTBEAT_EVERY_S
        if not force and time.monotonic() - self._last_post < due:
            return
        points, self._pending = self._pending, []
        for start in range(0, max(len(points), 1), MAX_POINTS_PER_POST):
            self._post(points[start : start + MAX_POINTS_PER_POST])

    def heartbeat(self) -> None:
        """A progress post without points, when none was sent for a while."""
        if time.monotonic() - self._last_post >= HEARTBEAT_EVERY_S:
            self._post([])

    def _post(self, points: list[Progress]) -> None:
        self._last_post = time.monotonic()
        try:
            self.session.marketplace.post_progress(self.rental, points)
        except (InvalidState, NotAuthorized) as error:
            raise RentalLost(f"rental {self.rental} is no longer this worker's: {error}") from error

    def submit_checkpoint(self, path: Path) -> None:
        """Seal a checkpoint folder and hand it in; the operator's earned share grows with it."""
        archive = self.folder / "checkpoint-out.tar"
        pack_folder(path, archive, kind="checkpoint")
        artifact = self._seal_and_upload(archive, Item.checkpoint(self.rental))
        try:
            self.session.marketplace.submit_checkpoint(self.rental, artifact)
        except (InvalidState, NotAuthorized) as error:
            raise RentalLost(f"rental {self.rental} is no longer this worker's: {error}") from error
        self._last_post = time.monotonic()
        self.tell(f"rental {self.rental}: checkpoint {path.name} sealed and submitted")

    def submit(self, adapter: Path, metrics: dict[str, float]) -> Artifact:
        """Seal the adapter to the renter, upload it, hand it in: the meter stops."""
        archive = self.folder / "adapter.tar"
        pack_folder(adapter, archive, kind="adapter")
        artifact = self._seal_and_upload(archive, Item.result(self.rental))
        summary = {**metrics, "adapter_sha256": hash_file(archive).hex()}
        self.session.marketplace.submit_result(self.rental, artifact, json.dumps(summary, sort_keys=True))
        self.tell(f"rental {self.rental}: adapter sealed and submitted ({artifact.size} bytes)")
        return artifact


def failure_reason(error: Exception) -> str:
    """One bounded line for the rental's log; holds nothing of model or data."""
    reason = getattr(error, "reason", None)
    kind = reason if isinstance(reason, str) else type(error).__name__
    text = str(error) if isinstance(error, LeaseholdError) else ""
    shown = "".join(letter if letter.isprintable() else " " for letter in f"{kind}: {text}"[:200])
    return shown.rstrip(": ")
