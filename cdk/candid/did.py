"""Prints Candid types and service descriptions (`.did`).

Deterministic: named types are listed in order of first use, beginning with the initialisation arguments,
then the methods in the order given; every record keeps its declared field order. Types without a name are
written in place.
"""

from __future__ import annotations

from .types import NAT8, Field, Func, Opt, Primitive, Record, Service, Type, Variant, Vec

LINE = 110
_MAX_NESTING = 12
KEYWORDS = frozenset(
    "blob bool composite_query empty false float32 float64 func import int int16 int32 int64 int8 "
    "nat nat16 nat32 nat64 nat8 null oneway opt principal query record reserved service text true "
    "type variant vec".split()
)


class DidError(ValueError):
    """A service cannot be described, or a `.did` text cannot be read."""


def type_text(type: Type, depth: int = 0) -> str:
    """`type` on one line; named types by their name, very deep nesting as `…`."""
    if isinstance(type, Primitive):
        return type.name
    name = getattr(type, "name", None)
    return name if name else body_text(type, depth)


def body_text(type: Type, depth: int = 0) -> str:
    """What stands behind `type NAME =`, on one line."""
    if depth > _MAX_NESTING:
        return "…"
    if isinstance(type, Opt):
        return "opt " + type_text(type.inner, depth + 1)
    if isinstance(type, Vec):
        return "blob" if type.inner is NAT8 else "vec " + type_text(type.inner, depth + 1)
    if isinstance(type, Record | Variant):
        word = "record" if isinstance(type, Record) else "variant"
        parts = _fields(type, depth)
        return f"{word} {{ {'; '.join(parts)} }}" if parts else word + " {}"
    if isinstance(type, Func):
        return "func " + signature(type, depth)
    assert isinstance(type, Service)
    methods = [f"{label_text(name)} : {signature(func, depth)}" for name, func in type.methods.items()]
    return f"service {{ {'; '.join(methods)} }}"


def signature(func: Func, depth: int = 0) -> str:
    """`(A, B) -> (C) query`."""
    arguments = ", ".join([type_text(type, depth + 1) for type in func.arguments])
    results = ", ".join([type_text(type, depth + 1) for type in func.results])
    return " ".join([f"({arguments}) -> ({results})", *func.modes])


def label_text(label: str | int) -> str:
    """A field or method name, quoted when the grammar needs it."""
    if isinstance(label, int):
        return str(label)
    if label.isascii() and label.isidentifier() and label not in KEYWORDS:
        return label
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        raise DidError(f"a name with control characters cannot be written: {label!r}")
    return f'"{escaped}"'


def _fields(type: Record | Variant, depth: int) -> list[str]:
    if isinstance(type, Record) and [field.label for field in type.fields] == list(range(len(type.fields))):
        return [type_text(field.type, depth + 1) for field in type.fields]
    return [_field(type, field, depth) for field in type.fields]


def _field(owner: Record | Variant, field: Field, depth: int) -> str:
    text = type_text(field.type, depth + 1)
    if isinstance(owner, Variant) and text == "null":
        return label_text(field.label)
    return f"{label_text(field.label)} : {text}"


def named_types(types: list[Type]) -> dict[str, Type]:
    """Every named type reachable from `types`, in order of first use; DidError when two share a name."""
    found: dict[str, Type] = {}
    seen: set[int] = set()

    def visit(type: Type) -> None:
        if id(type) in seen or isinstance(type, Primitive):
            return
        seen.add(id(type))
        name = getattr(type, "name", None)
        if name:
            if name in KEYWORDS:
                raise DidError(f"{name} is a Candid keyword and cannot name a type: rename the class")
            if found.setdefault(name, type) is not type:
                raise DidError(f"two different types are called {name}: rename one of the classes")
        for part in parts_of(type):
            visit(part)

    for type in types:
        visit(type)
    return found


def parts_of(type: Type) -> list[Type]:
    """The types that `type` is directly made of."""
    if isinstance(type, Opt | Vec):
        return [type.inner]
    if isinstance(type, Record | Variant):
        return [field.type for field in type.fields]
    if isinstance(type, Func):
        return [*type.arguments, *type.results]
    return list(type.methods.values()) if isinstance(type, Service) else []


def service_text(init: tuple[Type, ...] | None, methods: dict[str, Func]) -> str:
    """The whole `.did` of a canister: named types, then `service : (init) -> { methods }`."""
    roots: list[Type] = [*(init or ()), *methods.values()]
    lines = [_definition(name, type) for name, type in named_types(roots).items()]
    head = "" if init is None else f"({', '.join(map(type_text, init))}) -> "
    lines.append(f"service : {head}{{")
    lines += [f"  {label_text(name)} : {signature(func)};" for name, func in methods.items()]
    return "\n".join([*lines, "}", ""])


def _definition(name: str, type: Type) -> str:
    line = f"type {name} = {body_text(type)};"
    if len(line) <= LINE or not isinstance(type, Record | Variant):
        return line
    word = "record" if isinstance(type, Record) else "variant"
    fields = "".join([f"  {part};\n" for part in _fields(type, 0)])
    return f"type {name} = {word} {{\n{fields}}};"
