"""WebAssembly modules as bytes: parse, emit, and specialise the generic runtime to one canister."""

from cdk.wasm.module import WasmError
from cdk.wasm.specialise import specialise

__all__ = ["WasmError", "specialise"]
