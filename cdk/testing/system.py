"""An in-memory `_ic0` and `_stable`, for running a canister's Python on this machine."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NoReturn

PAGE = 1 << 16
MAX_PAGES = 1 << 10
"""Raw stable memory that a simulated canister may have: 64 MiB, in pages."""


class Trapped(Exception):
    """The canister called `ic.trap`, or raised an exception that it did not handle."""


class Rejected(Exception):
    """The canister rejected a message, or a handler wants its caller to see a reject."""

    def __init__(self, message: str, code: int = 4) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass
class PendingCall:
    """A call that the canister made and that was not answered yet."""

    callee: bytes
    method: str
    argument: bytes
    cycles: int
    callback_id: int


@dataclass
class System:
    """What the canister sees of the system; tests set and read it."""

    canister_id: bytes = b"\x00\x00\x00\x00\x00\x00\x00\x07\x01\x01"
    canister_version: int = 1
    caller: bytes = b"\x04"
    argument: bytes = b"DIDL\x00\x00"
    now: int = 1_700_000_000_000_000_000
    cycles: int = 10**13
    cycles_available: int = 0
    cycles_refunded: int = 0
    controllers: set[bytes] = field(default_factory=set)
    environment: dict[str, str] = field(default_factory=dict)
    certified_data: bytes = b""
    certificate: bytes | None = None
    timer: int = 0
    printed: list[str] = field(default_factory=list)
    calls: list[PendingCall] = field(default_factory=list)
    refuse_calls: int = 0
    reply: bytes | None = None
    reject: Rejected | None = None
    reject_code: int = 0
    reject_message: str = ""
    accepted: bool = False
    maps: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    memory: bytearray = field(default_factory=bytearray)

    def modules(self) -> dict[str, ModuleType]:
        """Modules `_ic0` and `_stable` that act on this system."""
        ic0 = ModuleType("_ic0")
        vars(ic0).update(_ic0_functions(self))
        stable = ModuleType("_stable")
        vars(stable).update(_stable_functions(self.maps))
        return {"_ic0": ic0, "_stable": stable}


def _ic0_functions(system: System) -> dict[str, Callable[..., Any]]:
    def msg_reply(data: bytes) -> None:
        if system.reply is not None or system.reject is not None:
            raise Trapped("the message was answered before")
        system.reply = bytes(data)

    def msg_reject(message: str) -> None:
        if system.reply is not None or system.reject is not None:
            raise Trapped("the message was answered before")
        system.reject = Rejected(message)

    def trap(message: str) -> NoReturn:
        raise Trapped(message)

    def call(
        callee: bytes, method: str, argument: bytes, cycles: int, callback: int, timeout: int | None = None
    ) -> int:
        if not system.refuse_calls:
            system.cycles -= cycles
            system.calls.append(PendingCall(callee, method, bytes(argument), cycles, callback))
        return system.refuse_calls

    def accept(limit: int) -> int:
        taken = min(limit, system.cycles_available)
        system.cycles_available -= taken
        system.cycles += taken
        return taken

    def certified_data_set(data: bytes) -> None:
        system.certified_data = data

    def global_timer_set(timestamp: int) -> int:
        before, system.timer = system.timer, timestamp
        return before

    def accept_message() -> None:
        system.accepted = True

    return {
        "msg_arg_data": lambda: system.argument,
        "msg_caller": lambda: system.caller,
        "msg_reply": msg_reply,
        "msg_reject": msg_reject,
        "msg_reject_code": lambda: system.reject_code,
        "msg_reject_msg": lambda: system.reject_message,
        "msg_method_name": lambda: "",
        "msg_cycles_available": lambda: system.cycles_available,
        "msg_cycles_accept": accept,
        "msg_cycles_refunded": lambda: system.cycles_refunded,
        "accept_message": accept_message,
        "canister_cycle_balance": lambda: system.cycles,
        "canister_self": lambda: system.canister_id,
        "canister_version": lambda: system.canister_version,
        "is_controller": lambda principal: principal in system.controllers,
        "in_replicated_execution": lambda: True,
        "env_var_count": lambda: len(system.environment),
        "env_var_name": lambda index: list(system.environment)[index],
        "env_var_value": lambda name: system.environment.get(name),
        "time": lambda: system.now,
        "global_timer_set": global_timer_set,
        "performance_counter": lambda kind: 0,
        "debug_print": system.printed.append,
        "trap": trap,
        "certified_data_set": certified_data_set,
        "data_certificate": lambda: system.certificate,
        "call": call,
        **_raw_stable_functions(system),
    }


def _raw_stable_functions(system: System) -> dict[str, Callable[..., Any]]:
    def size() -> int:
        return len(system.memory) // PAGE

    def grow(pages: int) -> int:
        if system.maps:
            raise RuntimeError("stable memory belongs to the maps")
        if size() + pages > MAX_PAGES:
            return -1
        former = size()
        system.memory.extend(bytes(pages * PAGE))
        return former

    def read(offset: int, length: int) -> bytes:
        if offset + length > len(system.memory):
            raise ValueError(f"stable memory: {offset} lies outside its {len(system.memory)} bytes")
        return bytes(system.memory[offset : offset + length])

    def write(offset: int, data: bytes) -> None:
        if system.maps:
            raise RuntimeError("stable memory belongs to the maps")
        if offset + len(data) > len(system.memory):
            raise ValueError(f"stable memory: {offset} lies outside its {len(system.memory)} bytes")
        system.memory[offset : offset + len(data)] = data

    return {"stable_size": size, "stable_grow": grow, "stable_read": read, "stable_write": write}


def _stable_functions(maps: dict[int, dict[bytes, bytes]]) -> dict[str, Callable[..., Any]]:
    order: dict[int, list[bytes]] = {id: sorted(entries) for id, entries in maps.items()}

    def put(map: int, key: bytes, value: bytes) -> bytes | None:
        entries = maps.setdefault(map, {})
        if key not in entries:
            insort(order.setdefault(map, []), key)
        before = entries.get(key)
        entries[key] = value
        return before

    def remove(map: int, key: bytes) -> bytes | None:
        before = maps.get(map, {}).pop(key, None)
        if before is not None:
            order[map].remove(key)
        return before

    def keys(
        map: int,
        start: bytes | None = None,
        stop: bytes | None = None,
        limit: int = -1,
        reverse: bool = False,
    ) -> list[bytes]:
        every = order.get(map, [])
        low = 0 if start is None else bisect_left(every, start)
        high = len(every) if stop is None else bisect_left(every, stop)
        found = every[low:high][:: -1 if reverse else 1]
        return found if limit < 0 else found[:limit]

    def items(map: int, *bounds: Any) -> list[tuple[bytes, bytes]]:
        return [(key, maps[map][key]) for key in keys(map, *bounds)]

    def clear(map: int) -> None:
        maps.pop(map, None)
        order.pop(map, None)

    return {
        "get": lambda map, key: maps.get(map, {}).get(key),
        "put": put,
        "remove": remove,
        "contains": lambda map, key: key in maps.get(map, {}),
        "length": lambda map: len(maps.get(map, {})),
        "items": items,
        "keys": keys,
        "clear": clear,
    }
