"""The system canisters together: genesis, and dispatch of queries and calls to them."""

from __future__ import annotations

import logging
from typing import Final

from devnet.errors import CandidError
from devnet.principal import ANONYMOUS
from devnet.replica import rejects
from devnet.replica.api import Reject
from devnet.replica.candid import decode_one, encode_one
from devnet.replica.natives import NativeServices, NativeState
from devnet.system.accounts import ROOT, account_identifier
from devnet.system.cycles_ledger import CyclesLedger
from devnet.system.did import interface_text
from devnet.system.errors import SystemCanisterError
from devnet.system.icp_ledger import IcpLedger
from devnet.system.methods import Method, SystemCall, SystemCanister
from devnet.system.minting import CyclesMinting

GENESIS_ICP: Final = 10**9 * 10**8
GENESIS_CYCLES: Final = 10**9 * 10**12
"""What the anonymous principal owns at first, as on other local networks: tools fund identities from it."""

GENESIS_TIME: Final = 0

_logger = logging.getLogger(__name__)


class SystemCanisters:
    """All system canisters of a node, over one state."""

    def __init__(self, state: NativeState, subnet: NativeServices) -> None:
        self._state = state
        icp = IcpLedger(state)
        cycles = CyclesLedger(state, subnet)
        minting = CyclesMinting(state, subnet, icp, cycles)
        canisters: tuple[SystemCanister, ...] = (icp, cycles, minting)
        self._canisters = {canister.id: canister for canister in canisters}
        if state.get("genesis") is None:
            owner = account_identifier(ANONYMOUS)
            icp.ledger.mint(owner, GENESIS_ICP, None, GENESIS_TIME)
            cycles.ledger.mint(owner, GENESIS_CYCLES, None, GENESIS_TIME)
            state.put("genesis", True)
            state.commit()

    @property
    def ids(self) -> frozenset[bytes]:
        """Where they are."""
        return frozenset(self._canisters)

    @property
    def controllers(self) -> tuple[bytes, ...]:
        """Their controller is the NNS root canister's id, which nobody here can call from."""
        return (ROOT,)

    def interface(self, canister_id: bytes) -> str:
        """Candid interface, generated from the table of methods."""
        return interface_text(self._canisters[canister_id])

    def check(self, canister_id: bytes, method: str) -> None:
        """Refuse a message to a method that does not exist.

        Raises:
            Reject: there is none.
        """
        self._method(canister_id, method)

    def query(self, canister_id: bytes, caller: bytes, method: str, arg: bytes, now: int) -> bytes:
        """Answer a query.

        Raises:
            Reject: no such query method, or it failed.
        """
        known = self._method(canister_id, method)
        if not known.query:
            raise rejects.method_not_found(canister_id, "query", method)
        try:
            return self._run(canister_id, known, SystemCall(caller, now), arg)
        finally:
            self._state.rollback()

    def execute(
        self, canister_id: bytes, caller: bytes, method: str, arg: bytes, cycles: int, now: int
    ) -> tuple[bytes, int]:
        """Run a call; on failure nothing changes and no cycles are accepted.

        Returns:
            The reply, and the attached cycles that were not accepted.

        Raises:
            Reject: says why.
        """
        call = SystemCall(caller, now, cycles)
        try:
            reply = self._run(canister_id, self._method(canister_id, method), call, arg)
        except Reject:
            self._state.rollback()
            raise
        self._state.commit()
        return reply, call.cycles

    def _method(self, canister_id: bytes, method: str) -> Method:
        known = self._canisters[canister_id].methods.get(method)
        if known is None:
            raise rejects.method_not_found(canister_id, "update", method)
        return known

    def _run(self, canister_id: bytes, method: Method, call: SystemCall, arg: bytes) -> bytes:
        try:
            return encode_one(method.result, method.handler(call, decode_one(method.argument, arg)))
        except (CandidError, SystemCanisterError) as error:
            raise rejects.called_trap(canister_id, str(error)) from error
        except Reject:
            raise
        except Exception as error:
            _logger.exception("internal error in system method %s", method.name)
            raise rejects.internal(f"the node failed: {type(error).__name__}: {error}") from error
