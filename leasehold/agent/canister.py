"""A canister as a Python object: its methods are methods."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leasehold.agent.interface import Interface
from leasehold.agent.principal import Principal

if TYPE_CHECKING:
    from leasehold.agent.agent import Agent


class Canister:
    """Calls by name, `canister.get_rental(7)`; queries go to one node, updates through consensus.

    Args:
        agent: who calls.
        id: the canister's principal.
        interface: its methods and their types.
    """

    def __init__(self, agent: "Agent", id: Principal, interface: Interface) -> None:
        self.agent = agent
        self.id = id
        self.interface = interface

    def call(
        self, method: str, *arguments: Any, effective: Principal | None = None, certified: bool = False
    ) -> Any:
        """Call a method with Python values, see `leasehold.agent.candid` for their shapes.

        Args:
            effective: the effective canister id, for the management canister.
            certified: have a query answered through consensus too; slower, but not one node's word alone.

        Raises:
            CandidError, RejectedError, CertificateError, NetworkError
        """
        described = self.interface.method(method)
        message = described.encode(*arguments)
        send = self.agent.query if described.is_query and not certified else self.agent.update
        return described.decode(send(self.id, method, message, effective=effective))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self.interface.methods:
            raise AttributeError(f"the canister {self.id} has no method {name!r}")
        return lambda *arguments: self.call(name, *arguments)
