"""What the supervisor hands to the trainer process, and what the trainer tells it back.

The job is one JSON file; the messages are JSON Lines on the trainer's standard output, one object a line with
an `event` field. Both sides validate with the same models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from leasehold.models import Hyperparameters


class TrainingJob(BaseModel):
    """One fine-tuning run: where its inputs lie in clear (inside the TEE) and where its output goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    datasets: tuple[Path, ...] = Field(min_length=1)
    output: Path
    checkpoints: Path
    hyperparameters: Hyperparameters
    checkpoint_every_s: float = Field(default=60.0, gt=0)
    threads: int = Field(default=0, ge=0, description="CPU threads, 0 lets torch choose")


class ProgressMessage(BaseModel):
    """One optimiser step done, or an evaluation (`eval_*` filled) at the end of an epoch."""

    event: Literal["progress"] = "progress"
    step: int
    total_steps: int
    epoch: float
    loss: float
    eval_loss: float | None = None
    eval_accuracy: float | None = None


class CheckpointMessage(BaseModel):
    """A complete checkpoint folder was written."""

    event: Literal["checkpoint"] = "checkpoint"
    step: int
    path: Path


class DoneMessage(BaseModel):
    """The adapter folder is complete; `metrics` is what goes into the result."""

    event: Literal["done"] = "done"
    path: Path
    metrics: dict[str, float]


class FailedMessage(BaseModel):
    """The job cannot be done; `reason` is the error class's word."""

    event: Literal["failed"] = "failed"
    reason: str
    message: str


Message = Annotated[
    ProgressMessage | CheckpointMessage | DoneMessage | FailedMessage, Field(discriminator="event")
]
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)
