"""From Python annotations to Candid types."""

from __future__ import annotations

import builtins
import keyword
import sys

from cdk.candid import types as candid
from cdk.candid.codec import Programs
from cdk.candid.errors import CandidError
from cdk.candid.principal import Principal

from .service import Service, ServiceMethod
from .types import DefinitionError, FieldsMeta, Parametrised, Variant, _NumberMeta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SIMPLE: dict[Any, candid.Type] = {
    None: candid.NULL,
    type(None): candid.NULL,
    bool: candid.BOOL,
    int: candid.INT,
    float: candid.FLOAT64,
    str: candid.TEXT,
    bytes: candid.BLOB,
    Principal: candid.PRINCIPAL,
}
_NAMED: dict[type, candid.Type] = {}
PROGRAMS = Programs()
"""What all codecs of this canister share: each type is compiled once."""


def candid_type(annotation: Any, namespace: dict[str, Any]) -> candid.Type:
    """The Candid type of `annotation`; strings in it are looked up in `namespace` (a module's globals).

    DefinitionError when it has none.
    """
    if isinstance(annotation, str):
        return candid_type(_evaluate(annotation, namespace), namespace)
    if isinstance(annotation, _NumberMeta):
        return annotation.candid_type
    if isinstance(annotation, FieldsMeta):
        return _fields(annotation)
    if isinstance(annotation, Parametrised):
        return _parametrised(annotation, namespace)
    if isinstance(annotation, type) and issubclass(annotation, Service):
        return _service(annotation)
    try:
        simple = _SIMPLE.get(annotation)
    except TypeError:
        simple = None
    return simple or _generic(annotation, namespace)


def _evaluate(text: str, namespace: dict[str, Any]) -> Any:
    try:
        return eval(text, namespace)
    except NameError as error:
        raise DefinitionError(
            f"the type {text!r} is not known in {namespace.get('__name__')}: {error}"
        ) from None


def _parametrised(annotation: Parametrised, namespace: dict[str, Any]) -> candid.Type:
    if annotation.kind == "Opt":
        return candid.Opt(candid_type(annotation.argument, namespace))
    if annotation.kind == "Func":
        modes, arguments, result = annotation.argument
        types = tuple([candid_type(argument, namespace) for argument in arguments])
        return candid.Func(types, result_types(result, namespace), modes)
    raise DefinitionError(f"{annotation.kind}[…] may only be the return type of an endpoint")


def _generic(annotation: Any, namespace: dict[str, Any]) -> candid.Type:
    origin, arguments = getattr(annotation, "__origin__", None), list(getattr(annotation, "__args__", ()))
    if origin is list:
        element = candid_type(arguments[0], namespace)
        return candid.BLOB if element is candid.NAT8 else candid.Vec(element)
    if origin is tuple:
        return candid.tuple_type(tuple([candid_type(argument, namespace) for argument in arguments]))
    name = getattr(annotation, "__forward_arg__", None)
    if name is not None:
        return candid_type(name, namespace)
    if len(arguments) == 2 and type(None) in arguments:  # Optional[T], T | None
        inner = arguments[0] if arguments[1] is type(None) else arguments[1]
        return candid.Opt(candid_type(inner, namespace))
    typing = sys.modules.get("typing")
    if typing is not None and annotation is typing.Any:
        return candid.RESERVED
    if typing is not None and annotation in (typing.NoReturn, typing.Never):
        return candid.EMPTY
    raise DefinitionError(
        f"{_describe(annotation)} is not a Candid type; use nat64, text, Opt[…], Vec[…], a Record, …"
    )


def _describe(annotation: Any) -> str:
    module = getattr(annotation, "__module__", "builtins")
    name = getattr(annotation, "__qualname__", None) or repr(annotation)
    return name if module == builtins.__name__ else f"{module}.{name}"


def _fields(cls: FieldsMeta) -> candid.Type:
    if cls in _NAMED:
        return _NAMED[cls]
    is_variant = issubclass(cls, Variant)
    result = candid.Variant(name=cls.__name__) if is_variant else candid.Record(name=cls.__name__)
    _NAMED[cls] = result
    fields: dict[str, candid.Field] = {}
    for base in reversed(cls.__mro__):
        namespace = _namespace(base)
        for key, annotation in vars(base).get("__annotations__", {}).items():
            try:
                fields[key] = candid.Field(_label(key), candid_type(annotation, namespace), key)
            except DefinitionError as error:
                raise DefinitionError(f"{cls.__module__}.{cls.__name__}.{key}: {error}") from None
    try:
        result.fill(tuple(fields.values()))
    except CandidError as error:
        raise DefinitionError(f"{cls.__module__}.{cls.__name__}: {error}") from None
    return result


def _label(key: str) -> str:
    """The Candid name of a field: `from_` stands for `from`, which Python cannot write."""
    return key[:-1] if key.endswith("_") and keyword.iskeyword(key[:-1]) else key


def _namespace(cls: type) -> dict[str, Any]:
    module = sys.modules.get(cls.__module__)
    return module.__dict__ if module else {}


def _service(cls: type[Service]) -> candid.Type:
    if cls in _NAMED:
        return _NAMED[cls]
    result = _NAMED[cls] = candid.Service(name=cls.__name__, make=cls)
    for name, member in cls.__dict__.items():
        declared = getattr(member, "service_method", None)
        if isinstance(declared, ServiceMethod):
            arguments, results = signature(declared.function, 1)
            modes = ("query",) if declared.is_query else ()
            result.methods[name] = candid.Func(arguments, results, modes)
    return result


def result_types(annotation: Any, namespace: dict[str, Any]) -> tuple[candid.Type, ...]:
    """The results of a function that returns `annotation`: none for `void`, else one."""
    if isinstance(annotation, str):
        annotation = _evaluate(annotation, namespace)
    return () if annotation is None else (candid_type(annotation, namespace),)


def signature(function: Any, skip: int = 0) -> tuple[tuple[candid.Type, ...], tuple[candid.Type, ...]]:
    """The Candid types of a function's parameters (after the first `skip`) and results.

    DefinitionError with file and line when something is not annotated or cannot be described.
    """
    code, annotations, namespace = function.__code__, function.__annotations__, function.__globals__
    if code.co_kwonlyargcount or code.co_flags & 0x0C or function.__defaults__:
        raise located(function, "may only have plain parameters, without defaults, * or **")
    types = []
    for name in code.co_varnames[skip : code.co_argcount]:
        if name not in annotations:
            raise located(function, f"parameter {name!r} has no type annotation")
        try:
            types.append(candid_type(annotations[name], namespace))
        except DefinitionError as error:
            raise located(function, f"parameter {name!r}: {error}") from None
    if "return" not in annotations:
        raise located(function, "has no return type annotation (use `-> void` for none)")
    try:
        result = unwrap(annotations["return"], namespace)[0]
        return tuple(types), result_types(result, namespace)
    except DefinitionError as error:
        raise located(function, f"return type: {error}") from None


def unwrap(annotation: Any, namespace: dict[str, Any]) -> tuple[Any, frozenset[str]]:
    """A return annotation without `Async[…]` and `Manual[…]`, and which of them it had."""
    wrappers: set[str] = set()
    while True:
        if isinstance(annotation, str):
            annotation = _evaluate(annotation, namespace)
        if not isinstance(annotation, Parametrised) or annotation.kind not in ("Async", "Manual"):
            return annotation, frozenset(wrappers)
        wrappers.add(annotation.kind)
        annotation = annotation.argument


def located(function: Any, problem: str) -> DefinitionError:
    """A DefinitionError that begins with the file and line of `function`."""
    code = function.__code__
    return DefinitionError(f"{code.co_filename}:{code.co_firstlineno}: {function.__name__} {problem}")
