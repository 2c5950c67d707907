"""The worker's loop: find a rental, carry it, clean up, again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from leasehold.errors import CanisterError, EvidenceRefused, LeaseholdError
from leasehold.models import Job
from leasehold.network import Client
from leasehold.vetkeys import TransportKey
from tee_worker.attempt import RunningAttempt, Tell, failure_reason
from tee_worker.errors import RentalLost
from tee_worker.evidence import EvidenceProvider
from tee_worker.journal import Attempt, Journal

POLL_EVERY_S = 1.0
RETRY_AFTER_S = 30.0
"""How long a rental that failed here is left to other workers."""
MAX_TRIES = 2
"""How often one rental is tried here; after that it is handed back unopened."""
MAX_BACKOFF_S = 30.0


@dataclass(frozen=True)
class Setback:
    """A rental this worker could not carry or claim: `until` when it is left alone, and why."""

    until: float = 0.0
    failures: int = 0
    reason: str = ""


class Supervisor:
    """Serves one offer until it is told to stop."""

    def __init__(
        self,
        client: Client,
        offer: int,
        evidence: EvidenceProvider,
        folder: Path,
        *,
        tell: Tell,
        should_stop: Callable[[], bool],
        checkpoint_every_s: float = 60.0,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client, self.offer, self.evidence = client, offer, evidence
        self.folder, self.tell, self.should_stop = folder, tell, should_stop
        self.checkpoint_every_s = checkpoint_every_s
        self.sleep = sleep
        self.journal = Journal(folder)
        self.clock = clock
        self._setbacks: dict[int, Setback] = {}

    def serve(self, *, once: bool = False) -> int:
        """Carry rentals as they come, with `once` only one; answers how many results were submitted."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        submitted, backoff = 0, POLL_EVERY_S
        while not self.should_stop():
            try:
                claimed = self._resume() or self._claim_next()
            except LeaseholdError as error:
                self.tell(f"no rental could be looked for ({error}); trying again in {backoff:.0f} s")
                self.sleep(backoff)
                backoff = min(2 * backoff, MAX_BACKOFF_S)
                continue
            backoff = POLL_EVERY_S
            if claimed is None:
                self.sleep(POLL_EVERY_S)
                continue
            submitted += self._carry(*claimed)
            if once:
                break
        return submitted

    def _claim_next(self) -> tuple[Job, Attempt] | None:
        rental = self.client.marketplace.next_job(self.offer)
        if rental is None:
            return None
        setback = self._setbacks.get(rental, Setback())
        if self.clock() < setback.until:
            return None
        try:
            job = self.client.marketplace.claim_rental(self.offer, rental)
        except CanisterError as error:  # another worker was quicker, or the bond is not covered yet
            self.tell(f"rental {rental} could not be claimed: {error}")
            self._setbacks[rental] = replace(setback, until=self.clock() + RETRY_AFTER_S)
            return None
        if setback.failures >= MAX_TRIES:
            # It keeps others from this worker until it was handed back often enough to be named no more.
            self._hand_back(rental, setback.reason)
            return None
        attempt = Attempt(
            offer=self.offer,
            rental=rental,
            session_seed=os.urandom(32),
            transport_secret=TransportKey.generate().to_bytes(),
        )
        self.journal.write(attempt)
        self.tell(f"rental {rental}: claimed")
        return job, attempt

    def _resume(self) -> tuple[Job, Attempt] | None:
        """The attempt a killed worker left behind, if the marketplace still counts it as ours."""
        attempt = self.journal.read()
        if attempt is None:
            return None
        try:
            # Claiming again what this worker already holds answers the same job.
            job = self.client.marketplace.claim_rental(attempt.offer, attempt.rental)
        except CanisterError as error:
            self.tell(f"rental {attempt.rental} is no longer ours: {error}")
            self._forget(attempt)
            return None
        self.tell(f"rental {attempt.rental}: going on after a restart")
        return job, attempt

    def _carry(self, job: Job, attempt: Attempt) -> int:
        folder = self.folder / f"rental-{attempt.rental}"
        folder.mkdir(mode=0o700, exist_ok=True)
        running = RunningAttempt(
            self.client,
            job,
            attempt,
            self.evidence,
            folder,
            self.tell,
            self.should_stop,
            self.checkpoint_every_s,
        )
        try:
            running.run()
        except EvidenceRefused as error:
            self.tell(f"rental {attempt.rental}: evidence refused: {error}")
            if self._still_attesting(attempt.rental):
                # It was not looked at: left alone, the deadline would cost a part of the bond.
                self._hand_back(attempt.rental, failure_reason(error))
            else:  # what a vendor states may be newer then; refused twice, the marketplace names it no more
                self._note_failure(attempt.rental, failure_reason(error))
        except RentalLost as error:
            self.tell(str(error))
        except Exception as error:  # whatever a hostile model or dataset provokes, the next rental is served
            self._hand_back(attempt.rental, failure_reason(error))
        else:
            self._forget(attempt)
            return 1
        self._forget(attempt)
        return 0

    def _still_attesting(self, rental: int) -> bool:
        try:
            now = self.client.marketplace.get_rental(rental)
        except LeaseholdError:
            return False
        return now.status == "attesting" and now.worker == self.client.principal

    def _hand_back(self, rental: int, reason: str) -> None:
        self.tell(f"rental {rental}: handed back: {reason}")
        self._note_failure(rental, reason)
        try:
            self.client.marketplace.return_rental(rental, reason)
        except LeaseholdError as refusal:
            self.tell(f"rental {rental}: could not be handed back ({refusal}); its deadline will")

    def _note_failure(self, rental: int, reason: str) -> None:
        failures = self._setbacks.get(rental, Setback()).failures + 1
        self._setbacks[rental] = Setback(self.clock() + RETRY_AFTER_S, failures, reason)

    def _forget(self, attempt: Attempt) -> None:
        """Nothing in clear stays: not the model, the data, the keys."""
        shutil.rmtree(self.folder / f"rental-{attempt.rental}", ignore_errors=True)
        self.journal.clear()
