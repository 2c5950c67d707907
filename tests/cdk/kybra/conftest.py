"""Simulated test canisters, and canisters written inside a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk.testing import Simulator, System

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def canister() -> Callable[..., Simulator]:
    """`canister("counter", 5)`: a simulated canister of tests/cdk/canisters."""

    def start(name: str, *init: Any, id: bytes = b"\x00\x07\x01\x01") -> Simulator:
        system = System(canister_id=id)
        return Simulator(f"tests.cdk.canisters.{name}.main", *init, root=ROOT, system=system)

    return start


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Simulator]:
    """`source("…")`: a simulated canister with this source, after `from kybra import …` of everything."""

    def start(text: str, *init: Any) -> Simulator:
        header = "import kybra\nglobals().update({n: getattr(kybra, n) for n in kybra.__all__})\n"
        name = f"made_{abs(hash(text)) % 10**9}_{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{name}.py").write_text(header + text)
        return Simulator(name, *init, root=tmp_path)

    return start
