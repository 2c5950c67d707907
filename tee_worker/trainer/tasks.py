"""The kinds of fine-tuning a worker does: one class a task, registered in `TASKS`.

A task turns rows into tensors, says which Hugging Face model class it needs and what its metrics are.
Adding one means writing such a class and registering it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import TaskType
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
)

from tee_worker.errors import DatasetRefused

Row = dict[str, str]
Batch = dict[str, Tensor]
IGNORED_LABEL = -100
"""What torch's cross entropy skips (`ignore_index`)."""


def load_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer; never asks whether to run code, on this machine or another."""
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


class Task(Protocol):
    """What the recipe needs of a task."""

    peft_type: TaskType

    def load_model(self) -> PreTrainedModel: ...
    def collate(self, rows: Sequence[Row]) -> Batch: ...
    def correct(self, batch: Batch, logits: Tensor) -> tuple[int, int]: ...
    def describe(self) -> dict[str, Any]: ...


class TextClassification:
    """`{"text", "label"}` rows; a classification head over the labels, in sorted order."""

    peft_type = TaskType.SEQ_CLS

    def __init__(
        self, folder: Path, rows: Sequence[Row], max_length: int, labels: Sequence[str] | None = None
    ):
        for index, row in enumerate(rows, 1):
            if "label" not in row:
                raise DatasetRefused(f"row {index} has no label; text-classification needs text and label")
        self.labels = list(labels) if labels is not None else sorted({row["label"] for row in rows})
        if len(self.labels) < 2:
            raise DatasetRefused(
                f"the dataset has {len(self.labels)} label(s); classification needs at least 2"
            )
        self.folder = folder
        self.max_length = max_length
        self.tokenizer = load_tokenizer(folder)
        self._index = {label: index for index, label in enumerate(self.labels)}

    def load_model(self) -> PreTrainedModel:
        model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
            self.folder,
            num_labels=len(self.labels),
            id2label=dict(enumerate(self.labels)),
            label2id=self._index,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
        return model

    def collate(self, rows: Sequence[Row]) -> Batch:
        encoded = self.tokenizer(
            [row["text"] for row in rows],
            truncation=True,
            max_length=self.max_length,
            padding=True,
            return_tensors="pt",
        )
        labels = [self._index.get(row["label"], IGNORED_LABEL) for row in rows]
        return {**encoded, "labels": torch.tensor(labels)}

    def correct(self, batch: Batch, logits: Tensor) -> tuple[int, int]:
        hits = logits.argmax(dim=-1) == batch["labels"]
        return int(hits.sum()), int(hits.numel())

    def describe(self) -> dict[str, Any]:
        return {"task": "text-classification", "labels": self.labels}


class CausalLm:
    """`{"text"}` or `{"prompt", "completion"}` rows; the loss counts the completion (or the whole text)."""

    peft_type = TaskType.CAUSAL_LM

    def __init__(
        self, folder: Path, rows: Sequence[Row], max_length: int, labels: Sequence[str] | None = None
    ):
        for index, row in enumerate(rows, 1):
            if "text" not in row and not {"prompt", "completion"} <= row.keys():
                raise DatasetRefused(f"row {index} has neither text nor prompt and completion")
        self.folder = folder
        self.max_length = max_length
        self.tokenizer = load_tokenizer(folder)
        self._pad = self.tokenizer.pad_token_id
        if self._pad is None:
            self._pad = self.tokenizer.eos_token_id or 0

    def load_model(self) -> PreTrainedModel:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            self.folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
        return model

    def collate(self, rows: Sequence[Row]) -> Batch:
        pairs = [self._encode(row) for row in rows]
        width = max(len(ids) for ids, _ in pairs)
        ids = torch.full((len(pairs), width), self._pad)
        mask = torch.zeros((len(pairs), width), dtype=torch.long)
        labels = torch.full((len(pairs), width), IGNORED_LABEL)
        for i, (tokens, start) in enumerate(pairs):
            ids[i, : len(tokens)] = torch.tensor(tokens)
            mask[i, : len(tokens)] = 1
            labels[i, start : len(tokens)] = torch.tensor(tokens[start:])
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    def _encode(self, row: Row) -> tuple[list[int], int]:
        """Token ids, cut to `max_length`, and the first position whose token counts in the loss."""
        if "text" in row:
            return self.tokenizer(row["text"])["input_ids"][: self.max_length], 0
        prompt = self.tokenizer(row["prompt"])["input_ids"]
        completion = self.tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        if self.tokenizer.eos_token_id is not None:
            completion = [*completion, self.tokenizer.eos_token_id]
        return (prompt + completion)[: self.max_length], min(len(prompt), self.max_length)

    def correct(self, batch: Batch, logits: Tensor) -> tuple[int, int]:
        targets = batch["labels"][:, 1:]
        counted = targets != IGNORED_LABEL
        hits = (logits[:, :-1].argmax(dim=-1) == targets) & counted
        return int(hits.sum()), int(counted.sum())

    def describe(self) -> dict[str, Any]:
        return {"task": "causal-lm"}


TASKS: dict[str, Callable[..., Task]] = {"text-classification": TextClassification, "causal-lm": CausalLm}
