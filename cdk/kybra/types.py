"""The names that annotations are made of.

At run time each one knows its Candid type; for type checkers the stubs in `typings/kybra` say which Python
type its values have.
"""

from __future__ import annotations

import sys

from cdk.candid import types as candid
from cdk.candid.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DefinitionError(Error):
    """The canister's source declares something that cannot be part of a canister."""


class _NumberMeta(type):
    """Makes `isinstance(5, nat64)` and `nat64(5)` behave as if `nat64` were `int`."""

    candid_type: candid.Primitive
    python_type: Any

    def __call__(cls, *args: Any) -> Any:
        return cls.python_type(*args)

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.python_type)

    def __repr__(cls) -> str:
        return cls.__name__


def _scalar(candid_type: candid.Primitive, python_type: Any) -> Any:
    name = candid_type.name
    return _NumberMeta(name, (), {"candid_type": candid_type, "python_type": python_type})


nat = _scalar(candid.NAT, int)
nat8 = _scalar(candid.NAT8, int)
nat16 = _scalar(candid.NAT16, int)
nat32 = _scalar(candid.NAT32, int)
nat64 = _scalar(candid.NAT64, int)
int8 = _scalar(candid.INT8, int)
int16 = _scalar(candid.INT16, int)
int32 = _scalar(candid.INT32, int)
int64 = _scalar(candid.INT64, int)
float32 = _scalar(candid.FLOAT32, float)
float64 = _scalar(candid.FLOAT64, float)
reserved = _scalar(candid.RESERVED, object)
empty = _scalar(candid.EMPTY, object)
text = str
blob = bytes
null = None
void = None
Vec = list
Tuple: Any = tuple


class Parametrised:
    """`Opt[T]` and the like as they stand in an annotation."""

    def __init__(self, kind: str, argument: Any) -> None:
        self.kind = kind
        self.argument = argument

    def __or__(self, other: object) -> Any:
        if other is None:
            return Parametrised("Opt", self)
        return NotImplemented

    def __repr__(self) -> str:
        return f"{self.kind}[{self.argument!r}]"


class Opt:
    """`opt T`: None or the value."""

    def __class_getitem__(cls, argument: Any) -> Parametrised:
        return Parametrised("Opt", argument)


class Manual:
    """The result of an endpoint that replies through `ic.reply` or `ic.reject` itself."""

    def __class_getitem__(cls, argument: Any) -> Parametrised:
        return Parametrised("Manual", argument)


class Async:
    """The result of an endpoint that is a generator function: each `yield` awaits a call to a canister."""

    def __class_getitem__(cls, argument: Any) -> Parametrised:
        return Parametrised("Async", argument)


class Alias:
    """`Alias[T]` is `T`."""

    def __class_getitem__(cls, argument: Any) -> Any:
        return argument


class _FuncMode:
    def __init__(self, modes: tuple[str, ...]) -> None:
        self.modes = modes

    def __getitem__(self, signature: Any) -> Parametrised:
        arguments, result = signature
        return Parametrised("Func", (self.modes, tuple(arguments), result))


Query = _FuncMode(("query",))
Update = _FuncMode(())
Oneway = _FuncMode(("oneway",))


FuncTuple: Any = tuple
"""The type of function references' values, for annotations inside the canister."""


def Func(callable: Parametrised) -> Parametrised:
    """A function reference, `Func(Query[[nat], text])`; its values are `(Principal, method name)`."""
    return callable


class FieldsMeta(type):
    """Classes of named fields whose values are plain dicts, as with TypedDict."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], total: bool = True
    ) -> FieldsMeta:
        for member in namespace:
            if not (member.startswith("__") and member.endswith("__")):
                raise DefinitionError(
                    f"{namespace.get('__module__')}.{name}: only annotated fields without defaults may stand "
                    f"in a Record or Variant; found {member!r}"
                )
        return super().__new__(mcls, name, bases, namespace)

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], total: bool = True
    ) -> None:
        super().__init__(name, bases, namespace)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls in (Record, Variant) and args and isinstance(args[0], str):
            name, fields = args
            module = sys._getframe(1).f_globals["__name__"]
            return FieldsMeta(name, (cls,), {"__annotations__": dict(fields), "__module__": module})
        return dict(*args, **kwargs)

    def __instancecheck__(cls, value: object) -> bool:
        raise TypeError(f"values of {cls.__name__} are plain dicts: isinstance cannot tell them apart")


class Record(metaclass=FieldsMeta):
    """Base of record types; values are dicts. Also `Record("Name", {"field": type})`."""


class Variant(metaclass=FieldsMeta):
    """Base of variant types; values are dicts with exactly one key. Cases without data are `null`."""
