"""Calls to other canisters: `result = yield service.method(argument)`."""

from __future__ import annotations

import _ic0

from cdk.candid.codec import Codec
from cdk.candid.errors import CandidError
from cdk.candid.principal import Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

REJECT_CODES = {
    0: "NoError",
    1: "SysFatal",
    2: "SysTransient",
    3: "DestinationInvalid",
    4: "CanisterReject",
    5: "CanisterError",
}


class CallResult:
    """The outcome of a call: `Ok` is the decoded reply and `Err` None, or `Err` is the reject as text.

    `reject_code` is an extension: the number of the reject (0 when the call was answered), 6 for "outcome
    unknown".
    """

    __slots__ = ("Err", "Ok", "reject_code")

    def __init__(self, Ok: Any = None, Err: str | None = None, reject_code: int = 0) -> None:
        self.Ok = Ok
        self.Err = Err
        self.reject_code = reject_code

    def __class_getitem__(cls, argument: Any) -> type[CallResult]:
        return cls

    def __repr__(self) -> str:
        return f"CallResult(Ok={self.Ok!r})" if self.Err is None else f"CallResult(Err={self.Err!r})"


def rejected(code: int, message: str) -> CallResult:
    """The CallResult of a rejected call."""
    return CallResult(None, f"Rejection code {code}, {message}", code)


class Call:
    """A call that is made when it is yielded (or by `notify`)."""

    __slots__ = ("argument", "codec", "cycles", "method", "target", "timeout")

    def __init__(
        self,
        target: Principal,
        method: str,
        argument: bytes,
        codec: Codec | None,
        cycles: int = 0,
    ) -> None:
        self.target = target
        self.method = method
        self.argument = argument
        self.codec = codec
        self.cycles = cycles
        self.timeout: int | None = None

    def with_cycles(self, cycles: int) -> Call:
        """The same call with `cycles` attached."""
        self.cycles = cycles
        return self

    with_cycles128 = with_cycles

    def with_timeout(self, seconds: int) -> Call:
        """Extension: wait at most `seconds` for the answer (a bounded-wait call)."""
        self.timeout = seconds
        return self

    def start(self, callback_id: int) -> int:
        """Hand the call to the system; 0, or the system's error code."""
        return _ic0.call(
            self.target.bytes, self.method, self.argument, self.cycles, callback_id, self.timeout
        )

    def notify(self) -> dict[str, Any]:
        """Call without waiting for the answer: `{"Ok": None}`, or `{"Err": …}` if it could not be sent."""
        code = self.start(-1)
        return {"Err": {REJECT_CODES.get(code, "Unknown"): None}} if code else {"Ok": None}

    def read_reply(self, data: bytes) -> CallResult:
        """The CallResult of a reply."""
        if self.codec is None:
            return CallResult(data)
        try:
            values = self.codec.decode(data)
        except CandidError as error:
            return rejected(5, f"the reply of {self.method} from {self.target} cannot be read: {error}")
        return CallResult(values[0] if values else None)


class Service:
    """Base of classes that describe another canister; its methods are declared by `service_query/_update`."""

    canister_id: Principal

    def __init__(self, canister_id: Principal) -> None:
        self.canister_id = canister_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Service) and other.canister_id == self.canister_id

    def __hash__(self) -> int:
        return hash(self.canister_id)


DECLARED: list[ServiceMethod] = []
"""Every declared method, so that its annotations can be checked when the canister is built."""


class ServiceMethod:
    """A declared method; its codecs are made when every forward reference is known."""

    def __init__(self, function: Any, is_query: bool) -> None:
        self.function = function
        self.name: str = function.__name__
        self.is_query = is_query
        self.codecs: tuple[Codec, Codec] | None = None
        DECLARED.append(self)

    def prepare(self) -> tuple[Codec, Codec]:
        """The codecs of arguments and results."""
        if self.codecs is None:
            from .annotations import PROGRAMS, signature  # which needs Service

            arguments, results = signature(self.function, 1)
            self.codecs = Codec(arguments, PROGRAMS), Codec(results, PROGRAMS)
        return self.codecs

    def warm(self) -> None:
        """Compile the codecs now, while the canister is installed."""
        arguments, results = self.prepare()
        arguments.warm_encoder()
        results.warm_decoder(from_agents=True)

    def call(self, target: Principal, values: tuple[Any, ...]) -> Call:
        """The call of this method; CandidError names the argument that does not fit."""
        arguments, results = self.codecs or self.prepare()
        try:
            return Call(target, self.name, arguments.encode_once(values), results)
        except CandidError as error:
            raise error.within(f"argument of {self.function.__qualname__}") from None


def _declare(function: Any, is_query: bool) -> Callable[..., Call]:
    declared = ServiceMethod(function, is_query)

    def method(self: Service, *values: Any) -> Call:
        return declared.call(self.canister_id, values)

    method.__name__ = declared.name
    method.service_method = declared  # type: ignore[attr-defined]
    return method


def service_query(function: Any) -> Callable[..., Call]:
    """Declares a query method of another canister."""
    return _declare(function, True)


def service_update(function: Any) -> Callable[..., Call]:
    """Declares an update method of another canister."""
    return _declare(function, False)


service_method = service_update


def canister(cls: type) -> type:
    """A mark on Service classes that Kybra once needed; changes nothing."""
    return cls
