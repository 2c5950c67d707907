"""`python -m cdk.toolchain`: build the runtime if needed and say where it is."""

import argparse
import sys

from cdk.errors import CdkError
from cdk.toolchain.runtime import ensure_runtime


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m cdk.toolchain", description="Build the canister runtime."
    )
    parser.add_argument(
        "--quiet", action="store_true", help="print no paths (progress of a build is still shown)"
    )
    arguments = parser.parse_args()
    try:
        runtime = ensure_runtime()
    except CdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not arguments.quiet:
        print(f"runtime {runtime.wasm}\npython  {runtime.python}\ndigest  {runtime.digest}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
