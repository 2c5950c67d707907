"""From the generic runtime to a canister, on a module of a few bytes (../runtime has the real one)."""

from collections.abc import Mapping

import pytest
import wasmtime

from cdk.wasm import WasmError, specialise
from cdk.wasm.module import PAGE_SIZE, SectionId, parse, parse_exports, parse_memory

LIFECYCLE = "\n".join(
    f'(func (export "canister_{name}"))'
    for name in ("init", "post_upgrade", "pre_upgrade", "heartbeat", "global_timer", "inspect_message")
)


def runtime(**changes: str) -> bytes:
    """A stand-in for the runtime; `changes` replace parts of its text."""
    parts = {
        "imports": '(import "ic0" "msg_reply" (func))',
        "memory": '(memory (export "memory") 2)',
        "record": '(global (export "leasehold_bundle") i32 (i32.const 16))',
        "data": '(data (i32.const 16) "\\00\\00\\00\\00\\00\\00\\00\\00")',
        "extra": '(@custom "name" "x")',
        **changes,
    }
    text = f"""
        (module {parts["imports"]} {parts["memory"]}
          (table (export "__indirect_function_table") 1 funcref)
          {parts["record"]} {LIFECYCLE}
          (func (export "leasehold_method_0")) (func (export "leasehold_method_1")) (func (export "other"))
          {parts["data"]} {parts["extra"]})
    """
    return bytes(wasmtime.wat2wasm(text))


def make(
    exports: Mapping[str, int | str] | None = None,
    bundle: bytes = b"app",
    sections: Mapping[str, bytes] | None = None,
) -> bytes:
    return specialise(runtime(), exports=exports or {}, bundle=bundle, custom_sections=sections or {})


def test_exports_are_chosen_and_renamed() -> None:
    module = make(
        {"canister_update pay": 1, "canister_query ask": 0, "canister_heartbeat": "canister_heartbeat"}
    )
    assert {export.name for export in parse_exports(parse(module))} == {
        "memory",
        "table",
        "canister_init",
        "canister_post_upgrade",
        "canister_pre_upgrade",
        "canister_update pay",
        "canister_query ask",
        "canister_heartbeat",
    }


@pytest.mark.parametrize("size", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 300_000])
def test_the_bundle_lies_in_new_pages_and_the_record_points_at_it(size: int) -> None:
    bundle = bytes(i % 251 for i in range(size))
    module = make(bundle=bundle)
    store = wasmtime.Store()
    linker = wasmtime.Linker(store.engine)
    linker.define_func("ic0", "msg_reply", wasmtime.FuncType([], []), lambda: None)
    instance = linker.instantiate(store, wasmtime.Module(store.engine, module))
    memory = instance.exports(store)["memory"]
    assert isinstance(memory, wasmtime.Memory)
    address, length = (int.from_bytes(memory.read(store, at, at + 4), "little") for at in (16, 20))
    assert (address, length) == (2 * PAGE_SIZE, size)
    assert bytes(memory.read(store, address, address + length)) == bundle
    assert parse_memory(parse(module)) == (2 + -(-size // PAGE_SIZE), None)


def test_metadata_is_attached_and_names_are_dropped() -> None:
    sections = {"icp:public candid:service": b"service : {}", "icp:private secret": b"s", "note": b"free"}
    module = parse(specialise(runtime(), exports={}, bundle=b"", custom_sections=sections))
    assert {s.name: s.content for s in module if s.id is SectionId.CUSTOM} == sections


def test_the_same_input_gives_the_same_module() -> None:
    assert make({"canister_update a": 0}) == make({"canister_update a": 0})


@pytest.mark.parametrize(
    "exports",
    [
        {"canister_update a": 0, "canister_query a": 1},
        {"canister_update a": 2},
        {"canister_update a": -1},
        {"canister_updatea": 0},
        {"canister_surprise": "other"},
        {"plain": "other"},
        {"canister_heartbeat": "canister_missing"},
        {"canister_heartbeat": "memory"},
        {f"canister_update m{i}": 0 for i in range(1001)},
        {f"canister_update {'m' * 250}{i:04}": 0 for i in range(79)},
    ],
    ids=["twice", "number", "negative", "space", "unknown", "plain", "missing", "memory", "many", "long"],
)
def test_exports_that_a_canister_may_not_have_are_refused(exports: dict[str, int | str]) -> None:
    with pytest.raises(WasmError):
        make(exports)


def test_limits_themselves_are_allowed() -> None:
    make({f"canister_update m{i}": 0 for i in range(1000)})
    make({f"canister_update {'m' * 246}{i:04}": 0 for i in range(80)})
    make(sections={f"icp:public m{i}": b"" for i in range(16)})
    make(sections={"icp:public m": bytes((1 << 20) - 1)})


@pytest.mark.parametrize(
    "sections",
    [
        {f"icp:public m{i}": b"" for i in range(17)},
        {"icp:public m": bytes(1 << 20)},
        {"icp:public a": b"", "icp:private a": b""},
        {"icp:secret a": b""},
        {"icp:public": b""},
    ],
    ids=["many", "large", "twice", "visibility", "nameless"],
)
def test_metadata_that_a_canister_may_not_have_is_refused(sections: dict[str, bytes]) -> None:
    with pytest.raises(WasmError):
        make(sections=sections)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"imports": '(import "wasi_snapshot_preview1" "fd_close" (func))'},
            "wasi_snapshot_preview1.fd_close",
        ),
        ({"imports": '(import "ic0" "memory" (memory 1))', "memory": "", "data": ""}, "ic0.memory"),
        ({"record": ""}, "not a Leasehold runtime"),
        ({"record": '(global (export "leasehold_bundle") (mut i32) (i32.const 16))'}, "not a constant"),
        ({"data": ""}, "no data section"),
        ({"memory": '(memory (export "memory") 2 2)'}, "does not fit"),
    ],
)
def test_other_modules_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(WasmError, match=message):
        specialise(runtime(**changes), exports={}, bundle=b"app", custom_sections={})
