"""Checkpoints of a training run: trainable weights, optimiser state and position, in `safetensors` and JSON.

No pickle on the way in or out: a checkpoint comes back through the vault and is untrusted until its
SHA-256 matched, and harmless even then.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tee_worker.errors import WorkerError


@dataclass(frozen=True)
class Position:
    """How far a run is: optimiser steps done, of how many."""

    step: int
    total_steps: int


def save(folder: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, position: Position) -> Path:
    """Write `folder/step-N` completely, or not at all, and remove older ones."""
    target = folder / f"step-{position.step:08d}"
    staging = folder / f".writing-{position.step:08d}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    save_file(_trainable(model), staging / "trainable.safetensors")
    save_file(_optimizer_tensors(optimizer), staging / "optimizer.safetensors")
    (staging / "position.json").write_text(json.dumps(asdict(position)))
    shutil.rmtree(target, ignore_errors=True)
    staging.rename(target)
    for old in folder.glob("step-*"):
        if old != target:
            shutil.rmtree(old)
    return target


def latest(folder: Path) -> Path | None:
    """The newest complete checkpoint under `folder`, or None."""
    found = sorted(folder.glob("step-*"))
    return found[-1] if found else None


def restore(path: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Position:
    """Put a checkpoint's state into `model` and `optimizer`; raises `WorkerError` when it does not fit."""
    position = Position(**json.loads((path / "position.json").read_text("utf-8")))
    weights = load_file(path / "trainable.safetensors")
    parameters = dict(model.named_parameters())
    if weights.keys() != _trainable(model).keys():
        raise WorkerError(f"checkpoint {path.name} is of another model or other hyperparameters")
    with torch.no_grad():
        for name, tensor in weights.items():
            parameters[name].copy_(tensor)
    _restore_optimizer(optimizer, load_file(path / "optimizer.safetensors"))
    return position


def _trainable(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().contiguous() for name, p in model.named_parameters() if p.requires_grad}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{i}.{k}": v.contiguous() for i, slots in state.items() for k, v in slots.items()}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, slot = name.split(".", 1)
        state.setdefault(int(index), {})[slot] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
