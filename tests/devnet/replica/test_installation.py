"""Installing, upgrading and removing code."""

from __future__ import annotations

import gzip
import hashlib

import pytest
import wasmtime

from tests.devnet.replica.harness import OTHER_USER, Net, rejected
from tests.devnet.replica.wat import ANSWER, module, number


def version(number: int, *, init: str = "", pre: str = "", post: str = "", extra: str = "") -> str:
    return module(
        ANSWER
        + f"""
        (global $heap (mut i64) (i64.const {number}))
        (func (export "canister_init")
          (drop (call $stable64_grow (i64.const 1)))
          {init})
        (func (export "canister_pre_upgrade") {pre})
        (func (export "canister_post_upgrade") {post})
        (func (export "canister_update set")
          (global.set $heap (i64.const 50))
          (i64.store (i32.const 8) (i64.const 60))
          (call $stable64_write (i64.const 0) (i64.const 8) (i64.const 8))
          (call $certified_data_set {{tag}})
          (call $msg_reply))
        (func (export "canister_query number") (call $answer_i64 (i64.const {number})))
        (func (export "canister_query heap") (call $answer_i64 (global.get $heap)))
        (func (export "canister_query memory") (call $answer (i32.const 8) (i32.const 8)))
        (func (export "canister_query stable")
          (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 8))
          (call $answer (i32.const 0) (i32.const 8)))
        (func (export "canister_query stable_pages") (call $answer_i64 (call $stable64_size)))
        {extra}
        """,
        texts={"tag": "tag", "boom": "not today"},
    )


TRAP = "(call $trap {boom})"
WRITE_99 = """
(i64.store (i32.const 8) (i64.const 99))
(call $stable64_write (i64.const 0) (i64.const 8) (i64.const 8))
"""


def look(net: Net, canister: bytes) -> tuple[int, ...]:
    return tuple(number(net.query(canister, name)) for name in ("number", "heap", "stable"))


@pytest.fixture
def canister(net: Net) -> bytes:
    canister = net.deploy(version(1))
    net.update(canister, "set")
    return canister


def test_an_upgrade_keeps_stable_memory_and_drops_the_heap(net: Net, canister: bytes) -> None:
    assert look(net, canister) == (1, 50, 60)
    net.install(canister, version(2), mode="upgrade")
    assert look(net, canister) == (2, 2, 60)
    view = net.replica.canister_view(canister)
    assert view is not None and view.certified_data == b"tag"


def test_hooks_run_around_an_upgrade(net: Net) -> None:
    canister = net.deploy(version(1, pre=WRITE_99))
    net.install(canister, version(2, post="(global.set $heap (i64.const 77))"), mode="upgrade")
    assert look(net, canister) == (2, 77, 99)


@pytest.mark.parametrize("hook", ["pre", "post"])
def test_a_failing_hook_leaves_the_old_canister(net: Net, hook: str) -> None:
    canister = net.deploy(version(1, pre=WRITE_99 + TRAP if hook == "pre" else WRITE_99))
    net.update(canister, "set")
    before = look(net, canister)
    new = version(2, post=WRITE_99 + TRAP)
    reject = rejected(lambda: net.install(canister, new, mode="upgrade"))
    assert (reject.error_code, "not today" in reject.message) == ("IC0503", True)
    assert look(net, canister) == before == (1, 50, 60)
    net.update(canister, "set")


def test_pre_upgrade_can_be_skipped(net: Net) -> None:
    canister = net.deploy(version(1, pre=TRAP))
    module_bytes = bytes(wasmtime.wat2wasm(version(2)))
    options = {"skip_pre_upgrade": True, "wasm_memory_persistence": None}
    net.manage(
        "install_code",
        mode=("upgrade", options),
        canister_id=canister,
        wasm_module=module_bytes,
        arg=b"",
    )
    assert look(net, canister)[0] == 2


def test_the_heap_can_be_kept(net: Net, canister: bytes) -> None:
    options = {"skip_pre_upgrade": None, "wasm_memory_persistence": ("keep", None)}
    module_bytes = bytes(wasmtime.wat2wasm(version(2)))
    net.manage(
        "install_code",
        mode=("upgrade", options),
        canister_id=canister,
        wasm_module=module_bytes,
        arg=b"",
    )
    assert number(net.query(canister, "memory")) == 60


def test_a_reinstallation_forgets_everything(net: Net, canister: bytes) -> None:
    net.install(canister, version(3), mode="reinstall")
    assert look(net, canister) == (3, 3, 0)
    view = net.replica.canister_view(canister)
    assert view is not None and view.certified_data == b""


def test_a_failing_reinstallation_leaves_everything(net: Net, canister: bytes) -> None:
    rejected(lambda: net.install(canister, version(3, init=WRITE_99 + TRAP), mode="reinstall"))
    assert look(net, canister) == (1, 50, 60)


def test_a_failing_installation_leaves_an_empty_canister(net: Net) -> None:
    canister = net.create()
    reject = rejected(lambda: net.install(canister, version(1, init=TRAP)))
    assert "not today" in reject.message
    assert net.status(canister)["module_hash"] is None
    net.install(canister, version(1))


def test_modes_are_checked(net: Net, canister: bytes) -> None:
    assert rejected(lambda: net.install(canister, version(2))).error_code == "IC0514"
    assert rejected(lambda: net.install(net.create(), version(2), mode="upgrade")).error_code == "IC0537"


def test_only_controllers_install(net: Net, canister: bytes) -> None:
    reject = rejected(lambda: net.install(canister, version(2), mode="upgrade", sender=OTHER_USER))
    assert reject.error_code == "IC0512"
    assert "Only the controllers" in reject.message


def test_the_start_function_runs_at_installation_only(net: Net) -> None:
    starting = module(
        ANSWER
        + """
        (global $starts (mut i64) (i64.const 0))
        (start $begin)
        (func $begin
          (global.set $starts (i64.add (global.get $starts) (i64.const 1)))
          (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1))))
        (func (export "canister_update boom") unreachable)
        (func (export "canister_query starts") (call $answer_i64 (global.get $starts)))
        (func (export "canister_query stored") (call $answer (i32.const 8) (i32.const 8)))
        """
    )
    canister = net.deploy(starting)
    rejected(lambda: net.update(canister, "boom"))
    assert number(net.query(canister, "starts")) == number(net.query(canister, "stored")) == 1
    net.install(canister, starting, mode="upgrade")
    assert number(net.query(canister, "starts")) == number(net.query(canister, "stored")) == 1


def test_system_calls_are_limited_in_the_start_function(net: Net) -> None:
    starting = module("(start $begin) (func $begin (drop (call $time)))")
    reject = rejected(lambda: net.deploy(starting))
    assert "cannot be executed in start mode" in reject.message


def test_a_compressed_module_is_known_by_the_hash_of_what_was_sent(net: Net) -> None:
    packed = gzip.compress(bytes(wasmtime.wat2wasm(version(4))))
    canister = net.create()
    net.install(canister, packed)
    assert look(net, canister)[0] == 4
    assert net.status(canister)["module_hash"] == hashlib.sha256(packed).digest()


def test_a_module_comes_in_chunks(net: Net) -> None:
    code = bytes(wasmtime.wat2wasm(version(5)))
    canister = net.create()
    parts = [code[:100], code[100:250], code[250:]]
    hashes = [net.manage("upload_chunk", canister_id=canister, chunk=part) for part in parts]
    assert net.manage("stored_chunks", canister_id=canister) == hashes

    def install(module_hash: bytes, chunk_hashes: list[dict[str, bytes]]) -> None:
        net.manage(
            "install_chunked_code",
            mode=("install", None),
            target_canister=canister,
            chunk_hashes_list=chunk_hashes,
            wasm_module_hash=module_hash,
            arg=b"",
        )

    good = hashlib.sha256(code).digest()
    assert rejected(lambda: install(b"\0" * 32, hashes)).error_code == "IC0404"
    assert rejected(lambda: install(good, [{"hash": b"\1" * 32}])).error_code == "IC0404"
    install(good, hashes)
    assert look(net, canister)[0] == 5
    net.manage("clear_chunk_store", canister_id=canister)
    assert net.manage("stored_chunks", canister_id=canister) == []


def test_a_chunk_has_a_maximum_size(net: Net) -> None:
    canister = net.create()
    net.manage("upload_chunk", canister_id=canister, chunk=bytes(1 << 20))
    reject = rejected(lambda: net.manage("upload_chunk", canister_id=canister, chunk=bytes((1 << 20) + 1)))
    assert reject.error_code == "IC0404"


def test_uninstalling_removes_code_and_data(net: Net, canister: bytes) -> None:
    net.manage("uninstall_code", canister_id=canister)
    status = net.status(canister)
    assert status["module_hash"] is None
    assert status["memory_metrics"]["stable_memory_size"] == 0
    assert rejected(lambda: net.query(canister, "number")).error_code == "IC0537"
    net.install(canister, version(1))
    assert look(net, canister) == (1, 1, 0)


def test_the_argument_reaches_init_and_post_upgrade(net: Net) -> None:
    store = """
    (call $msg_arg_data_copy (i32.const 8) (i32.const 0) (call $msg_arg_data_size))
    """
    canister = net.create()
    net.install(canister, version(1, init=store), arg=b"12345678")
    assert net.query(canister, "memory") == b"12345678"
    net.install(canister, version(2, post=store), mode="upgrade", arg=b"abcdefgh")
    assert net.query(canister, "memory") == b"abcdefgh"
