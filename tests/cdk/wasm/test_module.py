"""Parsing and emitting WebAssembly modules."""

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from cdk.errors import CdkError
from cdk.wasm.module import (
    MAGIC,
    VERSION,
    Export,
    ExternalKind,
    Section,
    SectionId,
    emit,
    emit_exports,
    emit_memory,
    parse,
    parse_constant_globals,
    parse_exports,
    parse_imports,
    parse_memory,
)
from cdk.wasm.reader import Reader, WasmError, s32, u32

SAMPLE = bytes(
    wasmtime.wat2wasm(
        """
        (module
          (import "ic0" "msg_reply" (func $reply))
          (import "ic0" "time" (func $time (result i64)))
          (memory (export "memory") 2 7)
          (table (export "table") 3 funcref)
          (global $stack (mut i32) (i32.const 65536))
          (global (export "leasehold_bundle") i32 (i32.const 1024))
          (func (export "canister_update hi") call $reply)
          (data (i32.const 1024) "\\00\\00\\00\\00\\00\\00\\00\\00"))
        """
    )
)


@given(st.integers(0, 2**32 - 1))
def test_unsigned_numbers_round_trip(value: int) -> None:
    assert Reader(u32(value)).u32() == value


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_numbers_round_trip(value: int) -> None:
    assert Reader(s32(value)).s32() == value


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x80\x80\x80\x80\x00", b"\xff\xff\xff\xff\x1f"])
def test_bad_numbers_are_refused(data: bytes) -> None:
    with pytest.raises(WasmError):
        Reader(data).u32()


sections = st.lists(
    st.one_of(
        st.builds(Section, st.just(SectionId.CUSTOM), st.binary(max_size=300), st.text(max_size=20)),
        st.builds(Section, st.sampled_from([n for n in SectionId if n]), st.binary(max_size=300)),
    ),
    max_size=8,
    unique_by=lambda section: section.id or section,
)


@given(sections)
def test_parse_undoes_emit(module: list[Section]) -> None:
    assert parse(emit(module)) == module


def test_emit_undoes_parse() -> None:
    assert emit(parse(SAMPLE)) == SAMPLE


def test_what_is_read_of_a_module() -> None:
    module = parse(SAMPLE)
    assert [(item.module, item.name) for item in parse_imports(module)] == [
        ("ic0", "msg_reply"),
        ("ic0", "time"),
    ]
    assert parse_exports(module) == [
        Export("memory", ExternalKind.MEMORY, 0),
        Export("table", ExternalKind.TABLE, 0),
        Export("leasehold_bundle", ExternalKind.GLOBAL, 1),
        Export("canister_update hi", ExternalKind.FUNCTION, 2),
    ]
    assert parse_memory(module) == (2, 7)
    assert parse_constant_globals(module) == [None, 1024]


def test_rewritten_sections_read_back() -> None:
    exports = [Export("a b", ExternalKind.FUNCTION, 300), Export("☹", ExternalKind.MEMORY, 0)]
    assert parse_exports([emit_exports(exports)]) == exports
    assert parse_memory([emit_memory(5, None)]) == (5, None)
    assert parse_memory([emit_memory(5, 65536)]) == (5, 65536)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0as",
        b"\x7fELF" + bytes(60),
        b"\x1f\x8b\x08" + bytes(20),
        MAGIC + (2).to_bytes(4, "little"),
        MAGIC + VERSION + b"\x0e\x00",
        MAGIC + VERSION + b"\x01\x05\x00",
        MAGIC + VERSION + b"\x01\x01\x00\x01\x01\x00",
        MAGIC + VERSION + b"\x00\x02\x01\xff",
    ],
    ids=["empty", "short", "elf", "gzip", "version", "section", "truncated", "twice", "name"],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CdkError):
        parse(data)


@given(st.integers(0, len(SAMPLE) - 1))
def test_truncations_are_refused_or_end_between_sections(size: int) -> None:
    whole = parse(SAMPLE)
    try:
        assert parse(SAMPLE[:size]) == whole[: len(parse(SAMPLE[:size]))]
    except WasmError:
        pass


@given(st.integers(0, len(SAMPLE) - 1), st.integers(1, 255))
def test_damage_never_breaks_the_reader(position: int, change: int) -> None:
    damaged = bytearray(SAMPLE)
    damaged[position] ^= change
    try:
        module = parse(bytes(damaged))
        parse_imports(module)
        parse_exports(module)
        parse_memory(module)
        parse_constant_globals(module)
    except WasmError:
        pass
