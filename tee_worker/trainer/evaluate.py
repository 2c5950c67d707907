"""Base model against adapter on held-out rows: the same task code as training, no gradients.

python -m tee_worker.trainer.evaluate MODEL DATASET --adapter DIR
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from leasehold.models import Hyperparameters
from tee_worker.errors import DatasetRefused
from tee_worker.trainer.model_folder import check_model_folder
from tee_worker.trainer.rows import read_rows
from tee_worker.trainer.tasks import TASKS, Row, Task


@dataclass(frozen=True)
class Evaluation:
    """Mean cross-entropy loss per batch row, and the share of right labels (or next tokens)."""

    loss: float
    accuracy: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def evaluate(
    model: Path,
    rows: Sequence[Row],
    parameters: Hyperparameters,
    *,
    labels: Sequence[str],
    adapter: Path | None,
) -> Evaluation:
    """Score `rows`. Without an adapter a classification head is untrained, seeded as training seeds it."""
    check_model_folder(model)
    if not rows:
        raise DatasetRefused("no held-out row; mark some lines with split: test")
    torch.manual_seed(parameters.seed)
    task = TASKS[parameters.task](model, rows, parameters.max_length, labels)
    network: torch.nn.Module = task.load_model()
    if adapter is not None:
        network = PeftModel.from_pretrained(network, adapter, use_safetensors=True)
    return _score(network.eval(), task, rows, parameters.batch_size)


def compare(model: Path, dataset: Path, adapter: Path) -> tuple[Evaluation, Evaluation]:
    """The base model and the adapter on the `test` lines of `dataset`, with the adapter's own settings."""
    description = json.loads((adapter / "training.json").read_text("utf-8"))
    parameters = Hyperparameters.model_validate(description["hyperparameters"])
    rows = read_rows([dataset], split="test", task=parameters.task)
    labels = description.get("labels", ())
    before = evaluate(model, rows, parameters, labels=labels, adapter=None)
    after = evaluate(model, rows, parameters, labels=labels, adapter=adapter)
    return before, after


def _score(network: torch.nn.Module, task: Task, rows: Sequence[Row], batch_size: int) -> Evaluation:
    loss, right, counted = 0.0, 0, 0
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            chunk = rows[start : start + batch_size]
            batch = task.collate(chunk)
            output = network(**batch)
            hits, total = task.correct(batch, output.logits)
            loss += float(output.loss) * len(chunk)
            right, counted = right + hits, counted + total
    return Evaluation(loss / len(rows), right / max(counted, 1), len(rows))


def main() -> None:
    """Print both evaluations as one JSON object."""
    import argparse

    from tee_worker.trainer.quiet import quiet_libraries

    quiet_libraries()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--adapter", type=Path, required=True)
    options = parser.parse_args()
    before, after = compare(options.model, options.dataset, options.adapter)
    print(json.dumps({"base": before.as_json(), "adapter": after.as_json()}))


if __name__ == "__main__":
    main()
