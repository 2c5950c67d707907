"""A replica with the system canisters in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devnet.system.canisters import SystemCanisters
from tests.devnet.replica.harness import Net, make_net

Open = Callable[[Path | None], Net]


def open_net(state_dir: Path | None = None) -> Net:
    return make_net(state_dir=state_dir, natives=lambda services, state: SystemCanisters(state, services))


@pytest.fixture
def net() -> Iterator[Net]:
    net = open_net()
    yield net
    net.replica.close()
