"""`new_canister`: a small working canister to start from."""

from __future__ import annotations

import keyword
from pathlib import Path

from cdk.build import check
from cdk.builder.project import ROOT_MARKS
from cdk.errors import CdkError

_TEMPLATE = Path(__file__).with_name("template")


def new_canister(name: str, start: Path | None = None) -> list[Path]:
    """Write `canisters/NAME/main.py`, its `.did` and a test into the project around `start`.

    Answers the files. Raises: CdkError when the name cannot be a module's, or a file is there already.
    """
    if not (name.isascii() and name.isidentifier() and name == name.lower()) or keyword.iskeyword(name):
        raise CdkError(
            f"{name!r} cannot name a canister: use lower-case letters, digits and _, as in my_canister"
        )
    root = _root((start or Path.cwd()).resolve())
    folder = root / "canisters" / name
    main, test = folder / "main.py", root / "tests" / name / f"test_{name}.py"
    for path in (folder, test):
        if path.exists():
            raise CdkError(f"{path.relative_to(root)} is there already: choose another name")
    _write(main, (_TEMPLATE / "main.py.txt").read_text())
    _write(test, (_TEMPLATE / "test.py.txt").read_text().format(name=name))
    canister, _ = check(str(folder), root, update_did=True)
    return [main, canister.did, test]


def _root(start: Path) -> Path:
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in ROOT_MARKS):
            return folder
    return start


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
