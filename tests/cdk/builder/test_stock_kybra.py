"""Canister sources keep the shape that the package of PyPI accepts: they import under it unchanged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """\
import importlib, kybra, sys
assert "site-packages" in kybra.__file__
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("name", ["counter", "echo", "maps", "timers"])
def test_test_canisters_import_under_stock_kybra(name: str) -> None:
    pytest.importorskip("kybra", reason="the package kybra from PyPI is a development dependency")
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"tests.cdk.canisters.{name}.main"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_every_name_of_ours_is_one_of_stock_kybra_or_a_marked_extension() -> None:
    stock = pytest.importorskip("kybra", reason="the package kybra from PyPI is a development dependency")
    from cdk.testing import System
    from cdk.testing.loading import LoadedCanister

    ours = LoadedCanister("tests.cdk.canisters.counter.main", ROOT, System().modules()).kybra
    extra = {"DefinitionError", "KeyTooLargeError", "ValueTooLargeError"}
    assert set(ours.__all__) - set(dir(stock)) == extra
    missing = {name for name in dir(stock.ic) if not name.startswith("_")} - set(dir(ours.ic))
    assert missing == {
        *("stable_bytes", "stable_grow", "stable_read", "stable_size", "stable_write"),
        *("stable64_grow", "stable64_read", "stable64_size", "stable64_write"),
    }
