"""What holds for every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# No test asserts a time: machines are shared, and a slow example is no defect.
settings.register_profile("leasehold", deadline=None)
settings.load_profile("leasehold")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "moves_time: sets the network's time forward")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # A given network stays ahead afterwards, where clients that go by the machine's clock cannot follow.
    if os.environ.get("LEASEHOLD_NETWORK"):
        items.sort(key=lambda item: item.get_closest_marker("moves_time") is not None)
