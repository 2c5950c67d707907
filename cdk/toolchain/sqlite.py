"""Stage 3: SQLite as one WebAssembly object, from its canonical sources so that unused SQL is left out."""

import os
import shutil
import tempfile
from pathlib import Path

from cdk.toolchain.apt import download_binaries
from cdk.toolchain.cache import Recipe, digest_of
from cdk.toolchain.compiler import COMPILE_FLAGS, TARGET, Zig
from cdk.toolchain.pins import SQLITE, ZIG_VERSION
from cdk.toolchain.process import Runner
from cdk.toolchain.sources import unpack

OPTIONS = Path(__file__).parent.parent / "runtime" / "sqlite_options.txt"
TCL_PACKAGES = ["tcl8.6", "libtcl8.6"]


def digest() -> str:
    return digest_of([Recipe(__file__), OPTIONS, str((COMPILE_FLAGS, TARGET)), ZIG_VERSION, SQLITE.sha256])


def options() -> list[str]:
    """The options as compiler flags."""
    lines = (line.partition("#")[0].strip() for line in OPTIONS.read_text().splitlines())
    return [f"-D{line}" for line in lines if line]


def make(work: Path, result: Path, zig: Zig, runner: Runner) -> None:
    """Generate `sqlite3.c` in `work`; leave `sqlite3.o` and `sqlite3.h` in `result`."""
    source = unpack(SQLITE, work)
    build = work / "build"
    build.mkdir()
    tools = work / "tools"
    tools.mkdir()
    environment = {**zig.environment, **_with_tcl(tools, runner)}
    native = " ".join(zig.native())
    settings = [f"TOP={source}", f"BCC={native}", f"TCC={native}", f"OPTS={' '.join(options())}"]
    command: list[str | Path] = ["make", "-f", source / "main.mk", *settings, "sqlite3.c"]
    runner.run("generating SQLite", command, build, environment)
    compile_command: list[str | Path] = [
        *zig.wasm(),
        *COMPILE_FLAGS,
        "-w",
        *options(),
        "-c",
        "sqlite3.c",
        "-o",
        result / "sqlite3.o",
    ]
    runner.run("compiling SQLite for the canister", compile_command, build, zig.environment)
    shutil.copy(build / "sqlite3.h", result)


def _with_tcl(tools: Path, runner: Runner) -> dict[str, str]:
    """Environment in which `tclsh` runs: the machine's own, or Debian's unpacked into `tools`."""
    if shutil.which("tclsh"):
        return {}
    with tempfile.TemporaryDirectory(dir=tools) as work:
        download_binaries(TCL_PACKAGES, Path(work), tools, runner)
    library = next(tools.glob("usr/lib/*/libtcl8.6.so*")).parent
    tclsh = tools / "tclsh"
    tclsh.write_text(
        "#!/bin/sh\n"
        f'export LD_LIBRARY_PATH="{library}" TCL_LIBRARY="{tools}/usr/share/tcltk/tcl8.6"\n'
        f'exec "{tools}/usr/bin/tclsh8.6" "$@"\n'
    )
    tclsh.chmod(0o755)
    return {"PATH": f"{tools}:{os.environ.get('PATH', '')}"}
