"""Imports a canister's source on this machine, with our `kybra` and a given system."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

KYBRA = Path(__file__).resolve().parent.parent / "kybra"
_NATIVE = ("_ic0", "_stable")


class KybraFinder:
    """Finds `kybra` in `cdk/kybra`, whether or not the package of that name from PyPI is installed."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's hook."""
        if name != "kybra":
            return None
        return importlib.util.spec_from_file_location(
            name, KYBRA / "__init__.py", submodule_search_locations=[str(KYBRA)]
        )


class LoadedCanister:
    """The modules of one imported canister, kept apart from those of others in this process."""

    def __init__(self, module: str, root: Path, native: dict[str, ModuleType]) -> None:
        self.modules: dict[str, ModuleType] = dict(native)
        self._root = root
        _foreign.update(_endpoint_modules(root))
        with self.installed():
            importlib.import_module(module)
            self.kybra = importlib.import_module("kybra")
            lifecycle = importlib.import_module("kybra.lifecycle")
            importlib.import_module("kybra.annotations")
            self.dispatch = lifecycle.dispatcher()
            self.entry_points = [name for name, _ in lifecycle.entry_points()]
            self.methods = importlib.import_module("kybra.methods")
            names = _endpoint_modules(root)
            _foreign.update(names)
            self.modules |= {name: sys.modules[name] for name in names}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Within this context `import` sees this canister's modules."""
        saved = _take(_foreign)
        sys.modules.update(self.modules)
        sys.meta_path.insert(0, KybraFinder)
        path = list(sys.path)
        sys.path.insert(0, str(self._root))
        try:
            yield
        finally:
            sys.path[:] = path
            sys.meta_path.remove(KybraFinder)
            _take(_foreign)
            sys.modules.update(saved)


_foreign: set[str] = set(_NATIVE)
"""Names of modules that differ from canister to canister, and from the rest of this process."""


def _take(names: set[str]) -> dict[str, ModuleType]:
    """Remove modules from `sys.modules` and from their packages; answers what there was."""
    taken = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    for name in taken:
        package, _, own = name.rpartition(".")
        if package in sys.modules:  # else `from package import module` would find this one again
            vars(sys.modules[package]).pop(own, None)
    return taken


def _endpoint_modules(root: Path) -> list[str]:
    """Names of the imported modules that are, or use, `kybra` or the native modules.

    Pure cores are not among them: they are shared, so that their classes are those that a test imports.
    """
    names = [name for name in sys.modules if name in _NATIVE or name == "kybra" or name.startswith("kybra.")]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        ours = file.startswith(f"{root}/") and "site-packages" not in file
        if ours and name != "__main__" and not name.startswith("cdk.") and _uses_kybra(module):
            names.append(name)
    return names


def _uses_kybra(module: ModuleType) -> bool:
    values = list(vars(module).values())
    return any(str(getattr(value, "__module__", "")).split(".")[0] == "kybra" for value in values)
