"""The recipe learns, resumes exactly, and refuses what it must not load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leasehold.models import Hyperparameters
from tee_worker.errors import DatasetRefused, ModelRefused, TrainingInterrupted
from tee_worker.trainer.evaluate import compare
from tee_worker.trainer.job import Message, ProgressMessage, TrainingJob
from tee_worker.trainer.model_folder import check_model_folder
from tee_worker.trainer.recipe import train


def job(folder: Path, model: Path, dataset: Path, **changes: Any) -> TrainingJob:
    settings: dict[str, Any] = {
        "task": "text-classification",
        "epochs": 6,
        "learning_rate": 0.02,
        "batch_size": 4,
        "max_length": 16,
        "lora_rank": 4,
        "lora_alpha": 8,
        "lora_dropout": 0.1,
        "seed": 3,
    }
    return TrainingJob(
        model=model,
        datasets=(dataset,),
        output=folder / "adapter",
        checkpoints=folder / "checkpoints",
        hyperparameters=Hyperparameters(**{**settings, **changes}),
        checkpoint_every_s=1e-6,
        threads=1,
    )


def losses(messages: list[Message]) -> list[float]:
    return [message.loss for message in messages if isinstance(message, ProgressMessage)]


def test_a_classifier_learns_and_its_adapter_beats_the_base_model(
    tmp_path: Path, classifier_folder: Path, reviews: Path
) -> None:
    messages: list[Message] = []
    adapter = train(job(tmp_path, classifier_folder, reviews, epochs=12), messages.append, lambda: False)
    before, after = compare(classifier_folder, reviews, adapter)
    assert after.loss < before.loss / 2
    assert after.accuracy == 1.0
    assert {path.name for path in adapter.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "training.json",
    }
    assert json.loads((adapter / "training.json").read_text())["labels"] == ["down", "up"]
    assert str(classifier_folder) not in (adapter / "adapter_config.json").read_text()


def test_a_language_model_learns_from_prompt_and_completion(
    tmp_path: Path, language_model_folder: Path
) -> None:
    rows = [
        {"prompt": "the movie is", "completion": "very good"},
        {"prompt": "a day is", "completion": "so bad"},
    ]
    dataset = tmp_path / "pairs.jsonl"
    dataset.write_text("".join(json.dumps(row) + "\n" for row in rows * 4))
    messages: list[Message] = []
    train(
        job(tmp_path, language_model_folder, dataset, task="causal-lm", epochs=20),
        messages.append,
        lambda: False,
    )
    seen = losses(messages)
    assert seen[-1] < seen[0] * 0.7


def test_an_interrupted_run_resumes_to_the_same_adapter(
    tmp_path: Path, classifier_folder: Path, reviews: Path
) -> None:
    whole = train(job(tmp_path / "whole", classifier_folder, reviews), lambda m: None, lambda: False)
    seen: list[Message] = []
    with pytest.raises(TrainingInterrupted, match="step 7 of 30"):
        train(
            job(tmp_path / "parts", classifier_folder, reviews), seen.append, lambda: len(losses(seen)) >= 7
        )
    rest: list[Message] = []
    parts = train(job(tmp_path / "parts", classifier_folder, reviews), rest.append, lambda: False)
    assert len(losses(seen)) + len(losses(rest)) == 30
    name = "adapter_model.safetensors"
    assert (whole / name).read_bytes() == (parts / name).read_bytes()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pt", "nested/state.pkl", "modeling.py"])
def test_a_model_folder_with_executable_content_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelRefused, match=Path(name).name):
        check_model_folder(tmp_path)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (None, "no config.json"),
        ("{", "not JSON"),
        ("[]", "no JSON object"),
        ("{}", "no model_type"),
        ('{"model_type": "x", "auto_map": {}}', "remote code"),
    ],
)
def test_a_model_folder_with_a_bad_config_is_refused(
    tmp_path: Path, config: str | None, problem: str
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelRefused, match=problem):
        check_model_folder(tmp_path)


def test_a_dataset_line_that_is_not_json_is_named(tmp_path: Path, classifier_folder: Path) -> None:
    dataset = tmp_path / "bad.jsonl"
    dataset.write_text('{"text": "good", "label": "up"}\n{"text": "bad"\n')
    with pytest.raises(DatasetRefused, match=r"(?s)bad\.jsonl.*line 2"):
        train(job(tmp_path, classifier_folder, dataset), lambda m: None, lambda: False)


def test_a_dataset_of_one_label_is_refused(tmp_path: Path, classifier_folder: Path) -> None:
    dataset = tmp_path / "one.jsonl"
    dataset.write_text('{"text": "good", "label": "up"}\n' * 3)
    with pytest.raises(DatasetRefused, match="found 1"):
        train(job(tmp_path, classifier_folder, dataset), lambda m: None, lambda: False)


def test_test_lines_are_never_trained_on(tmp_path: Path, classifier_folder: Path) -> None:
    dataset = tmp_path / "held.jsonl"
    dataset.write_text('{"text": "good", "label": "up", "split": "test"}\n' * 3)
    with pytest.raises(DatasetRefused, match="no rows to train on"):
        train(job(tmp_path, classifier_folder, dataset), lambda m: None, lambda: False)
