"""The steps of `cdk.build`.

1. `project` finds the source and the project's root.
2. `imports` follows the import statements, without running anything, to every module of ours.
3. `interface` imports the canister on this machine and reads its endpoints and `.did`.
4. `bundle` compiles the modules with the Python of the runtime.
5. `cache` keeps the result by the content of everything that went into it.

A canister imports its own modules absolutely from the project's root (`from canisters.marketplace.core
import …`), so that the same line works in tests, for type checkers and in the canister.
"""
