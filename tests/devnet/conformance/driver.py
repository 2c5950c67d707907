"""Drives a network through its HTTP interface alone: canisters, management calls, outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cbor2
import httpx
from cryptography.hazmat.primitives.asymmetric import ed25519

from devnet.principal import canister_id
from devnet.replica.candid import decode_one, encode_one
from tests.devnet.agent import Agent, Identity, decode, open_certificate, value_hash
from tests.devnet.conformance import management, program
from tests.devnet.conformance.program import Program
from tests.network import CanisterNetwork

MANAGEMENT = b""
POLL_S = 0.02
PATIENCE_S = 20.0

SYS_FATAL, SYS_TRANSIENT, DESTINATION_INVALID, CANISTER_REJECT, CANISTER_ERROR, SYS_UNKNOWN = range(1, 7)


class Rejected(Exception):
    """A call was rejected.

    Args:
        code: the reject code.
        certified: whether a certificate says so; else the call was not accepted at all, or was a query.
    """

    def __init__(self, code: int, message: str, certified: bool) -> None:
        super().__init__(f"reject code {code}: {message}")
        self.code = code
        self.message = message
        self.certified = certified


class Network:
    """The network under test.

    Args:
        opened: where it is, and its time.
    """

    def __init__(self, opened: CanisterNetwork) -> None:
        self.url = opened.url
        self.root_key = opened.root_key
        self.now_ns = opened.now_ns
        self.advance = opened.advance
        self.http = httpx.Client(
            base_url=opened.url, headers={"content-type": "application/cbor"}, trust_env=False, timeout=60
        )
        """All users share it: making one takes longer than a request."""
        self.any_canister = canister_id(0)
        """An id in its ranges, to address calls to that are about no canister yet."""

    def user(self) -> User:
        """Somebody new."""
        return User(self, Identity.of(ed25519.Ed25519PrivateKey.generate()))

    def anonymous(self) -> User:
        return User(self, None)


class User(Agent):
    """Somebody who sends requests."""

    def __init__(self, network: Network, identity: Identity | None) -> None:
        self.network = network
        self.http = network.http
        self.root_key = network.root_key
        self.identity = identity
        self.now = network.now_ns

    def call(self, canister: bytes, method: str, arg: bytes = b"", effective: bytes | None = None) -> bytes:
        """Reply of an update call.

        Raises:
            Rejected: it was rejected, with or without a certificate.
        """
        content = self.call_content(canister, method, arg)
        where = canister if effective is None else effective
        response = self.send("call", content, where, "v4")
        if response.status_code == 202:
            return self.wait(where, value_hash(content))
        assert response.status_code == 200, response.text
        answer = decode(response.content)
        if answer["status"] == "non_replicated_rejection":
            raise Rejected(answer["reject_code"], answer["reject_message"], certified=False)
        return self.outcome(answer["certificate"], value_hash(content))

    def submit(self, canister: bytes, method: str, arg: bytes = b"", effective: bytes | None = None) -> bytes:
        """Send an asynchronous call; returns its request id."""
        content = self.call_content(canister, method, arg)
        response = self.send("call", content, canister if effective is None else effective, "v2")
        assert response.status_code == 202, response.text
        return value_hash(content)

    def state(self, canister: bytes, request_id: bytes) -> str:
        """Status of a request, `absent` when it is not known."""
        path = (b"request_status", request_id)
        found = self.read_state(canister, [list(path)]).find(*path, b"status")
        return found if isinstance(found, str) else found.decode()

    def wait(self, canister: bytes, request_id: bytes) -> bytes:
        """Reply of a request, once there is one; a reject is raised."""
        poll(lambda: self.state(canister, request_id) in ("replied", "rejected"))
        content = self.content("read_state", paths=[[b"request_status", request_id]])
        body = self.send("read_state", content, canister, "v3").content
        return self.outcome(decode(body)["certificate"], request_id)

    def outcome(self, certificate: bytes, request_id: bytes) -> bytes:
        """What a certificate says about a request: its reply, or a `Rejected`."""
        opened = open_certificate(certificate, self.root_key)
        path = (b"request_status", request_id)
        if opened.find(*path, b"status") == b"replied":
            return _found(opened.find(*path, b"reply"))
        assert opened.find(*path, b"status") == b"rejected"
        code = int.from_bytes(_found(opened.find(*path, b"reject_code")), "little")
        raise Rejected(code, _found(opened.find(*path, b"reject_message")).decode(), certified=True)

    def ask(self, canister: bytes, method: str, arg: bytes = b"", effective: bytes | None = None) -> bytes:
        """Reply of a query; the node's signature is checked where the query tests do.

        Raises:
            Rejected: it was rejected.
        """
        content = self.call_content(canister, method, arg, kind="query")
        response = self.send("query", content, canister if effective is None else effective, "v3")
        assert response.status_code == 200, response.text
        answer = decode(response.content)
        if answer["status"] == "rejected":
            raise Rejected(answer["reject_code"], answer["reject_message"], certified=False)
        reply: bytes = answer["reply"]["arg"]
        return reply

    def manage(self, method: str, *, query: bool = False, **values: Any) -> Any:
        """Call a method of the management canister; fields that are not given are null."""
        argument, result = management.METHODS[method]
        arg = encode_one(argument, management.filled(argument, values))
        about = values.get("target_canister") or values.get("canister_id") or self.network.any_canister
        send = self.ask if query else self.call
        return decode_one(result, send(MANAGEMENT, method, arg, effective=about))

    def create(self, cycles: int = 10**15, **settings: Any) -> Canister:
        """A new, empty canister."""
        wanted = management.filled(management.SETTINGS, settings)
        created = self.manage("provisional_create_canister_with_cycles", amount=cycles, settings=wanted)
        return Canister(self, created["canister_id"])

    def deploy(self, *features: str, cycles: int = 10**15, arg: Program = b"", **settings: Any) -> Canister:
        """A new universal canister.

        Args:
            features: as for `program.module`.
            arg: the program that `canister_init` runs.
        """
        canister = self.create(cycles, **settings)
        canister.install(program.module(*features), arg)
        return canister


@dataclass(frozen=True)
class Canister:
    """A canister and one of its controllers."""

    user: User
    id: bytes

    def install(
        self, module: bytes | None = None, arg: Program = b"", mode: str = "install", **options: Any
    ) -> None:
        choice = options or None
        if choice is not None:
            choice = {"skip_pre_upgrade": None, "wasm_memory_persistence": None, **options}
        module = program.module() if module is None else module
        self.manage("install_code", mode=(mode, choice), wasm_module=module, arg=arg)

    def manage(self, method: str, **values: Any) -> Any:
        return self.user.manage(method, canister_id=self.id, **values)

    def update(self, steps: Program) -> bytes:
        """Run a program as an update; returns the reply."""
        return self.user.call(self.id, "update", steps)

    def query(self, steps: Program) -> bytes:
        return self.user.ask(self.id, "query", steps)

    def composite(self, steps: Program) -> bytes:
        return self.user.ask(self.id, "composite", steps)

    def replicated_query(self, steps: Program) -> bytes:
        """Run a program in the query method, called as an update."""
        return self.user.call(self.id, "query", steps)

    def number(self, value: Program) -> int:
        """Value of an expression, in a query."""
        return number(self.query(program.reply_number(value)))

    def status(self) -> Any:
        return self.manage("canister_status")

    def set(self, **settings: Any) -> None:
        wanted = management.filled(management.SETTINGS, settings)
        self.manage("update_settings", settings=wanted)

    def manage_through(self, method: str, cycles: int = 0, timeout: int | None = None, **values: Any) -> Any:
        """Have this canister call the management canister; a reject is raised as it received it."""
        argument, result = management.METHODS[method]
        arg = encode_one(argument, management.filled(argument, values))
        return decode_one(
            result,
            passed(self.update(program.call_other(MANAGEMENT, method, arg, cycles=cycles, timeout=timeout))),
        )

    def logs(self) -> list[bytes]:
        found = self.manage("fetch_canister_logs", query=True)
        return [record["content"] for record in found["canister_log_records"]]


def waiting(canister: Canister, helper: Canister) -> Program:
    """A program that leaves the canister's call open until somebody starts the canister again.

    The helper stops the canister, which ends when the canister's calls are answered, and this one waits for
    the helper.
    """
    canister.set(controllers=[canister.user.sender, helper.id])
    argument = encode_one(management.CANISTER, {"canister_id": canister.id})
    return program.call_other(helper.id, "update", program.call_other(MANAGEMENT, "stop_canister", argument))


def passed(answer: bytes) -> bytes:
    """What a callee answered, handed on by `program.PASS_REPLY` or `program.PASS_REJECT`.

    Raises:
        Rejected: the callee rejected.
    """
    if answer.startswith(program.REPLIED):
        return answer[1:]
    raise Rejected(answer[1], answer[2:].decode(), certified=False)


def number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def rejected(act: Callable[[], Any]) -> Rejected:
    """The reject that a call ends in."""
    try:
        result = act()
    except Rejected as reject:
        return reject
    raise AssertionError(f"the call was not rejected, but gave {result!r}")


def code_of(act: Callable[[], Any]) -> int:
    """Reject code of a call, 0 when it is not rejected."""
    try:
        act()
    except Rejected as reject:
        return reject.code
    return 0


def poll(condition: Callable[[], Any]) -> Any:
    """Wait until a condition gives something true, and return that."""
    limit = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < limit, "the condition did not come true"
        time.sleep(POLL_S)
    return value


def tagged(value: Any) -> bytes:
    """CBOR with the tag that says it is CBOR."""
    data: bytes = cbor2.dumps(cbor2.CBORTag(55799, value))
    return data


def _found(value: bytes | str) -> bytes:
    assert isinstance(value, bytes), value
    return value
