"""Compares service descriptions by meaning: names of types, order and comments do not count."""

from __future__ import annotations

from .did import signature, type_text
from .types import Func, Opt, Primitive, Record, Service, Type, Variant, Vec


def difference(left: Type, right: Type) -> str | None:
    """Where and how two types differ first, as text; None when they are the same type."""
    return _difference(left, right, set())


def _difference(left: Type, right: Type, assumed: set[tuple[int, int]]) -> str | None:
    if left is right or (id(left), id(right)) in assumed:
        return None
    if left.opcode != right.opcode:
        return f"`{type_text(left)}` against `{type_text(right)}`"
    assumed.add((id(left), id(right)))
    if isinstance(left, Opt | Vec) and isinstance(right, Opt | Vec):
        return _difference(left.inner, right.inner, assumed)
    if isinstance(left, Record | Variant) and isinstance(right, Record | Variant):
        return _fields(left, right, assumed)
    if isinstance(left, Func) and isinstance(right, Func):
        return _functions(left, right, assumed)
    if isinstance(left, Service) and isinstance(right, Service):
        problems = _methods(left.methods, right.methods, assumed)
        return problems[0] if problems else None
    assert isinstance(left, Primitive)
    return None


def _fields(left: Record | Variant, right: Record | Variant, assumed: set[tuple[int, int]]) -> str | None:
    others = {field.hash: field for field in right.fields}
    for field in left.fields:
        other = others.pop(field.hash, None)
        if other is None:
            return f"`{field.label}` is missing from the second"
        problem = _difference(field.type, other.type, assumed)
        if problem:
            return f"{field.label}: {problem}"
    for field in others.values():
        return f"`{field.label}` is missing from the first"
    return None


def _functions(left: Func, right: Func, assumed: set[tuple[int, int]]) -> str | None:
    if sorted(left.modes) != sorted(right.modes):
        return f"annotated `{' '.join(left.modes) or 'update'}` against `{' '.join(right.modes) or 'update'}`"
    for what, ours, theirs in (
        ("argument", left.arguments, right.arguments),
        ("result", left.results, right.results),
    ):
        if len(ours) != len(theirs):
            return f"{len(ours)} {what}s against {len(theirs)}"
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            problem = _difference(mine, other, assumed)
            if problem:
                return f"{what} {index + 1}: {problem}"
    return None


def _methods(left: dict[str, Func], right: dict[str, Func], assumed: set[tuple[int, int]]) -> list[str]:
    problems = []
    for name, func in left.items():
        if name not in right:
            problems.append(f"{name} : {signature(func)}  is only in the first")
            continue
        problem = _functions(func, right[name], assumed)
        if problem:
            problems.append(f"{name}: {problem}")
    problems += [
        f"{name} : {signature(func)}  is only in the second"
        for name, func in right.items()
        if name not in left
    ]
    return problems


def service_differences(
    left: tuple[tuple[Type, ...] | None, dict[str, Func]],
    right: tuple[tuple[Type, ...] | None, dict[str, Func]],
) -> list[str]:
    """Every method (and the initialisation arguments) that differs between two services, one line each."""
    init = _functions(Func(left[0] or ()), Func(right[0] or ()), set())
    problems = [f"initialisation: {init}"] if init else []
    return problems + _methods(left[1], right[1], set())
