"""Canister modules: reading, checking, rewriting, compiling and running them under wasmtime."""
