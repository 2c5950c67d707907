"""The keys in a state folder."""

from pathlib import Path

import pytest

from devnet.crypto.node_keys import NodeKeys
from devnet.errors import StateFolderError
from devnet.state_folder import ROOT_KEY_FILE, SEED_FILE


def test_keys_stay_the_same_from_one_opening_to_the_next(tmp_path: Path) -> None:
    first, second = NodeKeys.open(tmp_path), NodeKeys.open(tmp_path)
    assert (first.root_key, first.node_id) == (second.root_key, second.node_id)
    assert (tmp_path / ROOT_KEY_FILE).read_bytes() == first.root_key
    assert (tmp_path / SEED_FILE).stat().st_mode & 0o077 == 0


def test_a_seed_fixes_the_keys_and_other_seeds_give_others() -> None:
    keys = [NodeKeys.from_seed(bytes([byte]) * 32) for byte in (1, 1, 2)]
    assert keys[0].subnet_id == keys[1].subnet_id != keys[2].subnet_id
    assert keys[0].node_public_key == keys[1].node_public_key != keys[2].node_public_key


@pytest.mark.parametrize("damage", ["", "zz", "00" * 31, "00" * 33])
def test_a_damaged_seed_is_an_error_and_is_not_replaced(tmp_path: Path, damage: str) -> None:
    (tmp_path / SEED_FILE).write_text(damage)
    with pytest.raises(StateFolderError, match=r"cannot use the keys|seed has"):
        NodeKeys.open(tmp_path)
    assert (tmp_path / SEED_FILE).read_text() == damage
