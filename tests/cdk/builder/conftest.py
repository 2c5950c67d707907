"""Small projects in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """`project({"canisters/a/main.py": "…"})`: the root of a project with these files."""

    def make(files: dict[str, str]) -> Path:
        (tmp_path / "pyproject.toml").touch()
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make
