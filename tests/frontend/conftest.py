"""A page as Vite builds it, small."""

from pathlib import Path

import pytest


@pytest.fixture
def built_page(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>" + " " * 500)
    (folder / "assets" / "main-abc123.js").write_text("console.log(1);" * 100)
    (folder / "assets" / "logo.png").write_bytes(b"\x89PNG" + bytes(50))
    return folder
