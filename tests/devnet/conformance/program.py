"""Writes programs for the universal test canister (`universal.wat`), and assembles its module.

A program is bytes. Expressions leave a value on the canister's stack; a blob is two values, its address and
its length, and stands for two parameters of a system call. Statements are joined with `+`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import wasmtime

from tests.devnet.agent import uleb

Program = bytes
Operand = int | bytes

WAT = Path(__file__).with_name("universal.wat")

CALLBACK = 0
"""Table entry that runs a callback's program."""
WRONG_TYPE = 1
"""Table entry of a function that cannot be a callback."""
NO_SUCH_ENTRY = 100_000

PRE_UPGRADE, TRANSFORM, INSPECT, HEARTBEAT, TIMER, LOW_MEMORY = range(6)
"""Numbers of the hooks."""

_INDEX = {name: number for number, name in enumerate(re.findall(r'\(import "ic0" "(\w+)"', WAT.read_text()))}


@functools.cache
def module(
    *features: str, start: Program = b"", metadata: tuple[tuple[str, bytes], ...] = (), text: str = ""
) -> bytes:
    """The universal canister's Wasm.

    Args:
        features: of `start`, `inspect` and `heartbeat`, those that are wanted.
        start: the program of the start function.
        metadata: names and contents of custom sections.
        text: another module, in the text format, instead of the universal canister.
    """
    lines = (text or WAT.read_text()).splitlines()
    kept = [line for line in lines if not (found := _optional(line)) or found in features]
    source = "\n".join(kept)
    if start:
        data = "".join(f"\\{byte:02x}" for byte in len(start).to_bytes(4, "little") + start)
        source = source.replace(
            '(data (i32.const 0xa000) "\\00\\00\\00\\00")', f'(data (i32.const 0xa000) "{data}")'
        )
    wasm = bytes(wasmtime.wat2wasm(source))
    for name, content in metadata:
        section = uleb(len(name)) + name.encode() + content
        wasm += b"\0" + uleb(len(section)) + section
    return wasm


def _optional(line: str) -> str:
    return (
        line.rpartition(";; optional ")[2]
        if ";; optional " in line and "(" in line.partition(";;")[0]
        else ""
    )


def const(number: int) -> Program:
    """Push a number of 64 bits; functions that take 32 see its low half."""
    return b"\x01" + (number % (1 << 64)).to_bytes(8, "little")


def blob(content: bytes | str) -> Program:
    """Push the address and length of constant bytes."""
    data = content.encode() if isinstance(content, str) else content
    return b"\x02" + len(data).to_bytes(4, "little") + data


def call(name: str, *arguments: Operand) -> Program:
    """Call a function of `ic0`; its result is pushed."""
    return _reversed(arguments) + b"\x10" + bytes([_INDEX[name]])


def _reversed(arguments: tuple[Operand, ...]) -> Program:
    """Arguments are taken from the stack first to last, so they are pushed last to first."""
    return b"".join(const(item) if isinstance(item, int) else item for item in reversed(arguments))


def set_register(number: int, value: Operand) -> Program:
    return _reversed((value,)) + b"\x11" + bytes([number])


def register(number: int) -> Program:
    return b"\x12" + bytes([number])


def set_variable(number: int, value: Operand) -> Program:
    """Store a number that is still there in later messages."""
    return _reversed((value,)) + b"\x13" + bytes([number])


def variable(number: int) -> Program:
    return b"\x14" + bytes([number])


def set_hook(number: int, program: Program) -> Program:
    """Store the program of an entry point that gets none from its caller."""
    return blob(program) + b"\x15" + bytes([number])


def add(left: Operand, right: Operand) -> Program:
    return _reversed((left, right)) + b"\x20"


def either(left: Operand, right: Operand) -> Program:
    """Bitwise or."""
    return _reversed((left, right)) + b"\x22"


def equal(left: Operand, right: Operand) -> Program:
    return _reversed((left, right)) + b"\x23"


def when(condition: Program, then: Program) -> Program:
    return condition + b"\x03" + len(then).to_bytes(2, "little") + then


def allocate(size: int) -> Program:
    return const(size) + b"\x30"


def keep(program: Program) -> Program:
    """Push the number by which a callback finds its program."""
    return blob(program) + b"\x31"


def grow_memory(pages: int) -> Program:
    return const(pages) + b"\x35"


MEMORY_SIZE = b"\x36"


def set_kept_blob(content: Program) -> Program:
    """Store a blob on the heap, where it is still there in later messages."""
    return content + b"\x37"


KEPT_BLOB = b"\x38"


def set_wasm_global(value: Operand) -> Program:
    return _reversed((value,)) + b"\x39"


WASM_GLOBAL = b"\x3a"
DROP = b"\x40"


def run(program: Program) -> Program:
    """Run the program that a blob holds."""
    return program + b"\x41"


LOOP_FOR_EVER = b"\x42"
GROW_FOR_EVER = b"\x44"
"""Until there is no more memory, then trap."""
RECURSE_FOR_EVER = b"\x45"
UNREACHABLE = b"\xff"


def spin(times: int) -> Program:
    """Execute a few instructions that many times."""
    return const(times) + b"\x43"


def read(name: str, *arguments: Operand) -> Program:
    """A blob of the system: what `ic0.<name>_size` and `ic0.<name>_copy` give."""
    size = set_register(0, call(f"{name}_size", *arguments))
    room = register(0) + b"\x30" + b"\x11\x01"
    return (
        size
        + room
        + call(f"{name}_copy", *arguments, register(1), 0, register(0))
        + register(0)
        + register(1)
    )


def read_stable(offset: int, size: int) -> Program:
    """A range of stable memory as a blob."""
    return set_register(1, allocate(size)) + call("stable64_read", register(1), offset, size) + _room(size)


def as_bytes(value: Operand, size: int = 8) -> Program:
    """A number as a blob, little-endian."""
    return _reversed((value,)) + set_register(1, allocate(8)) + register(1) + b"\x33" + _room(size)


def read_128(name: str, *arguments: Operand) -> Program:
    """A blob of 16 bytes: what a function writes to the address that is its last parameter."""
    return set_register(1, allocate(16)) + call(name, *arguments, register(1)) + _room(16)


def _room(size: int) -> Program:
    return const(size) + register(1)


def append(content: Program) -> Program:
    return call("msg_reply_data_append", content)


def reply(*contents: Program | bytes) -> Program:
    """Reply with blobs, joined."""
    return b"".join(map(append, contents)) + call("msg_reply")


def reply_number(value: Operand) -> Program:
    return reply(as_bytes(value))


def reject(message: str | bytes) -> Program:
    return call("msg_reject", blob(message))


def trap(message: str | bytes = "as told") -> Program:
    return call("trap", blob(message))


REPLIED, REJECTED = b"\0", b"\1"

PASS_REPLY = append(blob(REPLIED)) + reply(read("msg_arg_data"))
PASS_REJECT = append(blob(REJECTED)) + reply(as_bytes(call("msg_reject_code"), 1), read("msg_reject_msg"))
"""Callbacks that answer with what they got: see `driver.passed`."""


def call_other(
    callee: bytes,
    method: str,
    argument: Program | bytes = b"",
    *,
    on_reply: Program = PASS_REPLY,
    on_reject: Program = PASS_REJECT,
    on_cleanup: Program | None = None,
    cycles: int = 0,
    timeout: int | None = None,
    computed: Program | None = None,
) -> Program:
    """Make an inter-canister call.

    Args:
        argument: constant bytes; for the universal canister a program.
        computed: an expression that gives the argument instead.
    """
    steps = [
        call("call_new", blob(callee), blob(method), CALLBACK, keep(on_reply), CALLBACK, keep(on_reject)),
        call("call_data_append", blob(argument) if computed is None else computed),
    ]
    if on_cleanup is not None:
        steps.append(call("call_on_cleanup", CALLBACK, keep(on_cleanup)))
    if cycles:
        steps.append(call("call_cycles_add128", cycles >> 64, cycles))
    if timeout is not None:
        steps.append(call("call_with_best_effort_response", timeout))
    return b"".join(steps) + when(call("call_perform"), trap("call_perform failed"))


def set_slot(number: int, value: Operand) -> Program:
    """Write the number with this index of the kept blob."""
    return _reversed((value,)) + const(_KEPT_AT + 8 * number) + b"\x33"


_KEPT_AT = 0xB004
