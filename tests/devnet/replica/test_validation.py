"""Which modules may be installed."""

from __future__ import annotations

import gzip

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from devnet.replica import Limits
from devnet.replica.system_api import bridge
from devnet.replica.system_api.table import function_types
from devnet.replica.wasm.instrumentation import instrument
from devnet.replica.wasm.validation import InvalidModule, ModuleInfo, unpack, validate
from tests.devnet.replica.harness import Net, rejected
from tests.devnet.replica.wat import module

assert bridge.GROUPS


def check(wat: str, limits: Limits | None = None) -> ModuleInfo:
    return validate(bytes(wasmtime.wat2wasm(wat)), function_types(), limits or Limits())


def custom(name: str, content: bytes) -> bytes:
    body = bytes([len(name)]) + name.encode() + content
    return b"\0" + bytes([len(body)]) + body


@pytest.mark.parametrize(
    ("wat", "part"),
    [
        ('(module (import "env" "f" (func)))', "'env.f' is not part of ic0"),
        ('(module (import "ic0" "nope" (func)))', "'ic0.nope' is not part of ic0"),
        ('(module (import "ic0" "msg_reply" (func (param i32))))', "'ic0.msg_reply' has type"),
        ('(module (import "ic0" "time" (memory 1)))', "is not part of ic0"),
        ('(module (func (export "canister_nope")))', "is no entry point"),
        ('(module (func (export "canister_init") (param i32)))', "neither parameters nor results"),
        ('(module (func (export "canister_update x") (result i32) (i32.const 1)))', "neither parameters"),
        (
            '(module (func (export "canister_update x")) (func (export "canister_query x")))',
            "Duplicate function 'x'",
        ),
        ("(module (memory 1) (memory 1))", "at most one is allowed"),
    ],
)
def test_broken_rules_are_named(wat: str, part: str) -> None:
    with pytest.raises(InvalidModule) as caught:
        check(wat)
    assert part in str(caught.value)


def test_bounds_hold_at_and_past_the_maximum() -> None:
    limits = Limits(functions=2, globals=2, exported_methods=2, method_name_bytes=4)
    two = '(global i32 (i32.const 0)) (global i32 (i32.const 0)) (func (export "canister_update ab"))'
    check(f'(module {two} (func (export "canister_query cd")))', limits)
    for extra in (
        '(func (export "canister_query cd")) (func)',
        '(func (export "canister_query cd")) (global i32 (i32.const 0))',
        '(func (export "canister_query cde"))',
        '(func $f (export "canister_query c") (export "canister_query d"))',
    ):
        with pytest.raises(InvalidModule):
            check(f"(module {two} {extra})", limits)


def test_metadata_sections_are_read_and_bounded() -> None:
    plain = bytes(wasmtime.wat2wasm("(module)"))
    sections = custom("icp:public candid:service", b"did") + custom("icp:private note", b"!")
    info = validate(plain + sections, function_types(), Limits())
    assert (info.public_metadata, info.private_metadata) == ({"candid:service": b"did"}, {"note": b"!"})
    for bad in (custom("icp:secret x", b""), custom("icp:public note", b"") + sections):
        with pytest.raises(InvalidModule):
            validate(plain + bad, function_types(), Limits())
    many = b"".join(custom(f"icp:public {number}", b"") for number in range(16))
    validate(plain + many, function_types(), Limits())
    with pytest.raises(InvalidModule):
        validate(plain + many + custom("icp:public x", b""), function_types(), Limits())
    with pytest.raises(InvalidModule):
        validate(plain + custom("icp:public x", b"12345"), function_types(), Limits(custom_sections_bytes=5))


def test_a_compressed_bomb_is_refused() -> None:
    limits = Limits(module_bytes=1000)
    assert unpack(gzip.compress(bytes(1000)), limits) == bytes(1000)
    for bad in (gzip.compress(bytes(1001)), bytes(1001), gzip.compress(b"x" * 100)[:-5], b"\x1f\x8b\x08"):
        with pytest.raises(InvalidModule):
            unpack(bad, limits)


SAMPLE = bytes(
    wasmtime.wat2wasm(
        module(
            """
            (global $a (mut i32) (i32.const 1)) (global i64 (i64.const -5))
            (global $f (mut f64) (f64.const 1))
            (table 3 funcref) (start $go) (func $go)
            (func (export "canister_update x") (call $msg_reply))
            """
        )
    )
)


def test_modules_that_differ_in_names_and_data_share_their_code() -> None:
    def variant(name: str, pages: int, data: str) -> bytes:
        wat = f'(memory {pages} 9) (data (i32.const 5) "{data}") (func (export "canister_update {name}"))'
        return instrument(bytes(wasmtime.wat2wasm(f"(module {wat})")))

    assert variant("a", 1, "x") == variant("bcd", 3, "other data")


def test_data_that_does_not_fit_is_refused() -> None:
    check('(module (memory 1) (data (i32.const 65535) "x"))')
    for bad in (
        '(module (memory 1) (data (i32.const 65536) "x"))',
        '(module (memory 1) (data (i32.const -1) "x"))',
        '(module (global i32 (i32.const 1)) (memory 1) (data (global.get 0) "x"))',
    ):
        with pytest.raises(InvalidModule):
            check(bad)


def test_instrumentation_adds_exports_and_removes_the_start() -> None:
    info = validate(SAMPLE, function_types(), Limits())
    again = validate(instrument(SAMPLE), function_types(), Limits())
    assert (info.start, again.start) == (1, None)
    assert info.mutable_globals == again.mutable_globals == (0, 2)
    assert again.exports == {"function 0": 0, "function 1": 1, "function 2": 2}
    names = {export.name for export in wasmtime.Module(wasmtime.Engine(), instrument(SAMPLE)).exports}
    assert {"memory", "table", "global 0", "global 2"} <= names


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255))
def test_damaged_modules_never_break_the_reader(position: int, value: int) -> None:
    damaged = SAMPLE[:position] + bytes([value]) + SAMPLE[position + 1 :]
    for candidate in (damaged, SAMPLE[:position]):
        try:
            validate(candidate, function_types(), Limits())
            instrument(candidate)
        except InvalidModule:
            pass


def test_a_module_that_ends_inside_its_table_is_refused() -> None:
    """The reader once looked past the end of the module for the kind of table."""
    with pytest.raises(InvalidModule, match="ends early"):
        validate(b"\0asm\1\0\0\0" + b"\4\1\1", function_types(), Limits())


def test_code_that_is_not_webassembly_is_refused_at_installation(net: Net) -> None:
    canister = net.create()
    broken = bytes(wasmtime.wat2wasm('(module (func (export "canister_init") (drop (i32.const 5))))'))
    broken = broken.replace(b"\x41\x05\x1a", b"\x41\x05\x6a")
    for bad in (b"", b"junk", broken):
        reject = rejected(lambda bad=bad: net.install(canister, bad))  # type: ignore[misc]
        assert reject.error_code == "IC0505"
