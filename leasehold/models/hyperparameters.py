"""Hyperparameters of a fine-tuning job, validated before anything is paid."""

from typing import Literal

from pydantic import ConfigDict, Field

from leasehold.models.base import MAX_NAT64, Model

Task = Literal["text-classification", "causal-lm"]
TASKS: tuple[Task, ...] = ("text-classification", "causal-lm")


class Hyperparameters(Model):
    """How a LoRA adapter is trained.

    `learning_rate` is AdamW's, `max_length` counts tokens, `lora_alpha` scales by alpha / rank, `seed` makes
    runs repeatable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task = "text-classification"
    epochs: int = Field(default=3, ge=1, le=100)
    learning_rate: float = Field(default=2e-3, gt=0, le=1, allow_inf_nan=False)
    batch_size: int = Field(default=16, ge=1, le=1024)
    max_length: int = Field(default=128, ge=8, le=8192)
    lora_rank: int = Field(default=8, ge=1, le=256)
    lora_alpha: int = Field(default=16, ge=1, le=1024)
    lora_dropout: float = Field(default=0.05, ge=0, lt=1, allow_inf_nan=False)
    seed: int = Field(default=42, ge=0, le=MAX_NAT64)
