"""`build`: from a canister's name to its WebAssembly module and interface."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cdk.builder import cache
from cdk.builder.bundle import make_bundle
from cdk.builder.imports import collect_sources
from cdk.builder.interface import Interface, check_did, read_interface
from cdk.builder.project import Canister, find_canister
from cdk.builder.sections import describe_sources, metadata_sections
from cdk.errors import CdkError

MAX_METHODS = 255
"""Trampolines in the runtime (256), less the one for timers."""
PACKING_LEVEL = 12
"""libdeflate's best: 5 % less than gzip's, in a second."""


@dataclass(frozen=True)
class Built:
    """A finished build. `packed` is what is installed: the module, gzipped. Sizes are in bytes.

    `sha256` is of `packed`, as the network shows it. `sources` is what the module says of its making
    (`cdk.builder.sections`), in JSON.
    """

    canister: Canister
    packed: bytes
    did: str
    sources: str
    size: int
    gzip_size: int
    sha256: str
    cached: bool

    @cached_property
    def module(self) -> bytes:
        """The module itself, as WebAssembly."""
        return gzip.decompress(self.packed)

    def summary(self) -> dict[str, Any]:
        """What the command line prints."""
        return {
            "canister": self.canister.name,
            "size": self.size,
            "gzip_size": self.gzip_size,
            "sha256": self.sha256,
            "sources": json.loads(self.sources),
            "cached": self.cached,
        }


def build(name: str, start: Path | None = None, *, update_did: bool = False, fresh: bool = False) -> Built:
    """Build the canister `name` of the project around `start` (default: the current folder).

    `update_did` rewrites the checked-in interface instead of comparing with it; `fresh` ignores kept builds.
    CdkError says what is wrong with the source, with file and line.
    """
    from cdk.toolchain import ensure_runtime  # building the runtime is not needed to check a source

    canister = find_canister(name, start or Path.cwd())
    sources = collect_sources(canister.module, canister.root)
    runtime = ensure_runtime()
    key = cache.build_key(canister.name, canister.module, sources, runtime.digest)
    kept = None if fresh else cache.load(key)
    if kept is not None:
        _settle_did(canister, str(kept[1]["did"]), update_did)
        return Built(canister, kept[0], cached=True, **kept[1])  # type: ignore[arg-type]
    interface = read_interface(canister)
    _settle_did(canister, interface.did, update_did)
    template = runtime.wasm.read_bytes()
    described = describe_sources(canister.name, sources, runtime.digest, template)
    module = _assemble(interface, make_bundle(sources, runtime.python), template, described)
    packed = pack(module)
    facts = {
        "did": interface.did,
        "sources": described,
        "size": len(module),
        "gzip_size": len(packed),
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    cache.store(key, packed, facts)
    return Built(canister, packed, cached=False, **facts)  # type: ignore[arg-type]


def pack(module: bytes) -> bytes:
    """The module gzipped, as small as libdeflate makes it: smaller modules go into one install message."""
    import deflate

    return bytes(deflate.gzip_compress(module, PACKING_LEVEL))


def check(name: str, start: Path | None = None, *, update_did: bool = False) -> tuple[Canister, Interface]:
    """Everything of `build` that does not need the runtime: imports, annotations, `.did`."""
    canister = find_canister(name, start or Path.cwd())
    collect_sources(canister.module, canister.root)
    interface = read_interface(canister)
    _settle_did(canister, interface.did, update_did)
    return canister, interface


def _settle_did(canister: Canister, generated: str, update: bool) -> None:
    if update:
        canister.did.write_text(generated)
    else:
        check_did(canister, generated)


def ensure_methods_fit(interface: Interface) -> None:
    """CdkError when there are more endpoints than the runtime has trampolines for."""
    methods = [target for target in interface.exports.values() if isinstance(target, int)]
    if len(methods) > MAX_METHODS:
        raise CdkError(f"{len(methods) - 1} endpoints, at most {MAX_METHODS - 1} fit into the runtime")


def _assemble(interface: Interface, bundle: bytes, runtime: bytes, sources: str) -> bytes:
    from cdk.wasm import specialise

    ensure_methods_fit(interface)
    sections = metadata_sections(interface.did, sources)
    return specialise(runtime, exports=interface.exports, bundle=bundle, custom_sections=sections)
