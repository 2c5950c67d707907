"""Everything that can go wrong in a worker, one class for each failure somebody may handle."""

from leasehold.errors import LeaseholdError


class WorkerError(LeaseholdError):
    """Base of all worker errors; a public reason holds the text, so none of it is of model or data."""

    reason = "worker_error"


class ModelRefused(WorkerError):
    """The model folder holds something a worker never loads (pickle, remote code) or lacks what it needs."""

    reason = "model_refused"


class DatasetRefused(WorkerError):
    """The dataset does not parse or has nothing to train on."""

    reason = "dataset_refused"


class TrainingFailed(WorkerError):
    """The trainer process ended without a result."""

    reason = "training_failed"


class TrainingInterrupted(WorkerError):
    """The trainer was asked to stop; it wrote a checkpoint first."""

    reason = "interrupted"


class EvidenceUnavailable(WorkerError):
    """This machine cannot make the evidence that was asked for."""

    reason = "evidence_unavailable"


class RentalLost(WorkerError):
    """The marketplace no longer counts this worker as the one running the rental."""

    reason = "rental_lost"
