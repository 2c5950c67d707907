"""Where a canister's source is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cdk.errors import CdkError

ROOT_MARKS = ("pyproject.toml", "icp.yaml", "dfx.json", ".git")


@dataclass(frozen=True)
class Canister:
    """A canister's source: its folder holds `main.py` and, checked in, `NAME.did`."""

    name: str
    root: Path
    folder: Path

    @property
    def main(self) -> Path:
        """The module with the endpoints."""
        return self.folder / "main.py"

    @property
    def did(self) -> Path:
        """The checked-in interface, which the generated one must agree with."""
        return self.folder / f"{self.name}.did"

    @property
    def module(self) -> str:
        """The import name of `main.py` from the root."""
        return ".".join([*self.folder.relative_to(self.root).parts, "main"])


def find_canister(name: str, start: Path) -> Canister:
    """The canister called `name` (as `canisters/NAME` in `start` and above), or at the path `name`."""
    path = Path(name) if Path(name).is_absolute() else start / name
    if path.name == "main.py":
        path = path.parent
    if (path / "main.py").is_file():
        folder = path.resolve()
        return Canister(folder.name, _root_above(folder), folder)
    for root in [start.resolve(), *start.resolve().parents]:
        if (root / "canisters" / name / "main.py").is_file():
            return Canister(name, root, root / "canisters" / name)
    raise CdkError(
        f"no canister {name!r}: neither canisters/{name}/main.py in {start} or above, nor {path}/main.py"
    )


def _root_above(folder: Path) -> Path:
    for parent in folder.parents:
        if any((parent / mark).exists() for mark in ROOT_MARKS):
            return parent
    return folder.parent
