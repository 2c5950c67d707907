"""Which model folders a worker loads: the Hugging Face layout, `safetensors` weights, nothing executable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from leasehold.sealing.archive import CODE_SUFFIXES, PICKLE_SUFFIXES
from tee_worker.errors import ModelRefused

MAX_CONFIG_BYTES = 1 << 20


def check_model_folder(folder: Path) -> dict[str, Any]:
    """Refuse a folder that could run code when loaded; answer its parsed `config.json`.

    Raises `ModelRefused` naming the offending file and the remedy.
    """
    if not folder.is_dir():
        raise ModelRefused(
            f"model folder {folder.name!r} does not exist; give the folder that holds config.json"
        )
    for path in sorted(folder.rglob("*")):
        _check_file(folder, path)
    if not any(folder.glob("*.safetensors")):
        raise ModelRefused("the model folder has no *.safetensors file; save it with safe_serialization=True")
    return _read_config(folder / "config.json")


def _check_file(folder: Path, path: Path) -> None:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        raise ModelRefused(f"{name} is a link; a model folder holds plain files only")
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        raise ModelRefused(f"{name} can hold pickled code; convert the weights to safetensors and remove it")
    if suffix in CODE_SUFFIXES:
        raise ModelRefused(f"{name} is code; models with remote code are not loaded, remove it")


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelRefused("the model folder has no config.json")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ModelRefused(f"config.json is larger than {MAX_CONFIG_BYTES} bytes")
    try:
        config = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelRefused(f"config.json is not JSON: {error}") from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise ModelRefused("config.json names no model_type")
    if "auto_map" in config:
        raise ModelRefused("config.json has auto_map (remote code); remove it and use a stock architecture")
    return config
