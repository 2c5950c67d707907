"""Built modules, run under wasmtime on the real runtime."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cdk.__main__ import cli
from cdk.build import build
from cdk.candid import Codec, Principal
from cdk.candid.did_parser import parse_did
from cdk.candid.header import usual_headers
from cdk.candid.leb128 import encode_signed, encode_unsigned
from tests.cdk.runtime.host import Canister, Message, Trapped

ROOT = Path(__file__).resolve().parents[3]
CANISTERS = ROOT / "tests" / "cdk" / "canisters"
ALICE = b"alice"
SHARED = '''\
def greet(name):
    """Docstrings go, asserts stay."""
    assert name
    return name
'''
SOURCE = """\
from kybra import query, text
from shared import greet

@query
def f(x: text) -> text:
    return greet(x)
"""


class Running:
    """A built canister under wasmtime; calls take and answer Python values."""

    def __init__(self, name: str, *init: Any) -> None:
        self.built = build(str(CANISTERS / name))
        self.description = parse_did(self.built.did)
        self.host = Canister(self.built.module)
        self.host.run("canister_init", Message(arg=Codec(self.description.init or ()).encode(init)))

    def message(self, method: str, *values: Any, caller: bytes = b"\x04") -> Message:
        func = self.description.methods[method]
        kind = "query" if "query" in func.modes else "update"
        message = Message(arg=Codec(func.arguments).encode(values), caller=caller)
        return self.host.run(f"canister_{kind} {method}", message)

    def read(self, method: str, message: Message) -> Any:
        assert message.reply is not None, message.rejected
        return next(iter(Codec(self.description.methods[method].results).decode(message.reply)), None)

    def call(self, method: str, *values: Any, caller: bytes = b"\x04") -> Any:
        return self.read(method, self.message(method, *values, caller=caller))


def test_a_counter_counts_refuses_survives_upgrades_and_traps() -> None:
    counter = Running("counter", 5)
    assert counter.call("increment") == 6
    assert counter.call("add", 4, caller=ALICE) == 10
    assert counter.message("add", 4).rejected == "sign in first"
    counter.host = counter.host.upgraded()
    assert counter.call("get") == 10 and counter.host.log == ["upgraded"]
    with pytest.raises(
        Trapped, match=r"^ValueError: this always fails \(tests/cdk/canisters/counter/main\.py:\d+ in"
    ):
        counter.call("fail")


def test_malformed_arguments_are_rejected_by_the_module() -> None:
    counter = Running("counter", 5)
    for argument in (b"", b"DIDL", b"DIDL\x00\x01\x71\x01a", b"DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x0f"):
        message = counter.host.run("canister_update add", Message(arg=argument, caller=ALICE))
        assert message.rejected is not None and message.rejected.startswith("CandidError: ")


def nested_types(count: int, opcode: bytes) -> bytes:
    """A message of type `opt opt … nat`, or `vec vec … nat`, of `count` levels."""
    table = b"".join([opcode + encode_signed(index + 1) for index in range(count - 1)]) + opcode + b"\x7d"
    return b"DIDL" + encode_unsigned(count) + table + b"\x01\x00"


HOSTILE = {
    "deep opt type": nested_types(1999, b"\x6e") + b"\x00",
    "opt type at the bound": nested_types(99, b"\x6e") + b"\x01" * 99,
    "deep vec type": nested_types(1999, b"\x6d") + b"\x01" * 1999,
    "deep recursive value": b"DIDL\x01\x6e\x00\x01\x00" + b"\x01" * 500_000,
    "record of itself": b"DIDL\x01\x6c\x01\x00\x00\x01\x00",
    "many nulls": b"DIDL\x01\x6d\x7f\x01\x00" + encode_unsigned(1 << 40),
    "many bools": b"DIDL\x01\x6d\x7e\x01\x00" + encode_unsigned(1_900_000) + bytes(1_900_000),
    "wide record": b"DIDL\x01\x6c\xb0\xea\x01"
    + b"".join([encode_unsigned(index) + b"\x7d" for index in range(30_000)]),
    "long number": b"DIDL\x00\x01\x7d" + b"\x80" * 1_000_000 + b"\x00",
}


@pytest.mark.parametrize("method", ["anything", "shape", "list_", "numbers"])
def test_hostile_messages_are_rejected_within_bounds_and_do_no_harm(method: str) -> None:
    echo = Running("echo")
    for name, argument in HOSTILE.items():
        message = echo.host.run(f"canister_query {method}", Message(arg=argument))
        assert message.rejected is not None and message.rejected.startswith("CandidError"), name
        assert echo.host.instructions < 3_000_000_000, name
    assert echo.call("several", 1, "a", None) == "1 a None"


def test_every_type_goes_through_the_module() -> None:
    echo = Running("echo")
    shape = {"Group": [{"Point": None}, {"Polygon": [(1.0, -2.5)]}, {"Group": []}]}
    assert echo.call("shape", shape) == shape
    assert echo.call("pair", (Principal(ALICE), True)) == (Principal(ALICE), True)
    blob = bytes(range(256)) * 4096
    assert echo.call("bytes_", blob) == blob
    assert echo.call("keyword", {"from": "a", "service": None}) == {"from": "A", "service": None}
    assert echo.call("through_text", b"DIDL\x00\x01\x7d\x05") == b"DIDL\x00\x01\x7d\x05"


def test_calls_are_awaited_in_the_module() -> None:
    caller = Running("caller")
    first = caller.message("add_twice", Principal(b"other"), 4)
    replies = [b"DIDL\x00\x01\x78" + bytes([number]) + bytes(7) for number in (10, 14, 18)]
    message = first
    for reply, method in zip(replies, ("get", "add", "add"), strict=True):
        [call] = message.calls
        assert (call.callee, call.method) == (b"other", method)
        message = caller.host.callback(call.reply, Message(arg=reply))
    assert caller.read("add_twice", message) == {"Ok": 8}


def test_a_trap_in_a_callback_is_cleaned_up() -> None:
    caller = Running("caller")
    [call] = caller.message("add_locked", Principal(b"other"), 1).calls
    assert caller.call("is_locked") is True
    assert call.cleanup is not None
    caller.host.callback(call.cleanup)
    assert caller.call("is_locked") is False


def test_maps_keep_their_order_over_upgrades() -> None:
    maps = Running("maps")
    for number in (300, 2, 1 << 33):
        maps.call("put_item", number, {"owner": Principal(ALICE), "tags": ["x"], "note": None})
    maps.host = maps.host.upgraded()
    assert maps.call("page", None, 10, False) == [2, 300, 1 << 33]
    assert maps.call("get_item", 2)["owner"] == Principal(ALICE)


def test_timers_run_as_calls_to_the_canister_itself() -> None:
    timers = Running("timers")
    assert timers.host.timer == timers.host.time + 10 * 10**9
    timers.host.time += 10 * 10**9
    fired = timers.host.run("canister_global_timer")
    assert [call.method for call in fired.calls] == ["<cdk internal> run_timer"] * 2
    myself = fired.calls[0].callee
    with pytest.raises(Trapped, match="this timer always fails"):
        timers.host.run(
            "canister_update <cdk internal> run_timer", Message(arg=fired.calls[0].data, caller=myself)
        )


def test_building_twice_gives_the_same_module_from_the_cache() -> None:
    first = build(str(CANISTERS / "counter"), fresh=True)
    again = build(str(CANISTERS / "counter"))
    assert again.cached and not first.cached
    assert again.packed == first.packed and again.module == first.module
    assert again.sha256 == hashlib.sha256(first.packed).hexdigest()


def test_the_module_carries_its_interface_and_only_allowed_exports() -> None:
    built = build(str(CANISTERS / "counter"))
    assert b"icp:public candid:service" in built.module
    assert built.did.encode() in built.module


def test_the_command_line_writes_module_and_interface(tmp_path: Path) -> None:
    name = str(CANISTERS / "counter")
    result = CliRunner().invoke(cli, ["build", name, "--out", str(tmp_path), "--json"])
    facts = json.loads(result.output)
    packed = (tmp_path / "counter.wasm.gz").read_bytes()
    assert facts["gzip_size"] == len(packed) and facts["sha256"] == hashlib.sha256(packed).hexdigest()
    assert facts["size"] == len(gzip.decompress(packed))
    assert facts["files"] == [str(tmp_path / "counter.wasm.gz"), str(tmp_path / "counter.did")]
    assert "increment : () -> (nat64);" in (tmp_path / "counter.did").read_text()
    CliRunner().invoke(cli, ["build", name, "--output", str(tmp_path / "deep" / "x.wasm.gz")])
    assert (tmp_path / "deep" / "x.wasm.gz").read_bytes() == packed


def test_a_canister_of_another_project_builds(tmp_path: Path) -> None:
    (tmp_path / "canisters" / "a").mkdir(parents=True)
    (tmp_path / "shared.py").write_text(SHARED)
    (tmp_path / "canisters" / "a" / "main.py").write_text(SOURCE)
    built = build("a", tmp_path)
    assert b"Docstrings go" not in built.module
    host = Canister(built.module)
    host.run("canister_init")
    echoed = host.run("canister_query f", Message(arg=b"DIDL\x00\x01\x71\x01y"))
    assert echoed.reply == b"DIDL\x00\x01\x71\x01y"
    with pytest.raises(Trapped, match=r"^AssertionError \(shared\.py:3 in greet\)"):
        host.run("canister_query f", Message(arg=b"DIDL\x00\x01\x71\x00"))


WIDE = {
    **{f"f{index:02}": index for index in (0, 1, 2, 3, 18, 19)},
    **{f"f{index:02}": "text" for index in (4, 5, 6, 7)},
    **{f"f{index:02}": None for index in (8, 9, 10, 11)},
    **{f"f{index:02}": b"blob" for index in (12, 13)},
    **{f"f{index:02}": True for index in (14, 15)},
    **{f"f{index:02}": Principal(ALICE) for index in (16, 17)},
}


@pytest.mark.parametrize("notation", [0, 1, 2])
def test_the_first_message_of_an_agent_compiles_nothing(notation: int) -> None:
    echo = Running("echo")
    codec = Codec(echo.description.methods["wide"].arguments)
    headers = usual_headers(codec.types)
    message = headers[notation] + codec.encode([WIDE]).removeprefix(headers[0])
    costs = []
    for _ in range(3):
        answer = echo.host.run("canister_update wide", Message(arg=message))
        assert echo.read("wide", answer) == WIDE
        costs.append(echo.host.instructions)
    assert costs[0] <= 1.5 * costs[2] and costs[2] <= 300_000


def test_what_the_figures_promise() -> None:
    """Instruction counts are exact under wasmtime's fuel, so they are asserted, with room to grow."""
    counter, maps = Running("counter", 5), Running("maps")
    counter.call("nothing")
    counter.call("nothing")
    assert counter.host.instructions <= 150_000
    echo = Running("echo")
    for _ in range(2):
        assert len(echo.call("bytes_", bytes(1 << 20))) == 1 << 20
    assert echo.host.instructions <= 3_000_000
    maps.call("fill", 0, 5_000, 300)
    maps.call("get_blob", 1)
    assert maps.call("get_blob", 77) <= 60_000
    maps.call("put_blob", 5_001, bytes(300))
    assert maps.call("put_blob", 5_002, bytes(300)) <= 120_000
