"""Stage 4: our own C files and the frozen standard library, linked with CPython and SQLite."""

from pathlib import Path

from cdk.toolchain.bytecode_python import library_path, python_path
from cdk.toolchain.cache import Recipe, digest_of
from cdk.toolchain.compiler import (
    BYTECODE_OPTIONS,
    COMPILE_FLAGS,
    EMULATION_FLAGS,
    EMULATION_LIBRARIES,
    LINK_FLAGS,
    Zig,
)
from cdk.toolchain.process import Runner, ToolchainError
from cdk.wasm.module import parse
from cdk.wasm.specialise import BUNDLE_GLOBAL, ensure_only_ic0

RUNTIME = Path(__file__).parent.parent / "runtime"
FREEZE = Path(__file__).with_name("freeze.py")
WASM = "runtime.wasm"


def _inputs() -> list[Path | Recipe]:
    files = [*RUNTIME.glob("*.c"), *RUNTIME.glob("*.h"), *RUNTIME.glob("python/*.py")]
    return [*sorted(files), RUNTIME / "stdlib.txt", Recipe(str(FREEZE)), Recipe(__file__)]


def digest(*stages: str) -> str:
    """Over our files and the digests of the other stages: it names the whole runtime."""
    flags = (BYTECODE_OPTIONS, COMPILE_FLAGS, EMULATION_FLAGS, LINK_FLAGS)
    return digest_of([*_inputs(), str(flags), *stages])


def make(
    work: Path, result: Path, bytecode_python: Path, cpython: Path, sqlite: Path, zig: Zig, runner: Runner
) -> None:
    """Compile and link in `work`; leave `runtime.wasm` in `result`."""
    freeze: list[str | Path] = [
        python_path(bytecode_python),
        *BYTECODE_OPTIONS,
        FREEZE,
        library_path(bytecode_python),
    ]
    runner.run(
        "freezing the standard library", [*freeze, RUNTIME / "stdlib.txt", RUNTIME / "python", work], work
    )
    include = [
        f"-I{folder}" for folder in (cpython / "include", cpython / "include/internal", sqlite, RUNTIME, work)
    ]
    # CPython's private header of frozen modules asks who includes it.
    flags = [*COMPILE_FLAGS, *EMULATION_FLAGS, "-DPy_BUILD_CORE", "-Wall", "-Wno-c23-extensions", *include]
    objects = []
    for source in [*sorted(RUNTIME.glob("*.c")), work / "frozen.c"]:
        target = work / f"{source.stem}.o"
        # Names of our own only: a path would make the module differ from machine to machine.
        command: list[str | Path] = [
            *zig.wasm(),
            *flags,
            f"-ffile-prefix-map={source.parent}=.",
            "-c",
            source,
            "-o",
            target,
        ]
        runner.run(f"compiling {source.name}", command, work, zig.environment)
        objects.append(target)
    archives = [cpython / "libpython3.13.a", cpython / "libHacl_Hash_SHA2.a"]
    command = [*zig.wasm(), *LINK_FLAGS, f"-Wl,--export={BUNDLE_GLOBAL}", "-o", result / WASM, *objects]
    command += [sqlite / "sqlite3.o", *archives, *EMULATION_LIBRARIES, "-lm"]
    runner.run("linking the runtime", command, work, zig.environment)
    _check(result / WASM)


def _check(path: Path) -> None:
    """The system interface must be bound whole: an import other than ic0 cannot be installed."""
    data = path.read_bytes()
    ensure_only_ic0(parse(data))
    if b"/building-" in data:
        raise ToolchainError(f"{path} contains a path of this machine: builds would differ")
