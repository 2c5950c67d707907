from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devnet.replica.harness import Net, make_net


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    net = make_net(cache_dir=tmp_path / "cache")
    yield net
    net.replica.close()
