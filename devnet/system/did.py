"""The Candid interface of a system canister as text, so that tools can show names and check arguments."""

from __future__ import annotations

from devnet.replica.candid import BLOB, CandidType, Opt, Record, Variant, Vec
from devnet.system.interface import Pair
from devnet.system.methods import Method, SystemCanister


def interface_text(canister: SystemCanister) -> str:
    """`service : { … }` with every method in the table's order."""
    methods = "".join(f"  {_method(method)};\n" for method in canister.methods.values())
    return f"service : {{\n{methods}}}\n"


def _method(method: Method) -> str:
    argument = "" if method.argument is None else _type(method.argument)
    mode = " query" if method.query else ""
    return f"{method.name} : ({argument}) -> ({_type(method.result)}){mode}"


def _type(kind: CandidType) -> str:
    if kind is BLOB:
        return "blob"
    if isinstance(kind, Opt):
        return f"opt {_type(kind.inner)}"
    if isinstance(kind, Vec):
        return f"vec {_type(kind.inner)}"
    if isinstance(kind, Pair):
        return f"record {{ {_type(kind.first)}; {_type(kind.second)} }}"
    if isinstance(kind, Record):
        fields = (f"{_label(name)} : {_type(field)}" for name, field in kind.fields.items())
        return f"record {{ {'; '.join(fields)} }}"
    if isinstance(kind, Variant):
        cases = (f"{_label(name)} : {_type(case)}" for name, case in kind.cases.items())
        return f"variant {{ {'; '.join(cases)} }}"
    return str(kind.codec.name)


def _label(name: str) -> str:
    """Quoted, since some names are words of the language."""
    return f'"{name}"'
