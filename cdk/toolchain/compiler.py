"""The compilers: zig's clang for WebAssembly, and whatever the machine has (else zig too) for itself."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cdk.toolchain.pins import ZIG_VERSION
from cdk.toolchain.process import ToolchainError

TARGET = "wasm32-wasi"
# zig checks undefined behaviour unless told otherwise; CPython and SQLite rely on what the checks forbid.
COMPILE_FLAGS = ("-O2", "-DNDEBUG", "-fno-sanitize=undefined")
# Parts of POSIX that wasi-libc emulates, each with a library of the same name.
EMULATIONS = ("SIGNAL", "GETPID", "PROCESS_CLOCKS", "MMAN")
EMULATION_FLAGS = tuple(f"-D_WASI_EMULATED_{name}" for name in EMULATIONS)
EMULATION_LIBRARIES = tuple(f"-lwasi-emulated-{name.lower().replace('_', '-')}" for name in EMULATIONS)
# The build's date would make every build another one; zig refuses it.
DATE_FLAGS = "-DDATE='\"-\"' -DTIME='\"-\"'"
# How Python compiles to bytecode: isolated, and without the columns of expressions, since tracebacks in a
# canister tell lines only.
BYTECODE_OPTIONS = ("-I", "-S", "-X", "no_debug_ranges")
STACK_BYTES = 4 << 20
LINK_FLAGS = (
    "-O2",
    "-mexec-model=reactor",
    "-nostartfiles",
    "-Wl,--no-entry",
    "-Wl,--gc-sections",
    "-Wl,--strip-all",
    "-Wl,--export-table",
    f"-Wl,-z,stack-size={STACK_BYTES}",
)


@dataclass(frozen=True)
class Zig:
    """The pinned zig, keeping its own cache (C library, compiled once) in `cache`."""

    path: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        """What builds run with: zig's cache, and zig's archiver on a machine that has none."""
        cache = {"ZIG_GLOBAL_CACHE_DIR": str(self.cache), "ZIG_LOCAL_CACHE_DIR": str(self.cache)}
        return (
            cache
            if shutil.which("ar")
            else {**cache, "AR": f"{self.path} ar", "RANLIB": f"{self.path} ranlib"}
        )

    def wasm(self) -> list[str]:
        """The C compiler for WebAssembly."""
        return [str(self.path), "cc", "-target", TARGET]

    def native(self) -> list[str]:
        """A C compiler for this machine."""
        found = os.environ.get("CC") or next(
            (name for name in ("cc", "gcc", "clang") if shutil.which(name)), None
        )
        return found.split() if found else [str(self.path), "cc", "-fno-sanitize=undefined"]


def find_zig(cache: Path) -> Zig:
    """The zig of the Python environment. Raises ToolchainError if it is missing or another version."""
    spec = importlib.util.find_spec("ziglang")
    remedy = f"install it with: pip install ziglang=={ZIG_VERSION}"
    if spec is None or spec.origin is None:
        raise ToolchainError(f"the compiler is missing from this Python environment; {remedy}")
    path = Path(spec.origin).with_name("zig")
    answer = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=60)
    if answer.stdout.strip() != ZIG_VERSION:
        raise ToolchainError(
            f"zig at {path} is {answer.stdout.strip() or 'broken'}, expected {ZIG_VERSION}; {remedy}"
        )
    return Zig(path, cache)


def ensure_tools() -> None:
    """Raises ToolchainError naming a build tool that the machine lacks."""
    missing = [name for name in ("make", "xz") if not shutil.which(name)]
    if missing:
        raise ToolchainError(f"{' and '.join(missing)} not found; install the system's packages of that name")
