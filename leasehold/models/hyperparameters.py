"""Hyperparameters of a fine-tuning job, validated in the marketplace's bounds before anything is paid."""

from typing import Literal

from pydantic import ConfigDict, Field

from leasehold.models.base import Model

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
    learning_rate: float = Field(default=2e-3, ge=1e-8, le=1, allow_inf_nan=False)
    batch_size: int = Field(default=16, ge=1, le=1024)
    max_length: int = Field(default=128, ge=8, le=32_768)
    lora_rank: int = Field(default=8, ge=1, le=512)
    lora_alpha: int = Field(default=16, ge=1, le=4096)
    lora_dropout: float = Field(default=0.05, ge=0, le=0.9, allow_inf_nan=False)
    seed: int = Field(default=42, ge=0, le=(1 << 63) - 1)
