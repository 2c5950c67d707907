"""The system API (`ic0`): one table of functions, and the bridge that wasmtime calls."""
