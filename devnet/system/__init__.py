"""The system canisters that command-line tools expect at their well-known ids.

They are part of the node, written in Python, not Wasm modules: the ICP ledger, the cycles ledger and the
cycles minting canister, each with the methods that tools use. `docs/devnet.md` says what is left out.
"""
