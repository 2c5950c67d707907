"""Stage 1: CPython for this machine, of the runtime's exact version, to compile bytecode."""

import os
import shutil
from pathlib import Path

from cdk.toolchain.cache import Recipe, digest_of
from cdk.toolchain.compiler import DATE_FLAGS, Zig
from cdk.toolchain.pins import PYTHON, PYTHON_MINOR
from cdk.toolchain.process import Runner
from cdk.toolchain.sources import unpack

LEFT_OUT = ("test", "idlelib", "tkinter", "ensurepip", "turtledemo", "lib2to3", "pydoc_data", "__pycache__")
CONFIGURE = ("--disable-shared", "--disable-test-modules", "--without-ensurepip", "--without-doc-strings")

# marshal writes an object for later reference only if something else refers to it at that moment, which
# depends on what the process did before. Doing so always makes bytecode reproducible, and costs no bytes.
EDITS = {"Python/marshal.c": (("    if (Py_REFCNT(v) == 1 &&\n", "    if (0 && Py_REFCNT(v) == 1 &&\n"),)}


def digest() -> str:
    return digest_of([Recipe(__file__), PYTHON.sha256])


def python_path(stage: Path) -> Path:
    """The interpreter in the finished stage."""
    return stage / "bin" / f"python{PYTHON_MINOR}"


def library_path(stage: Path) -> Path:
    """The standard library in the finished stage."""
    return stage / "lib" / f"python{PYTHON_MINOR}"


def make(work: Path, result: Path, zig: Zig, runner: Runner) -> None:
    """Build CPython in `work` and lay it out, relocatable, in `result`."""
    source = unpack(PYTHON, work, EDITS)
    build = source / "build"
    build.mkdir()
    settings = [
        f"CC={' '.join(zig.native())}",
        f"CPPFLAGS={DATE_FLAGS}",
        "OPT=-O1 -DNDEBUG",
        "PKG_CONFIG=false",
    ]
    configure = ["../configure", *CONFIGURE, *settings]
    runner.run("configuring CPython for this machine", configure, build, zig.environment)
    jobs = f"-j{os.cpu_count() or 1}"
    runner.run("compiling CPython for this machine", ["make", jobs, "python"], build, zig.environment)
    python_path(result).parent.mkdir(parents=True)
    shutil.copy2(build / "python", python_path(result))
    shutil.copytree(source / "Lib", library_path(result), ignore=shutil.ignore_patterns(*LEFT_OUT))
    (library_path(result) / "lib-dynload").mkdir()  # by which Python recognises its installation
