"""Our own canisters pass the check, and what they write out for stock Kybra agrees with their cores."""

from __future__ import annotations

from pathlib import Path

import pytest

from canisters.frontend.core.asset import MAX_BODY, MAX_PATH, MAX_RECORD
from canisters.ledger.core.accounts import MAX_KEY_LENGTH
from canisters.vault.core.blobs import HASH_LENGTH
from canisters.vault.core.limits import CHUNK_SIZE, MAX_BLOB_SIZE
from canisters.vault.core.records import MAX_RECORD_SIZE
from cdk.checks import check_canister
from cdk.testing import System
from cdk.testing.loading import LoadedCanister

ROOT = Path(__file__).resolve().parents[3]
OURS = sorted(path.parent.name for path in ROOT.glob("canisters/*/main.py"))
PRINCIPAL = 30
HASHES = MAX_BLOB_SIZE // CHUNK_SIZE * HASH_LENGTH
HELD = HASH_LENGTH + PRINCIPAL
SIZES = {
    "frontend": [(MAX_PATH + 16, MAX_RECORD), (MAX_PATH + 16, MAX_BODY)],
    "ledger": [
        (16, 1_024),
        (MAX_KEY_LENGTH, 17),
        (8, 1_024),
        (40, 8),
        (2 * MAX_KEY_LENGTH, 25),
        (8 + 2 * MAX_KEY_LENGTH, 1),
    ],
    "vault": [
        (16, 64),
        (HASH_LENGTH, MAX_RECORD_SIZE),
        (8, HASHES),
        (12, CHUNK_SIZE),
        (HELD, MAX_RECORD_SIZE),
        (HELD, 1),
        (PRINCIPAL, 8),
        (8 + HELD, 1),
        (HELD, 8),
        (8 + HELD, 1),
        (8, 4),
    ],
}


@pytest.mark.parametrize("name", OURS)
def test_nothing_would_be_refused(name: str) -> None:
    assert check_canister(name, ROOT) == []


@pytest.mark.parametrize("name", SIZES)
def test_maps_are_as_large_as_the_core_says(name: str) -> None:
    loaded = LoadedCanister(f"canisters.{name}.main", ROOT, System().modules())
    with loaded.installed():
        from kybra import stable
    maps = [stable.MAPS[id] for id in sorted(stable.MAPS)]
    assert [(map._max_key_size, map._max_value_size) for map in maps] == SIZES[name]
