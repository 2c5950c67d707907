"""Interface specification, "Canister module format" and "WebAssembly module requirements"."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from tests.devnet.agent import uleb
from tests.devnet.conformance.driver import CANISTER_ERROR, Canister, User, code_of
from tests.devnet.conformance.program import blob, module, reply

MIB = 1024 * 1024


def installable(owner: User, wasm: bytes) -> bool:
    """Whether a module is accepted; another canister must not notice."""
    canister = owner.create()
    code = code_of(lambda: canister.install(wasm))
    assert code in (0, CANISTER_ERROR)
    assert (canister.status()["module_hash"] is not None) is (code == 0)
    canister.manage("stop_canister")
    canister.manage("delete_canister")
    return code == 0


def text(source: str) -> bytes:
    return module(text=source)


@pytest.mark.parametrize(
    "source",
    [
        "(module)",
        "(module (memory 1))",
        '(module (memory (export "memory") 1))',
        "(module (memory i64 1))",
        '(module (func (export "canister_init")))',
        '(module (func $f) (start $f) (func (export "anything else") (param i32)))',
        '(module (func (export "canister_update a")) (func (export "canister_query b")))',
        '(module (func (export "canister_update ")) (func (export "canister_query with spaces and é")))',
        '(module (import "ic0" "time" (func (result i64))))',
        '(module (import "ic0" "msg_arg_data_size" (func (result i64))) (memory i64 1))',
        "(module (func (param v128)) (func (result i32 i32) i32.const 1 i32.const 2))",
        '(module (memory 1) (func (export "canister_global_timer")) (func (export "canister_heartbeat")))',
    ],
)
def test_modules_that_conform(owner: User, source: str) -> None:
    """What is allowed: no memory, either pointer width, a start function, other exports, any method name."""
    assert installable(owner, text(source))


@pytest.mark.parametrize(
    "source",
    [
        # imports
        '(module (import "env" "abort" (func)))',
        '(module (import "ic0" "no_such_function" (func)))',
        '(module (import "ic0" "time" (func (result i32))))',
        '(module (import "ic0" "msg_arg_data_size" (func (result i32))) (memory i64 1))',
        '(module (import "ic0" "msg_arg_data_size" (func (result i64))) (memory 1))',
        '(module (import "ic0" "memory" (memory 1)))',
        '(module (import "ic0" "table" (table 1 funcref)))',
        '(module (import "ic0" "global" (global i32)))',
        # exports
        '(module (func (export "canister_init") (param i32)))',
        '(module (func (export "canister_inspect_message") (result i32) (i32.const 0)))',
        '(module (func (export "canister_pre_upgrade") (param i64)))',
        '(module (func (export "canister_post_upgrade") (param i64)))',
        '(module (func (export "canister_heartbeat") (param i64)))',
        '(module (func (export "canister_global_timer") (param i64)))',
        '(module (func (export "canister_on_low_wasm_memory") (param i64)))',
        '(module (func (export "canister_update x") (param i64)))',
        '(module (func (export "canister_query x") (result i64) (i64.const 0)))',
        '(module (func (export "canister_composite_query x") (result i64) (i64.const 0)))',
        '(module (func (export "canister_update x")) (func (export "canister_query x")))',
        '(module (func (export "canister_query x")) (func (export "canister_composite_query x")))',
        '(module (func (export "canister_foo")))',
        '(module (func (export "canister_updatex")))',
        # memory
        "(module (memory 1) (memory 1))",
    ],
)
def test_modules_that_do_not_conform(owner: User, canister: Canister, source: str) -> None:
    """Each requirement broken once: CANISTER_ERROR, nothing installed, no other canister affected."""
    assert not installable(owner, text(source))
    assert canister.query(reply(blob(b"unaffected"))) == b"unaffected"


def section(name: str, content: bytes) -> bytes:
    data = uleb(len(name)) + name.encode() + content
    return b"\0" + uleb(len(data)) + data


PLAIN = b"\0asm\1\0\0\0"


@pytest.mark.parametrize(
    "names, accepted",
    [
        (["icp:public a", "icp:private b", "other", "other"], True),
        (["icp:public a", "icp:private a"], False),
        (["icp:public a", "icp:public a"], False),
        (["icp:secret a"], False),
        (["icp:"], False),
        ([f"icp:public {number}" for number in range(16)], True),
        ([f"icp:public {number}" for number in range(17)], False),
    ],
)
def test_custom_sections(owner: User, names: list[str], accepted: bool) -> None:
    """Names of custom sections: `icp:public` or `icp:private`, each name once, at most 16 of them."""
    assert installable(owner, PLAIN + b"".join(section(name, b"x") for name in names)) is accepted


def test_the_size_of_custom_sections(owner: User) -> None:
    """At most 1 MiB of names and contents together."""
    assert installable(owner, PLAIN + section("icp:public a", bytes(MIB - 1)))
    assert not installable(owner, PLAIN + section("icp:public a", bytes(MIB)))


@pytest.mark.parametrize("count, accepted", [(1000, True), (1001, False)])
def test_the_number_of_globals(owner: User, count: int, accepted: bool) -> None:
    """At most 1,000 globals."""
    assert installable(owner, text(f"(module {'(global i32 (i32.const 0))' * count})")) is accepted


@pytest.mark.parametrize("count, accepted", [(5_000, True), (50_001, False)])
def test_the_number_of_functions(owner: User, count: int, accepted: bool) -> None:
    """At most 50,000 functions. Fewer are installed here, since compiling so many takes seconds."""
    types = b"\x01\x04\x01\x60\x00\x00"
    functions = uleb(count) + bytes(count)
    code = uleb(count) + b"\x02\x00\x0b" * count
    wasm = PLAIN + types + b"\x03" + uleb(len(functions)) + functions + b"\x0a" + uleb(len(code)) + code
    assert installable(owner, wasm) is accepted


@pytest.mark.parametrize("count, accepted", [(1000, True), (1001, False)])
def test_the_number_of_methods(owner: User, count: int, accepted: bool) -> None:
    """At most 1,000 exported methods."""
    exports = "".join(f'(export "canister_update {number}" (func 0))' for number in range(count))
    assert installable(owner, text(f"(module (func) {exports})")) is accepted


@pytest.mark.parametrize("size, accepted", [(20_000, True), (20_001, False)])
def test_the_length_of_method_names(owner: User, size: int, accepted: bool) -> None:
    """At most 20,000 bytes of method names."""
    first = "x" * 10_000
    second = "y" * (size - 10_000)
    exports = f'(export "canister_update {first}" (func 0)) (export "canister_query {second}" (func 0))'
    assert installable(owner, text(f"(module (func) {exports})")) is accepted


def test_too_large_code_is_refused(owner: User) -> None:
    """Resource limits: a code section of at most 10 MiB; it travels compressed."""
    body = b"\x00" + b"\x01" * (11 * MIB) + b"\x0b"
    code = b"\x01" + uleb(len(body)) + body
    wasm = PLAIN + b"\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a" + uleb(len(code)) + code
    assert not installable(owner, gzip.compress(wasm))


def test_modules_may_be_compressed(owner: User) -> None:
    """Canister module format: gzip; the module's hash is that of what was sent."""
    canister = owner.create()
    packed = gzip.compress(module(), mtime=0)
    canister.install(packed)
    assert canister.query(reply(blob(b"hi"))) == b"hi"
    assert canister.status()["module_hash"] == hashlib.sha256(packed).digest()


BROKEN = {
    "nothing": b"",
    "no version": b"\0asm",
    "another version": b"\0asm\2\0\0\0",
    "no gzip": b"\x1f\x8b\x08garbage",
    "truncated": module()[:-3],
    "script": b"#!/bin/sh",
    "gzip of no module": gzip.compress(b"x", mtime=0),
}


@pytest.mark.parametrize("wasm", BROKEN.values(), ids=BROKEN)
def test_what_is_no_module(owner: User, wasm: bytes) -> None:
    """Canister module format: neither Wasm nor gzip of it, or damaged."""
    assert not installable(owner, wasm)


def test_a_compressed_bomb_is_refused(owner: User) -> None:
    """Resource limits: a module of at most 100 MiB, also when it is unpacked."""
    assert not installable(owner, gzip.compress(PLAIN + section("x", bytes(101 * MIB)), 1))
