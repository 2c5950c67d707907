"""A node in a process of its own, with a canister to send things to and another that must never notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import wasmtime

from devnet.daemon import start_detached, stop_running
from devnet.running import Running
from devnet.state_folder import LOG_FILE
from leasehold.agent import Agent, Identity
from leasehold.management import Management

MAX_GROWTH_KIB: Final = 400 * 1024
TIMEOUT_S: Final = 30.0
# Replies with its argument, to updates and queries; and a way to trap and one to spin.
TARGET: Final = """
(module
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 48)
  (func $echo
    (call $copy (i32.const 0) (i32.const 0) (call $size))
    (call $append (i32.const 0) (call $size))
    (call $reply))
  (func $trap unreachable)
  (export "canister_update echo" (func $echo))
  (export "canister_query look" (func $echo))
  (export "canister_query http_request" (func $echo))
  (export "canister_update http_request_update" (func $echo))
  (export "canister_update trap" (func $trap)))
"""


class FuzzedNode:
    """Where to send requests, and whether the node is still well."""

    def __init__(self, running: Running, agent: Agent) -> None:
        self.running = running
        self.http = httpx.Client(base_url=running.url, timeout=TIMEOUT_S, trust_env=False)
        self._agent = agent
        management = Management(agent)
        module = bytes(wasmtime.wat2wasm(TARGET))
        self.target, self._witness = (management.create() for _ in range(2))
        for canister in (self.target, self._witness):
            management.install(canister, module)
        self._memory_kib = self._resident_kib()

    def now_ns(self) -> int:
        """The node's time."""
        return self._agent.now_ns()

    def ensure_well(self) -> None:
        """The other canister still answers, verified; no fault was logged; memory is bounded."""
        assert self._agent.update(self._witness, "echo", b"still here") == b"still here"
        assert self._agent.query(self._witness, "look", b"still here") == b"still here"
        log = (Path(self.running.state) / LOG_FILE).read_text(errors="replace")
        assert "Traceback" not in log, log[-3_000:]
        grown = self._resident_kib() - self._memory_kib
        assert grown < MAX_GROWTH_KIB, f"the node's memory grew by {grown >> 10} MiB"

    def _resident_kib(self) -> int:
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@contextmanager
def fuzzed_node(state: Path) -> Iterator[FuzzedNode]:
    """Start a node and its canisters; ends the process."""
    running = start_detached(state, 0)
    try:
        with Agent(running.url, Identity.generate(), bytes.fromhex(running.root_key)) as agent:
            node = FuzzedNode(running, agent)
            with node.http:
                yield node
    finally:
        stop_running(state)
