"""Builds the canister runtime, CPython and SQLite for the Internet Computer, from pinned sources.

`ensure_runtime()` answers the built runtime, building it first if its inputs changed. Stages, each kept under
the user's cache folder by the digest of what went into it:

1. `bytecode_python`: CPython for this machine, which compiles canisters' modules to bytecode.
2. `cpython`: CPython as a WebAssembly library.
3. `sqlite`: SQLite as a WebAssembly object.
4. `runtime`: the files of `cdk/runtime` and the frozen standard library, linked with both.
"""

from cdk.toolchain.runtime import Runtime, ensure_runtime

__all__ = ["Runtime", "ensure_runtime"]
