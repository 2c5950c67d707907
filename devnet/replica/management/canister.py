"""Dispatch of calls to the management canister: decode, authorise, run, encode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from devnet.errors import CandidError
from devnet.replica import rejects
from devnet.replica.api import Limits, Query, Reject, ThresholdKeys
from devnet.replica.candid import decode_one, encode_one
from devnet.replica.canister import Canister
from devnet.replica.installation import Installer
from devnet.replica.management import code, lifecycle, metrics, observation, outcall, snapshots, threshold
from devnet.replica.management.methods import METHODS, UNSUPPORTED, Callers, Deferred, Method, is_controller
from devnet.replica.messages import Call, FromCanister
from devnet.replica.outcalls.pending import Outcalls
from devnet.replica.processing import Processor
from devnet.replica.record import Change
from devnet.replica.subnet import Subnet

GROUPS = (code, lifecycle, metrics, observation, outcall, snapshots, threshold)
"""The modules whose import fills the table of methods."""

KEPT_CHANGES = 20


@dataclass
class ManagementCall:
    """One call in progress.

    Args:
        cycles: attached and not accepted yet; what is left is refunded.
        canister: the one that the argument names, if it exists.
        original: the queued call, for answers that come later.
    """

    caller: bytes
    by_canister: bool
    cycles: int
    original: Call | None
    target: Canister | None = field(default=None)

    @property
    def canister(self) -> Canister:
        assert self.target is not None
        return self.target

    def accept(self, amount: int, what: str) -> None:
        """Take attached cycles.

        Raises:
            Reject: fewer are attached.
        """
        self.check_attached(amount, what)
        self.cycles -= amount

    def check_attached(self, amount: int, what: str) -> None:
        """Raises `Reject` if fewer cycles are attached."""
        if self.cycles < amount:
            raise rejects.canister_rejected(
                f"{what} request sent with {self.cycles} cycles, but {amount} cycles are required."
            )


class Management:
    """The management canister of one subnet."""

    def __init__(
        self,
        subnet: Subnet,
        installer: Installer,
        processor: Processor,
        outcalls: Outcalls,
        keys: ThresholdKeys,
        randomness: Callable[[int], bytes],
        limits: Limits,
        subnet_id: bytes,
        node_id: bytes,
    ) -> None:
        self.subnet = subnet
        self.installer = installer
        self.processor = processor
        self.outcalls = outcalls
        self.keys = keys
        self.randomness = randomness
        self.limits = limits
        self.subnet_id = subnet_id
        self.node_id = node_id

    def execute(self, call: Call) -> None:
        """Run a queued call and answer it."""
        by_canister = isinstance(call.origin, FromCanister)
        running = ManagementCall(call.caller, by_canister, call.cycles, call)
        try:
            known = self._method(call.method, query=False)
            result = self._run(known, running, call.arg)
        except Reject as reject:
            self.subnet.respond(call.origin, reject, running.cycles)
            return
        if not isinstance(result, Deferred):
            self.subnet.respond(call.origin, encode_one(known.result, result), running.cycles)

    def query(self, query: Query) -> bytes:
        """Answer a query.

        Raises:
            Reject: no such query method, not allowed, or an invalid argument.
        """
        known = self._method(query.method, query=True)
        result = self._run(known, ManagementCall(query.sender, False, 0, None), query.arg)
        return encode_one(known.result, result)

    def check_ingress(self, sender: bytes, method: str, arg: bytes) -> bytes | None:
        """Refuse what would fail anyway; returns the canister that pays for the message, if any.

        Raises:
            Reject: not for users, not by this sender, or an invalid argument.
        """
        known = self._method(method, query=False)
        if not known.ingress:
            raise rejects.not_allowed(f"Only canisters can call ic00 method '{known.name}'.")
        call = ManagementCall(sender, False, 0, None)
        self._authorise(known, call, self._decode(known, arg))
        return None if call.target is None else call.target.id

    def record(self, call: ManagementCall, kind: str, version: int | None = None, **details: Any) -> None:
        """Append to the history of the call's canister."""
        canister = call.canister
        origin_version = version if call.by_canister else None
        change = Change(
            self.subnet.now(),
            canister.version,
            call.caller,
            call.by_canister,
            origin_version,
            kind,
            **details,
        )
        canister.record(change, KEPT_CHANGES)

    def create_for_canister(self, creator: bytes, cycles: int, settings: dict[str, Any]) -> bytes:
        """`create_canister` as called by a canister with these cycles; returns the new id.

        Raises:
            Reject: too few cycles, or invalid settings.
        """
        call = ManagementCall(creator, True, cycles, None)
        argument = {"settings": settings, "sender_canister_version": None}
        created: dict[str, bytes] = METHODS["create_canister"].handler(self, call, argument)
        return created["canister_id"]

    def _method(self, name: str, *, query: bool) -> Method:
        known = METHODS.get(name)
        if name in UNSUPPORTED:
            raise rejects.unsupported_management_method(name, UNSUPPORTED[name])
        if known is None or not (known.query if query else known.update):
            raise rejects.no_management_method(name)
        return known

    def _decode(self, known: Method, arg: bytes) -> Any:
        try:
            return decode_one(known.argument, arg)
        except CandidError as error:
            raise rejects.invalid_management_payload(known.name, str(error)) from error

    def _run(self, known: Method, call: ManagementCall, arg: bytes) -> Any:
        argument = self._decode(known, arg)
        self._authorise(known, call, argument)
        return known.handler(self, call, argument)

    def _authorise(self, known: Method, call: ManagementCall, argument: Any) -> None:
        if known.callers is Callers.CANISTERS and not call.by_canister:
            raise rejects.not_allowed(f"Only canisters can call ic00 method '{known.name}'.")
        if known.subject:
            call.target = self.subnet.canister(argument[known.subject])
        if known.callers is Callers.CONTROLLERS and not is_controller(call.canister, call.caller):
            raise rejects.not_controller(call.canister.id, call.canister.settings.controllers, call.caller)
