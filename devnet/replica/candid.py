"""Candid types with values as plain Python.

A thin layer over icp-py-core's codec: an `opt` is None or its value, a principal is its bytes, a `blob` is
bytes, a record is a dict, a variant is a pair of name and value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from icp_candid import Types, decode, encode  # type: ignore[import-untyped]
from icp_principal.principal import Principal  # type: ignore[import-untyped]

from devnet.errors import CandidError
from devnet.replica.candid_bounds import check_bounds

_VEC_NAT8 = Types.Vec(Types.Nat8)


class CandidType(Protocol):
    """A type and how its values look in Python."""

    @property
    def codec(self) -> Any:
        """The codec's type."""

    def load(self, value: Any) -> Any:
        """From the codec's value to ours."""

    def dump(self, value: Any) -> Any:
        """From our value to the codec's."""


@dataclass(frozen=True)
class Plain:
    """A type whose values are the same on both sides."""

    codec: Any

    def load(self, value: Any) -> Any:
        return value

    def dump(self, value: Any) -> Any:
        return value


@dataclass(frozen=True)
class PrincipalType:
    codec: Any = Types.Principal

    def load(self, value: Any) -> bytes:
        return bytes(value.bytes)

    def dump(self, value: bytes) -> Any:
        return Principal(value)


@dataclass(frozen=True)
class BlobType:
    codec: Any = _VEC_NAT8

    def load(self, value: Any) -> bytes:
        return bytes(value)

    def dump(self, value: bytes) -> Any:
        return value


@dataclass(frozen=True)
class Opt:
    inner: CandidType

    @property
    def codec(self) -> Any:
        return Types.Opt(self.inner.codec)

    def load(self, value: Any) -> Any:
        return self.inner.load(value[0]) if value else None

    def dump(self, value: Any) -> Any:
        return [] if value is None else [self.inner.dump(value)]


@dataclass(frozen=True)
class Vec:
    inner: CandidType

    @property
    def codec(self) -> Any:
        return Types.Vec(self.inner.codec)

    def load(self, value: Any) -> list[Any]:
        return [self.inner.load(item) for item in value]

    def dump(self, value: Any) -> list[Any]:
        return [self.inner.dump(item) for item in value]


@dataclass(frozen=True)
class Record:
    fields: Mapping[str, CandidType]

    @property
    def codec(self) -> Any:
        return Types.Record({name: kind.codec for name, kind in self.fields.items()})

    def load(self, value: Any) -> dict[str, Any]:
        return {name: kind.load(value[name]) for name, kind in self.fields.items()}

    def dump(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: kind.dump(value[name]) for name, kind in self.fields.items()}


@dataclass(frozen=True)
class Variant:
    cases: Mapping[str, CandidType]

    @property
    def codec(self) -> Any:
        return Types.Variant({name: kind.codec for name, kind in self.cases.items()})

    def load(self, value: Any) -> tuple[str, Any]:
        ((name, content),) = value.items()
        return name, self.cases[name].load(content)

    def dump(self, value: tuple[str, Any]) -> dict[str, Any]:
        name, content = value
        return {name: self.cases[name].dump(content)}


@dataclass(frozen=True)
class QueryFunction:
    """A reference to a query method: a pair of canister id and method name."""

    arguments: tuple[CandidType, ...]
    results: tuple[CandidType, ...]

    @property
    def codec(self) -> Any:
        sides = ([kind.codec for kind in side] for side in (self.arguments, self.results))
        return Types.Func(*sides, ["query"])

    def load(self, value: Any) -> tuple[bytes, str]:
        canister, method = value
        return bytes(canister.bytes), method

    def dump(self, value: tuple[bytes, str]) -> Any:
        return [Principal(value[0]), value[1]]


NAT = Plain(Types.Nat)
NAT32 = Plain(Types.Nat32)
NAT64 = Plain(Types.Nat64)
BOOL = Plain(Types.Bool)
TEXT = Plain(Types.Text)
NULL = Plain(Types.Null)
RESERVED = Plain(Types.Reserved)
INT32 = Plain(Types.Int32)
INT64 = Plain(Types.Int64)
FLOAT32 = Plain(Types.Float32)
FLOAT64 = Plain(Types.Float64)
PRINCIPAL = PrincipalType()
BLOB = BlobType()


def decode_one(kind: CandidType | None, data: bytes) -> Any:
    """Decode an argument list of one value, or of none for `kind` None.

    Raises:
        CandidError: not Candid, or not of this type.
    """
    if kind is None:
        return None
    check_bounds(data)
    try:
        values = decode(data, kind.codec)
        return kind.load(values[0]["value"])
    except CandidError:
        raise
    except Exception as error:
        raise CandidError(f"{type(error).__name__}: {error}") from error


def encode_one(kind: CandidType | None, value: Any) -> bytes:
    """Encode one value as an argument list, or an empty list for `kind` None."""
    if kind is None:
        return bytes(encode([]))
    return bytes(encode([{"type": kind.codec, "value": kind.dump(value)}]))
