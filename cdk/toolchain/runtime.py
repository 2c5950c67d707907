"""`ensure_runtime`: the stages in order, each taken from the cache if its inputs have not changed."""

import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cdk.toolchain import bytecode_python, cpython, link, sqlite
from cdk.toolchain.cache import forget_old, keep, kept, locked, runtime_root
from cdk.toolchain.compiler import ensure_tools, find_zig
from cdk.toolchain.pins import PYTHON, SQLITE
from cdk.toolchain.process import Progress, Runner
from cdk.toolchain.sources import ensure_sources


@dataclass(frozen=True)
class Runtime:
    """A built runtime.

    wasm: the generic module, to be specialised with `cdk.wasm.specialise`.
    python: CPython of the same version for this machine; run it with `-I -S` to compile and marshal bytecode.
    digest: names everything that went into the module.
    """

    wasm: Path
    python: Path
    digest: str


def ensure_runtime(progress: Progress | None = None) -> Runtime:
    """The runtime of the current inputs, built first if the cache lacks it (2 to 3 minutes on 2 cores).

    progress: called with a line of text while it builds; by default lines go to standard error.
    Raises: ToolchainError, which names the log of the build, if something is missing or fails.
    """
    python_digest = bytecode_python.digest()
    sqlite_digest = sqlite.digest()
    cpython_digest = cpython.digest(python_digest)
    digest = link.digest(python_digest, cpython_digest, sqlite_digest)
    runtime = Runtime(
        wasm=kept("runtime", digest) / link.WASM,
        python=bytecode_python.python_path(kept("bytecode_python", python_digest)),
        digest=digest,
    )
    if runtime.wasm.is_file() and runtime.python.is_file():
        return runtime
    report = progress or _to_stderr(time.monotonic())
    with locked(lambda: report("waiting for another process that builds the runtime")):
        _build(python_digest, cpython_digest, sqlite_digest, digest, report)
    return runtime


def _build(
    python_digest: str, cpython_digest: str, sqlite_digest: str, digest: str, report: Progress
) -> None:
    log = runtime_root() / f"build-{digest}.log"
    runner = Runner(log, report)
    ensure_tools()
    zig = find_zig(runtime_root() / "zig")
    report(f"building the canister runtime (once per machine; log: {log})")
    if not (kept("cpython", cpython_digest).is_dir() and kept("sqlite", sqlite_digest).is_dir()):
        ensure_sources([PYTHON, SQLITE], runner)
    python = keep("bytecode_python", python_digest, partial(bytecode_python.make, zig=zig, runner=runner))
    engine = keep("sqlite", sqlite_digest, partial(sqlite.make, zig=zig, runner=runner))
    make_library = partial(cpython.make, bytecode_python=python, zig=zig, runner=runner)
    library = keep("cpython", cpython_digest, make_library)
    make_runtime = partial(
        link.make, bytecode_python=python, cpython=library, sqlite=engine, zig=zig, runner=runner
    )
    keep("runtime", digest, make_runtime)
    for stage in ("bytecode_python", "sqlite", "cpython", "runtime"):
        forget_old(stage)
    report("the canister runtime is ready")


def _to_stderr(start: float) -> Progress:
    def report(text: str) -> None:
        print(f"[cdk {time.monotonic() - start:4.0f} s] {text}", file=sys.stderr, flush=True)

    return report
