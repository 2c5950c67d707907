"""The test canister `whoami.wat`: its module, its interface, and how to deploy it on a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wasmtime
from icp_candid import Types, decode, encode
from icp_principal.principal import Principal

from devnet.principal import MANAGEMENT_CANISTER, canister_id
from tests.devnet.agent import Agent, uleb

INTERFACE = (
    "service : { bump : () -> (nat32); caller : () -> (principal); fail : () -> (); work : () -> (nat32); "
    "count : () -> (nat32) query; who : () -> (principal) query }"
)
CREATE = {"amount": Types.Opt(Types.Nat)}
CANISTER = {"canister_id": Types.Principal}
INSTALL = {
    "mode": Types.Variant({"install": Types.Null, "reinstall": Types.Null}),
    "canister_id": Types.Principal,
    "wasm_module": Types.Vec(Types.Nat8),
    "arg": Types.Vec(Types.Nat8),
}


def module() -> bytes:
    """The Wasm module with its Candid interface as public metadata."""
    wasm = bytes(wasmtime.wat2wasm(Path(__file__).with_suffix(".wat").read_text()))
    name = b"icp:public candid:service"
    section = uleb(len(name)) + name + INTERFACE.encode()
    return wasm + b"\0" + uleb(len(section)) + section


def field_id(name: str) -> int:
    """Candid's hash of a field name."""
    number = 0
    for byte in name.encode():
        number = (number * 223 + byte) % (1 << 32)
    return number


def record(types: dict[str, Any], **values: Any) -> bytes:
    """Candid of one record."""
    return bytes(encode([{"type": Types.Record(types), "value": values}]))


def install_argument(canister: bytes, wasm: bytes) -> bytes:
    """Argument of `install_code`."""
    target = Principal(canister)
    return record(INSTALL, mode={"install": None}, canister_id=target, wasm_module=wasm, arg=b"")


def canister_argument(canister: bytes) -> bytes:
    """Argument of the methods that take just a canister."""
    return record(CANISTER, canister_id=Principal(canister))


def deploy(agent: Agent, wasm: bytes | None = None) -> bytes:
    """Create a canister and install the module, or another one; returns its id."""
    argument = record(CREATE, amount=[10**15])
    reply = agent.update(
        MANAGEMENT_CANISTER, "provisional_create_canister_with_cycles", argument, canister_id(0)
    )
    canister = bytes(decode(reply, Types.Record(CANISTER))[0]["value"]["canister_id"].bytes)
    agent.update(MANAGEMENT_CANISTER, "install_code", install_argument(canister, wasm or module()), canister)
    return canister
