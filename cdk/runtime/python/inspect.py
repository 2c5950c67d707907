"""What the standard library itself asks of `inspect`; frozen in its place.

The real module brings syntax trees and the disassembler with it, 112 KB of a compressed module, and is asked
for the signature of every dataclass without a docstring.
"""


def get_annotations(obj):
    """The annotations that a class, function or module itself declares, as `dataclasses` reads them."""
    declared = vars(obj).get("__annotations__") if isinstance(obj, type) else obj.__annotations__
    return dict(declared or {})


def signature(obj):
    """Refused; `dataclasses` then documents the class without it."""
    raise ValueError(f"no signature of {obj!r}: the runtime has no inspect.signature")


def getattr_static(obj, name):
    """The attribute as it is stored, for the protocols of `typing`; AttributeError if there is none."""
    owners = obj.__mro__ if isinstance(obj, type) else (obj, *type(obj).__mro__)
    for owner in owners:
        members = getattr(owner, "__dict__", {})
        if name in members:
            return members[name]
    raise AttributeError(name)
