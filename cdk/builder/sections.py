"""The metadata a module carries, each a custom section that the network shows to everyone.

`icp canister metadata NAME leasehold:sources` shows a line of JSON:

| key | what it is |
|---|---|
| canister | the canister's name |
| sources | SHA-256 over the canister's own modules |
| library | SHA-256 over the modules of `kybra` and `cdk.candid` that are in it |
| runtime | the digest of what the runtime was built from |
| runtime_sha256 | SHA-256 of the generic runtime module |

Whoever builds the same sources with the same runtime gets the same values, and the same module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from .imports import Source, is_library

INTERFACE = "candid:service"
SOURCES = "leasehold:sources"


def metadata_sections(did: str, sources: str) -> dict[str, bytes]:
    """Section names to contents: the interface, and what the module was made from."""
    return {f"icp:public {INTERFACE}": did.encode(), f"icp:public {SOURCES}": sources.encode()}


def describe_sources(canister: str, sources: list[Source], runtime_digest: str, runtime: bytes) -> str:
    """The JSON of `leasehold:sources`."""
    facts = {
        "canister": canister,
        "sources": _digest(source for source in sources if not is_library(source)),
        "library": _digest(source for source in sources if is_library(source)),
        "runtime": runtime_digest,
        "runtime_sha256": hashlib.sha256(runtime).hexdigest(),
    }
    return json.dumps(facts)


def _digest(sources: Iterable[Source]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        for part in (source.name, source.filename, str(source.is_package), source.text):
            raw = part.encode()
            digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
