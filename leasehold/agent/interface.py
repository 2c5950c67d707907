"""The interface of a canister, read from its `.did` file."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from icp_candid.did_loader import DIDLoader  # type: ignore[import-untyped]

from leasehold.agent import candid
from leasehold.agent.errors import CandidError

MAX_DID_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Method:
    """One method.

    Args:
        name: as the canister exports it.
        arguments: Candid types.
        results: Candid types.
        is_query: whether it is a query or composite query.
    """

    name: str
    arguments: tuple[candid.Type, ...]
    results: tuple[candid.Type, ...]
    is_query: bool

    def encode(self, *values: Any) -> bytes:
        """The Candid message of the arguments."""
        try:
            return candid.encode(self.arguments, values)
        except CandidError as error:
            raise CandidError(f"{self.name}: {error}") from error

    def decode(self, message: bytes) -> Any:
        """The value of a reply: `None` for no result, a tuple for several."""
        try:
            values = candid.decode(self.results, message)
        except CandidError as error:
            raise CandidError(f"{self.name}: {error}") from error
        if len(values) == 1:
            return values[0]
        return tuple(values) or None


@dataclass(frozen=True)
class Interface:
    """Methods and init arguments of a canister.

    Args:
        methods: by name.
        init: Candid types of the install arguments.
    """

    methods: Mapping[str, Method]
    init: tuple[candid.Type, ...]

    @staticmethod
    @lru_cache(maxsize=64)
    def parse(did: str) -> "Interface":
        """Read the text of a `.did` file.

        Raises:
            CandidError: it cannot be parsed, or defines no service.
        """
        if len(did) > MAX_DID_CHARACTERS:
            raise CandidError(f"the interface is longer than {MAX_DID_CHARACTERS} characters")
        try:
            loaded = DIDLoader().load_did_source(did)
        except (ValueError, RecursionError) as error:
            raise CandidError(f"the interface cannot be parsed: {error}") from error
        methods = {name: _method(name, kind) for name, kind in loaded["methods"].items()}
        return Interface(methods, tuple(loaded["arguments"]))

    def method(self, name: str) -> Method:
        """The method of that name.

        Raises:
            CandidError: there is none.
        """
        if name not in self.methods:
            raise CandidError(
                f"the canister has no method {name!r}; it has {', '.join(sorted(self.methods))}"
            )
        return self.methods[name]

    def encode_init(self, *values: Any) -> bytes:
        """The Candid message of the install arguments."""
        return candid.encode(self.init, values)


def _method(name: str, kind: Any) -> Method:
    is_query = "query" in kind.modes or "composite_query" in kind.modes
    return Method(name, tuple(kind.args), tuple(kind.rets), is_query)
