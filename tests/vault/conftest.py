"""An empty vault in memory."""

import pytest

from canisters.vault.core.storage import Storage
from canisters.vault.core.vault import Vault
from tests.vault.memory import memory_storage, new_vault


@pytest.fixture
def storage() -> Storage:
    return memory_storage()


@pytest.fixture
def vault(storage: Storage) -> Vault:
    return new_vault(storage)
