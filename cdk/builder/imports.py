"""Which modules a canister needs, found by reading import statements. Nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cdk.errors import CdkError

CDK = Path(__file__).resolve().parent.parent
STDLIB_LIST = CDK / "runtime" / "stdlib.txt"
PYTHON = (3, 10)
"""Canister sources keep to this version's syntax, which stock Kybra accepts."""
NATIVE = frozenset({"_ic0", "_stable", "_leasehold"})
BUILT_IN = frozenset(
    "_abc _bisect _codecs _collections _datetime _functools _heapq _io _json _operator _random _sha2 "
    "_sre _stat _string _struct _thread _tracemalloc _typing _warnings _weakref array atexit binascii "
    "builtins cmath errno gc itertools marshal math sys time unicodedata zlib".split()
)
ENTRY = "__canister__"
ENTRY_SOURCE = """\
import {module}
from kybra.failures import report
from kybra.lifecycle import dispatcher

dispatch = dispatcher(report)
"""


@dataclass(frozen=True)
class Source:
    """A module that goes into the bundle. `filename` is what tracebacks call it."""

    name: str
    filename: str
    text: str
    is_package: bool


def is_library(source: Source) -> bool:
    """Whether a collected module is part of cdk, not of the canister."""
    return source.name.split(".")[0] in ("kybra", "cdk")


@dataclass(frozen=True)
class _Import:
    name: str
    line: int
    optional: bool


def collect_sources(
    module: str, root: Path, report: Callable[[CdkError], None] | None = None
) -> list[Source]:
    """The entry module, `module` and every module of ours that they import, sorted by name.

    The first import that cannot be had raises CdkError; with `report`, it is given each of them instead.
    """
    return _Collector(root, report or _raise).collect(module)


def _raise(error: CdkError) -> None:
    raise error


def runtime_modules() -> frozenset[str]:
    """Names of the standard library's modules that canisters have."""
    lines = STDLIB_LIST.read_text().splitlines() if STDLIB_LIST.exists() else []
    names = {line.split("#")[0].strip() for line in lines} - {""}
    return frozenset(names) | BUILT_IN | {"collections.abc"}  # which `collections` puts into sys.modules


class _Collector:
    def __init__(self, root: Path, refuse: Callable[[CdkError], None]) -> None:
        self.root = root
        self.refuse = refuse
        self.stdlib = runtime_modules()
        self.sources: dict[str, Source] = {}
        self.waiting: list[str] = []

    def collect(self, module: str) -> list[Source]:
        entry = Source(ENTRY, "<entry>", ENTRY_SOURCE.format(module=module), False)
        self.add(entry)
        while self.waiting:
            self.load(self.waiting.pop())
        return [self.sources[name] for name in sorted(self.sources)]

    def add(self, source: Source) -> None:
        """Take `source` and whatever it imports."""
        self.sources[source.name] = source
        try:
            imports = list(_imports(source))
        except CdkError as error:  # the syntax is wrong
            self.refuse(error)
            return
        for needed in imports:
            try:
                self.resolve(needed, source)
            except CdkError as error:
                self.refuse(error)

    def load(self, name: str) -> None:
        if name in self.sources:
            return
        location = self.locate(name)
        if location is None:
            return
        path, is_package = location
        text = path.read_text() if path.is_file() else ""  # a folder without __init__.py
        self.add(Source(name, self.filename(path, name), text, is_package))

    def filename(self, path: Path, name: str) -> str:
        """The library's own frames are in angle brackets, so that traps name the canister's line instead."""
        base = CDK if name.split(".")[0] == "kybra" else CDK.parent
        library = name.split(".")[0] in ("kybra", "cdk")
        return f"<{path.relative_to(base)}>" if library else str(path.relative_to(self.root))

    def locate(self, name: str) -> tuple[Path, bool] | None:
        """The file of a module of ours and whether it is a package; None when it is not ours."""
        parts = name.split(".")
        base = {"kybra": CDK, "cdk": CDK.parent}.get(parts[0], self.root)
        path = base.joinpath(*parts)
        if (path / "__init__.py").is_file():
            return path / "__init__.py", True
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py"), False
        if path.is_dir() and any(path.rglob("*.py")):
            return path / "__init__.py", True
        return None

    def resolve(self, needed: _Import, source: Source) -> None:
        """Queue the module behind an import, with the packages it is in; CdkError if it cannot be had."""
        top = needed.name.split(".")[0]
        if top in NATIVE or needed.name in self.stdlib:
            return
        if top in sys.stdlib_module_names:
            if not needed.optional and not self.is_attribute(needed.name):
                raise self.error(
                    needed, source, "is not in the canister's runtime; see cdk/runtime/stdlib.txt"
                )
            return
        if top == "cdk" and not f"{needed.name}.".startswith("cdk.candid."):
            raise self.error(needed, source, "cannot run in a canister; of cdk, only cdk.candid can")
        if self.locate(needed.name) is None:
            if needed.optional or self.is_attribute(needed.name):
                return
            raise self.error(
                needed,
                source,
                f"is not found: canisters import the standard library, kybra, and modules under {self.root}",
            )
        parts = needed.name.split(".")
        self.waiting += [".".join(parts[: length + 1]) for length in range(len(parts))]

    def is_attribute(self, name: str) -> bool:
        """Whether `name` may be something defined inside a module (`from module import thing`)."""
        parent = name.rpartition(".")[0]
        if not parent:
            return False
        location = self.locate(parent)
        return parent in self.stdlib or (location is not None and location[0].is_file())

    @staticmethod
    def error(needed: _Import, source: Source, problem: str) -> CdkError:
        return CdkError(f"{source.filename}:{needed.line}: module {needed.name} {problem}")


def _imports(source: Source) -> Iterator[_Import]:
    """The imports of a module; those for type checkers only are left out."""
    try:
        tree = ast.parse(source.text, source.filename, feature_version=PYTHON)
    except SyntaxError as error:
        version = ".".join(map(str, PYTHON))
        raise CdkError(
            f"{source.filename}:{error.lineno}: {error.msg} (canisters are written in Python {version})"
        ) from None
    for node, optional in _statements(tree, False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(alias.name, node.lineno, optional)
        else:
            base = _absolute(node, source)
            yield _Import(base, node.lineno, optional)
            for alias in node.names:
                if alias.name == "*":
                    continue
                yield _Import(f"{base}.{alias.name}", node.lineno, optional)


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    if not node.level:
        return node.module or ""
    package = source.name.split(".") if source.is_package else source.name.split(".")[:-1]
    if node.level - 1 >= len(package):
        raise CdkError(f"{source.filename}:{node.lineno}: relative import beyond the top package")
    base = package[: len(package) - (node.level - 1)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _statements(node: ast.AST, optional: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Import statements at any depth; `optional` inside `try: … except ImportError`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, optional
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for other in child.orelse:
                yield from _statements(ast.Module([other], []), optional)
        elif isinstance(child, ast.Try):
            yield from _statements(child, optional or any(map(catches_import_error, child.handlers)))
        else:
            yield from _statements(child, optional)


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def catches_import_error(handler: ast.ExceptHandler) -> bool:
    names = {node.id for node in ast.walk(handler) if isinstance(node, ast.Name)}
    return handler.type is None or bool(names & {"ImportError", "ModuleNotFoundError"})
