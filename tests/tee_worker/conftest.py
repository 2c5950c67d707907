"""Models and rows for the trainer's tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tiny_models import save_classifier, save_language_model


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def classifier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="session")
def language_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_language_model(tmp_path_factory.mktemp("language-model"))


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    rows = []
    for i, noun in enumerate(["day", "movie"] * 6):
        for adverb in ("very", "so"):
            word, label = (("good", "up"), ("fine", "up"), ("bad", "down"), ("poor", "down"))[i % 4]
            split = "test" if i >= 10 else "train"
            rows.append({"text": f"the {noun} is {adverb} {word}", "label": label, "split": split})
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
