"""The application in the tests' canister: it executes the Python text that a message carries."""

from collections.abc import Callable
from typing import Any

import _ic0

state: dict[str, Any] = {"events": []}


def execute() -> None:
    names: dict[str, Any] = {"state": state}
    exec("import _ic0, _stable", names)
    exec(compile(_ic0.msg_arg_data(), "test.py", "exec"), names)
    if "result" in names:
        _ic0.msg_reply(repr(names["result"]).encode())


def record(kind: str, number: int) -> None:
    state["events"].append((kind, number))


def echo() -> None:
    _ic0.msg_reply(_ic0.msg_arg_data())


def empty() -> None:
    _ic0.msg_reply(b"")


def inspect_message() -> None:
    if _ic0.msg_method_name() == "allowed":
        _ic0.accept_message()


def fail() -> None:
    amount = "x"
    raise ValueError(f"bad amount {amount!r}")


METHODS: list[Callable[[], None]] = [execute, echo, empty, fail]


def dispatch(kind: str, number: int) -> None:
    if kind == "method":
        METHODS[number]()
    elif kind == "inspect_message":
        inspect_message()
    else:
        state.get("handle", record)(kind, number)
