"""Tiny real models for the trainer's tests: random weights, the genuine file layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")


def _tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[EOS]",
        "good",
        "bad",
        "fine",
        "poor",
        "very",
        "so",
        "day",
        "is",
        "the",
        "a",
        "movie",
    ]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        eos_token="[EOS]",
        model_max_length=32,
    )
    fast.save_pretrained(folder)


@pytest.fixture(scope="session")
def classifier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("classifier")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=14, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    _tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def language_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("language-model")
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=14,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=32,
        initializer_range=0.5,  # logits large enough that an adapter can move them
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    _tokenizer(folder)
    return folder


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
