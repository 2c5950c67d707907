"""A ledger with some tokens, in memory."""

import pytest

from canisters.ledger.core.ledger import Ledger
from canisters.ledger.core.storage import Storage
from tests.ledger.memory import ALICE, BOB, memory_storage, new_ledger


@pytest.fixture
def storage() -> Storage:
    return memory_storage()


@pytest.fixture
def ledger(storage: Storage) -> Ledger:
    return new_ledger(storage, (ALICE, 1_000), (BOB, 100))
