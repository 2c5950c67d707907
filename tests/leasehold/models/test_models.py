import hashlib
import json
from typing import Any

import pytest
from pydantic import ValidationError

from canisters.marketplace.core import limits
from leasehold.agent import Principal
from leasehold.models import Balances, Event, Hyperparameters, Item, Movement, PolicyInfo, item_id


def test_amounts_are_decimal_strings_in_json() -> None:
    balances = Balances(available=1 << 80, escrowed=0, bonded=5)
    assert balances.json_object() == {"available": str(1 << 80), "escrowed": "0", "bonded": "5"}
    assert balances.candid()["available"] == 1 << 80


def test_fields_that_are_python_keywords_keep_their_names() -> None:
    record = {
        "index": 1,
        "at": 2,
        "kind": "claim",
        "from": "queued",
        "to": "attesting",
        "actor": Principal.ANONYMOUS,
        "reason": None,
        "amounts": [("escrow/1", -5), ("platform", 5)],
    }
    event = Event.model_validate(record)
    assert (event.from_status, event.to_status) == ("queued", "attesting")
    assert event.candid() == record
    shown = json.loads(json.dumps(event.json_object()))
    assert shown == record | {"actor": "2vxsx-fae", "amounts": [["escrow/1", "-5"], ["platform", "5"]]}


def test_a_movement_and_a_policy_have_the_canister_s_names() -> None:
    movement = {"index": 0, "at": 1, "from": "a", "to": "b", "amount": 7, "rental": None, "kind": "refund"}
    assert Movement.model_validate(movement).candid() == movement
    policy = {"name": "simulated", "json": "{}", "simulated": True, "state": "offered", "adopted_at": 1}
    assert PolicyInfo.model_validate(policy).json_object() == policy


def test_a_newer_canister_s_fields_are_ignored() -> None:
    assert Balances.model_validate({"available": 1, "escrowed": 2, "bonded": 3, "new": 4}).bonded == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "translation"},
        {"epochs": 0},
        {"epochs": 101},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"batch_size": 0},
        {"max_length": 7},
        {"lora_rank": 0},
        {"lora_dropout": 1.0},
        {"seed": -1},
        {"seed": 1 << 63},
        {"unknown": 1},
    ],
)
def test_hyperparameters_are_validated(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hyperparameters(**wrong)


def test_an_item_names_its_key() -> None:
    assert Item.listing("abc").input == b"listing/abc"
    assert Item.checkpoint(7).input == b"checkpoint/7"
    assert Item.result(7).candid() == {"Result": 7}
    assert Item.dataset("x").candid() == {"Dataset": "x"}


def test_an_item_s_id_is_made_of_owner_and_salt() -> None:
    owner, salt = Principal(b"\x01\x02"), b"s" * 16
    expected = hashlib.sha256(b"leasehold-item" + b"listing" + b"\x00" + b"\x01\x02" + salt).hexdigest()[:32]
    assert item_id("listing", owner, salt) == expected
    assert item_id("dataset", owner, salt) != expected


def test_hyperparameters_have_the_marketplace_s_bounds() -> None:
    for name, bounds in (
        ("epochs", limits.EPOCHS),
        ("learning_rate", limits.LEARNING_RATE),
        ("batch_size", limits.BATCH_SIZE),
        ("max_length", limits.MAX_LENGTH),
        ("lora_rank", limits.LORA_RANK),
        ("lora_alpha", limits.LORA_ALPHA),
        ("lora_dropout", limits.LORA_DROPOUT),
        ("seed", limits.SEED),
    ):
        for bound, beyond in zip(bounds, (-1, 1), strict=True):
            Hyperparameters.model_validate({name: bound})
            past = bound + beyond if isinstance(bound, int) else bound + beyond * 1e-6
            with pytest.raises(ValidationError):
                Hyperparameters.model_validate({name: past})
