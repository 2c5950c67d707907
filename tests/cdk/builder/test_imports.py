"""Which modules go into a canister."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cdk.builder.imports import collect_sources, runtime_modules
from cdk.errors import CdkError

Project = Callable[..., Path]


def names(root: Path, module: str = "canisters.a.main") -> list[str]:
    """Modules of the project that are collected; the library's are left out."""
    sources = collect_sources(module, root)
    return [source.name for source in sources if source.name.split(".")[0] not in ("kybra", "cdk")]


def test_everything_imported_is_found_with_its_packages(project: Project) -> None:
    root = project(
        {
            "canisters/a/main.py": "from canisters.a.core import model\nimport shared.deep.thing as thing\n",
            "canisters/a/core/__init__.py": "from .model import X\n",
            "canisters/a/core/model.py": "from . import other\nfrom ..near import Y\nX = 1\n",
            "canisters/a/core/other.py": "def f():\n    import shared.late\n",
            "canisters/a/near.py": "Y = 1\n",
            "canisters/a/unused.py": "import numpy\n",
            "shared/deep/thing.py": "",
            "shared/late.py": "from json import loads\nimport collections.abc\n",
        }
    )
    assert names(root) == [
        "__canister__",
        "canisters",
        "canisters.a",
        "canisters.a.core",
        "canisters.a.core.model",
        "canisters.a.core.other",
        "canisters.a.main",
        "canisters.a.near",
        "shared",
        "shared.deep",
        "shared.deep.thing",
        "shared.late",
    ]


def test_the_library_is_bundled_with_frames_in_angle_brackets(project: Project) -> None:
    root = project({"canisters/a/main.py": "from kybra.canisters.management import management_canister\n"})
    files = {source.name: source.filename for source in collect_sources("canisters.a.main", root)}
    assert files["kybra.canisters.management"] == "<kybra/canisters/management/__init__.py>"
    assert files["cdk.candid.codec"] == "<cdk/candid/codec.py>"
    assert files["canisters.a.main"] == "canisters/a/main.py"
    assert "cdk.build" not in files and "cdk.testing" not in files and "cdk.errors" not in files


def test_imports_for_type_checkers_and_optional_ones_are_not_needed(project: Project) -> None:
    text = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import numpy
else:
    import json
try:
    import secrets
    import missing
except ImportError:
    pass
"""
    assert "canisters.a.main" in names(project({"canisters/a/main.py": text}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\nimport numpy", r"^canisters/a/main\.py:2: module numpy is not found"),
        ("import socket", r"main\.py:1: module socket is not in the canister's runtime"),
        ("from random import randint", "module random is not in the canister's runtime"),
        ("import cdk.build", r"module cdk\.build cannot run in a canister"),
        ("from canisters.a import nothing", r"module canisters\.a\.nothing is not found"),
        ("from . import nothing", r"module canisters\.a\.nothing is not found"),
        ("from ... import too.far", "invalid syntax"),
        ("from .... import far", "relative import beyond the top package"),
        ("def f(:", r"main\.py:1: .*written in Python 3\.10"),
        ("\ntry:\n    pass\nexcept* ValueError:\n    pass", "written in Python 3"),
    ],
)
def test_what_a_canister_cannot_have_is_refused_with_its_place(
    project: Project, text: str, problem: str
) -> None:
    with pytest.raises(CdkError, match=problem):
        names(project({"canisters/a/main.py": text}))


def test_the_runtime_lists_its_modules() -> None:
    assert {"json", "dataclasses", "hashlib", "math"} <= runtime_modules()
    assert not {"random", "socket", "secrets", "subprocess"} & runtime_modules()
