"""Writes small canister modules in the WebAssembly text format."""

from __future__ import annotations

import re

from devnet.replica.system_api import bridge
from devnet.replica.system_api.table import SYSTEM_CALLS

assert bridge.GROUPS

MESSAGES_AT = 60_000
"""Where `text()` puts its bytes: the end of the first memory page."""


class Text:
    """Constant bytes in the module's data; `str()` gives pointer and length as two operands."""

    def __init__(self, content: str | bytes) -> None:
        self.content = content.encode() if isinstance(content, str) else content
        self.address = 0

    def __str__(self) -> str:
        return f"(i32.const {self.address}) (i32.const {len(self.content)})"


def module(
    body: str, *, pages: int = 1, texts: dict[str, str | bytes] | None = None, wide: bool = False
) -> str:
    """A module with `body`, in which `(call $name …)` may name any system call and `{key}` a text.

    Args:
        pages: of memory at the start.
        wide: memory with 64-bit addresses.
    """
    places: dict[str, Text] = {}
    address = MESSAGES_AT
    data = ""
    for key, content in (texts or {}).items():
        places[key] = Text(content)
        places[key].address = address
        address += len(places[key].content)
        escaped = "".join(f"\\{byte:02x}" for byte in places[key].content)
        data += f'(data (i32.const {places[key].address}) "{escaped}")\n'
    for key, place in places.items():
        body = body.replace("{" + key + "}", str(place))
    imports = "\n".join(_import(name, wide) for name in sorted(set(re.findall(r"call \$(\w+)", body))))
    declared = f'(memory (export "memory") {"i64" if wide else ""} {pages})'
    return f"(module\n{imports}\n{declared}\n{data}{body}\n)"


def _import(name: str, wide: bool) -> str:
    call = SYSTEM_CALLS.get(name)
    if call is None:
        return ""
    pointer = "i64" if wide else "i32"
    parameters, results = (" ".join(pointer if kind == "I" else kind for kind in side) for side in call.type)
    return f'(import "ic0" "{name}" (func ${name} (param {parameters}) (result {results})))'


ANSWER = """
(func $answer (param i32 i32)
  (call $msg_reply_data_append (local.get 0) (local.get 1))
  (call $msg_reply))
(func $answer_i64 (param i64)
  (i64.store (i32.const 0) (local.get 0))
  (call $answer (i32.const 0) (i32.const 8)))
"""
"""Functions that reply with a range of memory, and with a number."""


def number(data: bytes) -> int:
    return int.from_bytes(data, "little")
