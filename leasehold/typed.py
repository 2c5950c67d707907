"""What the typed clients of our canisters have in common: answers become models, `Err` is raised."""

from typing import Any, TypeVar

from pydantic import ValidationError

from leasehold.agent import Agent, Canister, Principal
from leasehold.errors import LeaseholdError, unwrap
from leasehold.interfaces import load_interface
from leasehold.models.base import Model

M = TypeVar("M", bound=Model)


class UnexpectedAnswerError(LeaseholdError):
    """A canister answered well-formed Candid whose values this version does not understand."""


class TypedClient:
    """Base of the typed clients.

    Args:
        agent: who calls.
        canister_id: which canister.
        name: its name in `leasehold.interfaces`.
    """

    def __init__(self, agent: Agent, canister_id: Principal | str, name: str) -> None:
        self.canister: Canister = agent.canister(canister_id, load_interface(name))

    @property
    def id(self) -> Principal:
        """The canister's principal."""
        return self.canister.id

    def _ask(self, method: str, *arguments: Any) -> Any:
        # The value inside `Ok`.
        return unwrap(method, self.canister.call(method, *arguments))

    def _one(self, model: type[M], method: str, *arguments: Any) -> M:
        return read_model(model, self._ask(method, *arguments), method)

    def _list(self, model: type[M], method: str, *arguments: Any) -> list[M]:
        return [read_model(model, entry, method) for entry in self.canister.call(method, *arguments)]

    def _ok_list(self, model: type[M], method: str, *arguments: Any) -> list[M]:
        return [read_model(model, entry, method) for entry in self._ask(method, *arguments)]


def read_model(model: type[M], value: Any, method: str) -> M:
    """A record of an answer as its model.

    Raises:
        UnexpectedAnswerError: a value is out of the bounds known here.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        message = f"{method} answered a {model.__name__} that cannot be read: {place}: {problem['msg']}"
        raise UnexpectedAnswerError(message) from error
