"""Prints a canister's interface as JSON: `python -m cdk.builder.describe ROOT MODULE`, in its own process.

Imports the canister on this machine with our `kybra`; calls of the system while it is imported are refused,
because their answers would differ inside the canister.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from cdk.candid import Error
from cdk.candid.did import DidError, service_text
from cdk.candid.types import Func
from cdk.errors import CdkError
from cdk.testing.loading import LoadedCanister


def describe(root: Path, module: str) -> dict[str, Any]:
    """`{"did": text, "exports": [[export name, method index or runtime export], …]}` of a canister."""
    loaded = LoadedCanister(module, root, {name: _refusing(name) for name in ("_ic0", "_stable")})
    methods = loaded.methods
    init = methods.HOOKED.get("init")
    functions = {
        name: Func(method.arguments, method.results, () if method.kind == "update" else (method.kind,))
        for name, method in methods.METHODS.items()
    }
    exports: list[list[str | int]] = [[name, index] for index, name in enumerate(loaded.entry_points)]
    exports.append(["canister_global_timer", "canister_global_timer"])
    for hook in ("heartbeat", "inspect_message"):
        if hook in methods.HOOKED:
            exports.append([f"canister_{hook}", f"canister_{hook}"])
    return {"did": service_text(init.arguments if init else None, functions), "exports": exports}


def _refusing(name: str) -> ModuleType:
    module = ModuleType(name)

    def refuse(attribute: str) -> Any:
        def call(*_: Any) -> Any:
            raise CdkError(
                f"{name}.{attribute} is called while the canister is imported: do it in @init instead"
            )

        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return call

    module.__getattr__ = refuse  # type: ignore[method-assign]
    return module


def main() -> int:
    """Describe the canister named on the command line."""
    root, module = Path(sys.argv[1]), sys.argv[2]
    try:
        print(json.dumps(describe(root, module)))
        return 0
    except (Error, DidError) as error:
        print(str(error).replace(f"{root}/", ""), file=sys.stderr)
    except Exception as error:
        print(_place(error, root) + f"{type(error).__name__}: {error}", file=sys.stderr)
    return 1


def _place(error: Exception, root: Path) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(root))
    ]
    frames = [frame for frame in frames if "/cdk/" not in frame.filename] or frames
    return f"{Path(frames[-1].filename).relative_to(root)}:{frames[-1].lineno}: " if frames else ""


if __name__ == "__main__":
    sys.exit(main())
