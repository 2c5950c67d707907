"""Stage 2: CPython as a static WebAssembly library, without what a canister cannot use."""

import os
import shutil
from pathlib import Path

from cdk.toolchain.bytecode_python import python_path
from cdk.toolchain.cache import Recipe, digest_of
from cdk.toolchain.compiler import DATE_FLAGS, EMULATION_FLAGS, EMULATION_LIBRARIES, TARGET, Zig
from cdk.toolchain.cpython_integers import FASTER_INTEGERS, FASTER_TEXT_OF_INTEGERS
from cdk.toolchain.pins import PYTHON, ZIG_VERSION
from cdk.toolchain.process import Runner
from cdk.toolchain.sources import unpack

RUNTIME = Path(__file__).parent.parent / "runtime"
LIBRARIES = ("libpython3.13.a", "Modules/_hacl/libHacl_Hash_SHA2.a")
CONFIGURE = (
    "--host=wasm32-wasip1",
    "--disable-shared",
    "--disable-test-modules",
    "--disable-ipv6",
    "--without-ensurepip",
    "--without-doc-strings",
    "--without-mimalloc",
    "--without-pymalloc",  # cdk/runtime/allocator.c takes its place
)
# CPython has signed numbers wrap; clang takes that to mean pointers too, which then costs an addition for
# nearly every access to a structure: 15 % of all instructions. Short strings get a cheap hash: a keyed one
# protects nothing where every node must know the key.
CFLAGS = ("-fno-sanitize=undefined", "-fno-wrapv-pointer", "-DPy_HASH_CUTOFF=7")
# C recursion (JSON, repr, comparison) must end in RecursionError before a canister's stacks end: 1,000 levels
# were measured to fit in 1 MiB of either stack; CPython's own limit for WASI is for larger ones.
EDITS = {
    "Objects/longobject.c": FASTER_INTEGERS,
    "Objects/object.c": FASTER_TEXT_OF_INTEGERS,
    "Include/cpython/pystate.h": (
        (
            "#  define Py_C_RECURSION_LIMIT 5000",
            "#  define Py_C_RECURSION_LIMIT 1000",
        ),
    ),
}


def digest(bytecode_python: str) -> str:
    settings = [
        str((DATE_FLAGS, EMULATION_FLAGS, TARGET, EDITS)),
        bytecode_python,
        ZIG_VERSION,
        PYTHON.sha256,
    ]
    return digest_of([Recipe(__file__), RUNTIME / "Setup.local", RUNTIME / "config.site", *settings])


def make(work: Path, result: Path, bytecode_python: Path, zig: Zig, runner: Runner) -> None:
    """Build the libraries in `work`; leave them and the headers in `result`."""
    source = unpack(PYTHON, work, EDITS)
    zig = Zig(zig.path, work / "zig")  # it would keep every object a second time
    build = source / "build"
    (build / "Modules").mkdir(parents=True)
    shutil.copy(RUNTIME / "Setup.local", build / "Modules/Setup.local")
    site = build / "config.site"
    site.write_text(
        (RUNTIME / "config.site").read_text() + (source / "Tools/wasm/config.site-wasm32-wasi").read_text()
    )
    environment = {**zig.environment, "CONFIG_SITE": str(site)}
    command = ["../configure", *CONFIGURE, *_settings(source, python_path(bytecode_python), zig)]
    runner.run("configuring CPython for the canister", command, build, environment)
    make_command = ["make", f"-j{os.cpu_count() or 1}", *LIBRARIES]
    runner.run("compiling CPython for the canister", make_command, build, environment)
    for library in LIBRARIES:
        shutil.copy(build / library, result)
    shutil.copytree(source / "Include", result / "include")
    shutil.copy(build / "pyconfig.h", result / "include")


def _settings(source: Path, python: Path, zig: Zig) -> list[str]:
    """Variables that configure takes on its command line."""
    return [
        f"--build={_build_machine()}",
        f"--with-build-python={python}",
        f"CC={' '.join(zig.wasm())}",
        f"AR={zig.path} ar",
        f"RANLIB={zig.path} ranlib",
        "READELF=true",
        "PKG_CONFIG=false",
        f"CPPFLAGS={DATE_FLAGS}",
        f"CFLAGS=-ffile-prefix-map={source}=. {' '.join((*CFLAGS, *EMULATION_FLAGS))}",
        f"LIBS={' '.join(EMULATION_LIBRARIES)}",
        "OPT=-O2 -DNDEBUG",
    ]


def _build_machine() -> str:
    """This machine in configure's words; only that it differs from the host matters."""
    return f"{os.uname().machine}-pc-linux-gnu"
