"""The LoRA recipe: load, wrap, train, checkpoint, save. Reads from top to bottom."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from leasehold.models import Hyperparameters
from tee_worker.errors import DatasetRefused, TrainingFailed, TrainingInterrupted
from tee_worker.trainer import checkpoint
from tee_worker.trainer.job import CheckpointMessage, DoneMessage, Message, ProgressMessage, TrainingJob
from tee_worker.trainer.model_folder import check_model_folder
from tee_worker.trainer.rows import read_rows
from tee_worker.trainer.tasks import TASKS, Row, Task

WARMUP_SHARE = 0.06
MAX_GRADIENT_NORM = 1.0
MAX_STEPS = 1_000_000


def train(job: TrainingJob, tell: Callable[[Message], None], should_stop: Callable[[], bool]) -> Path:
    """Run `job` to its end and answer the adapter folder; progress goes to `tell`.

    Resumes from the newest checkpoint under `job.checkpoints`. Raises `ModelRefused`, `DatasetRefused`, or
    `TrainingInterrupted` once `should_stop` said so and a checkpoint was written.
    """
    check_model_folder(job.model)
    rows = read_rows(job.datasets, split="train", task=job.hyperparameters.task)
    if not rows:
        raise DatasetRefused("no row is for training; every line says split: test")
    parameters = job.hyperparameters
    if job.threads:
        torch.set_num_threads(job.threads)
    torch.manual_seed(parameters.seed)
    task = TASKS[parameters.task](job.model, rows, parameters.max_length)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = get_peft_model(task.load_model(), lora_config(task, parameters)).to(device)
    run = _Run(job, task, model, rows, device)
    run.resume()
    run.loop(tell, should_stop)
    folder = save_adapter(job.output, model, task, parameters, run.metrics())
    tell(DoneMessage(path=folder, metrics=run.metrics()))
    return folder


def lora_config(task: Task, parameters: Hyperparameters) -> LoraConfig:
    """LoRA on every linear layer but the output head (arXiv:2106.09685, arXiv:2305.14314)."""
    return LoraConfig(
        task_type=task.peft_type,
        r=parameters.lora_rank,
        lora_alpha=parameters.lora_alpha,
        lora_dropout=parameters.lora_dropout,
        target_modules="all-linear",
        bias="none",
    )


def save_adapter(
    folder: Path, model: PeftModel, task: Task, parameters: Hyperparameters, metrics: dict[str, float]
) -> Path:
    """Standard adapter files plus `training.json` (labels, hyperparameters, metrics)."""
    folder.mkdir(parents=True, exist_ok=True)
    model.peft_config[
        "default"
    ].base_model_name_or_path = ""  # a path of this machine means nothing to others
    model.save_pretrained(str(folder), safe_serialization=True)
    (folder / "README.md").unlink(missing_ok=True)
    description: dict[str, Any] = {
        **task.describe(),
        "hyperparameters": parameters.model_dump(mode="json"),
        "metrics": metrics,
    }
    (folder / "training.json").write_text(json.dumps(description, indent=2, sort_keys=True) + "\n")
    return folder


class _Run:
    """The state of one training run between its steps."""

    def __init__(
        self, job: TrainingJob, task: Task, model: PeftModel, rows: Sequence[Row], device: torch.device
    ) -> None:
        self.job, self.task, self.model, self.rows, self.device = job, task, model, rows, device
        parameters = job.hyperparameters
        self.steps_per_epoch = math.ceil(len(rows) / parameters.batch_size)
        self.total_steps = self.steps_per_epoch * parameters.epochs
        if self.total_steps > MAX_STEPS:
            raise DatasetRefused(f"{self.total_steps} optimiser steps; at most {MAX_STEPS} are allowed")
        trainable = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trainable, lr=parameters.learning_rate, weight_decay=0.01)
        self.step = 0
        self.first_loss: float | None = None
        self.last_losses: list[float] = []

    def resume(self) -> None:
        found = checkpoint.latest(self.job.checkpoints)
        if found is not None:
            self.step = checkpoint.restore(found, self.model, self.optimizer).step

    def loop(self, tell: Callable[[Message], None], should_stop: Callable[[], bool]) -> None:
        self.model.train()
        saved_at = time.monotonic()
        for batch_rows in self._batches():
            # Dropout follows the step, not the process: a resumed run repeats the uninterrupted one.
            torch.manual_seed(self.job.hyperparameters.seed * 1_000_003 + self.step)
            loss = self._one_step(batch_rows)
            tell(self._progress(loss))
            stop = should_stop()
            if stop or time.monotonic() - saved_at >= self.job.checkpoint_every_s:
                tell(self._checkpoint())
                saved_at = time.monotonic()
            if stop:
                raise TrainingInterrupted(
                    f"stopped at step {self.step} of {self.total_steps}, checkpoint written"
                )

    def _batches(self) -> Iterator[Sequence[Row]]:
        size = self.job.hyperparameters.batch_size
        while self.step < self.total_steps:
            epoch, done = divmod(self.step, self.steps_per_epoch)
            order = list(range(len(self.rows)))
            random.Random(f"{self.job.hyperparameters.seed}/{epoch}").shuffle(order)
            for start in range(done * size, len(order), size):
                yield [self.rows[i] for i in order[start : start + size]]

    def _one_step(self, rows: Sequence[Row]) -> float:
        batch = {name: tensor.to(self.device) for name, tensor in self.task.collate(rows).items()}
        loss = self.model(**batch).loss
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingFailed(f"the loss became {value} at step {self.step + 1}; lower the learning rate")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(
            [p for p in self.model.parameters() if p.requires_grad], MAX_GRADIENT_NORM
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.job.hyperparameters.learning_rate * self._rate_factor()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.first_loss = value if self.first_loss is None else self.first_loss
        self.last_losses = [*self.last_losses, value][-self.steps_per_epoch :]
        return value

    def _rate_factor(self) -> float:
        """Linear warm-up, then linear decay; a function of the step alone, so resuming needs no state."""
        warmup = max(1, round(self.total_steps * WARMUP_SHARE))
        if self.step < warmup:
            return (self.step + 1) / warmup
        return (self.total_steps - self.step) / max(1, self.total_steps - warmup)

    def _progress(self, loss: float) -> ProgressMessage:
        return ProgressMessage(
            step=self.step, total_steps=self.total_steps, epoch=self.step / self.steps_per_epoch, loss=loss
        )

    def _checkpoint(self) -> CheckpointMessage:
        position = checkpoint.Position(self.step, self.total_steps)
        path = checkpoint.save(self.job.checkpoints, self.model, self.optimizer, position)
        return CheckpointMessage(step=self.step, path=path)

    def metrics(self) -> dict[str, float]:
        """First loss seen, mean loss of the last epoch, steps."""
        last = sum(self.last_losses) / len(self.last_losses) if self.last_losses else math.nan
        return {
            "loss_first": round(self.first_loss if self.first_loss is not None else last, 6),
            "loss_last_epoch": round(last, 6),
            "steps": float(self.total_steps),
            "rows": float(len(self.rows)),
        }
