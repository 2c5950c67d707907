"""Which model folders a worker loads: the Hugging Face layout, `safetensors` weights, nothing executable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from leasehold.sealing.archive import CODE_SUFFIXES, PICKLE_SUFFIXES
from tee_worker.errors import ModelRefused

MAX_CONFIG_BYTES = 1 << 20
ADAPTER_CONFIG = "adapter_config.json"
ATTENTION_KEYS = frozenset({"attn_implementation", "_attn_implementation", "_attn_implementation_internal"})
"""Where transformers takes the name of an attention kernel from; one with a slash is fetched and run."""


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
    if (folder / ADAPTER_CONFIG).exists():
        raise ModelRefused(
            f"{ADAPTER_CONFIG} would load its base model from elsewhere; merge the adapter first"
        )
    for path in sorted(folder.rglob("*config.json")):
        _refuse_code(path.name, _read_json(path))
    config = _read_json(folder / "config.json")
    if not isinstance(config, dict):
        raise ModelRefused("config.json holds no JSON object")
    if "model_type" not in config:
        raise ModelRefused("config.json names no model_type")
    return config


def _check_file(folder: Path, path: Path) -> None:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        raise ModelRefused(f"{name} is a link; a model folder holds plain files only")
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        raise ModelRefused(f"{name} can hold pickled code; convert the weights to safetensors and remove it")
    if suffix in CODE_SUFFIXES:
        raise ModelRefused(f"{name} is code; models with remote code are not loaded, remove it")


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise ModelRefused(f"the model folder has no {path.name}")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ModelRefused(f"{path.name} is larger than {MAX_CONFIG_BYTES} bytes")
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path.name} is not JSON: {type(error).__name__}") from None


def _refuse_code(name: str, value: Any) -> None:
    """Refuse what would make the libraries fetch code, at any depth of a configuration."""
    if isinstance(value, dict):
        if "auto_map" in value:
            raise ModelRefused(f"{name} has auto_map (remote code); remove it and use a stock architecture")
        for key in ATTENTION_KEYS & value.keys():
            if "/" in str(value[key]):
                raise ModelRefused(f"{name} names a kernel to download in {key}; remove it")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _refuse_code(name, item)
