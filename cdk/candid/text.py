"""Candid values in text form (Candid specification, "Text format"): `(1 : nat64, record { name = "a" })`."""

from __future__ import annotations

import re

from .codec import Codec
from .did import DidError, label_text
from .did_parser import DidParser
from .errors import CandidError
from .header import read_header
from .principal import Principal, PrincipalError
from .types import (
    BLOB,
    BOOL,
    EMPTY,
    FLOAT32,
    FLOAT64,
    INT,
    NAT8,
    NULL,
    PRINCIPAL,
    TEXT,
    Field,
    Func,
    Opt,
    Primitive,
    Record,
    Service,
    Type,
    Variant,
    Vec,
    tuple_type,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOKENS = re.compile(
    r"""\s+ | //[^\n]* | (?P<comment>/\*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[+-]?(?:0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?))
      | (?P<string>"(?:[^"\\]|\\.)*") | (?P<mark>->|[{}()=:;,.])""",
    re.VERBOSE,
)
_FLOATS = (FLOAT32, FLOAT64)


def encode_text(text: str) -> bytes:
    """The message of the values in `text`: one value, or several in parentheses. CandidError when malformed.

    Numbers without a type are `int`, or `float64` with a point or exponent.
    """
    try:
        pairs = _ValueParser(text, "Candid text").values()
    except (DidError, PrincipalError) as error:
        raise CandidError(str(error)) from None
    except RecursionError:
        raise CandidError("the values are nested too deep") from None
    return Codec([type for type, _ in pairs]).encode([value for _, value in pairs])


def decode_text(data: bytes) -> str:
    """The values of a message in text form; fields whose names are not known appear as numbers."""
    try:
        types, _ = read_header(data)
    except (IndexError, UnicodeDecodeError, RecursionError) as error:
        raise CandidError(f"the message's type section cannot be read: {error}") from None
    values = Codec(types).decode(data)
    return f"({', '.join([value_text(type, value) for type, value in zip(types, values)])})"  # noqa: B905


def value_text(type: Type, value: Any) -> str:
    """One value of a known type in text form."""
    if isinstance(type, Opt):
        if value is None:
            return "null"
        text = value_text(type.inner, value)
        return f"opt ({text})" if " : " in text and isinstance(type.inner, Primitive) else f"opt {text}"
    if isinstance(type, Vec):
        if type.inner is NAT8:
            return 'blob "' + "".join([f"\\{byte:02x}" for byte in value]) + '"'
        return "vec { " + "; ".join([value_text(type.inner, element) for element in value]) + " }"
    if isinstance(type, Record):
        values = dict(enumerate(value)) if type.is_tuple else value
        parts = [f"{label_text(f.label)} = {value_text(f.type, values[f.key])}" for f in type.fields]
        return "record { " + "; ".join(parts) + " }"
    if isinstance(type, Variant):
        [(key, content)] = value.items()
        [field] = [field for field in type.fields if field.key == key]
        label = label_text(field.label)
        return (
            f"variant {{ {label if field.type is NULL else f'{label} = {value_text(field.type, content)}'} }}"
        )
    if isinstance(type, Func):
        return f'func "{value[0]}".{label_text(value[1])}'
    return _scalar_text(type, value)


def _scalar_text(type: Type, value: Any) -> str:
    if type is TEXT:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if type is PRINCIPAL or isinstance(type, Service):
        return f'{"principal" if type is PRINCIPAL else "service"} "{value}"'
    if value is None:
        return "null"
    if type is BOOL:
        return "true" if value else "false"
    assert isinstance(type, Primitive)
    return f"{value} : {type.name}"


class _ValueParser(DidParser):
    pattern = _TOKENS

    def values(self) -> list[tuple[Type, Any]]:
        pairs = []
        if self.accept("("):
            while not self.accept(")"):
                pairs.append(self.value())
                if not self.peek(")"):
                    self.expect(",")
        else:
            pairs.append(self.value())
        if self.tokens[self.index][0] != "end":
            raise self.unexpected("the end")
        return pairs

    def value(self) -> tuple[Type, Any]:
        pair = self.plain_value()
        if self.accept(":"):
            return _converted(pair[1], self.type(), self)
        return pair

    def plain_value(self) -> tuple[Type, Any]:
        kind, word, _ = self.tokens[self.index]
        if kind == "number":
            self.index += 1
            digits = word.replace("_", "")
            whole = not re.search(r"[.eE]", digits) or "x" in digits
            return (INT, self.number(word)) if whole else (FLOAT64, float(digits))
        if kind == "string":
            return TEXT, self.take("string")[1]
        if self.accept("("):
            pair = self.value()
            self.expect(")")
            return pair
        self.take("word")
        read = getattr(self, f"value_{word}", None)
        if read is None:
            self.index -= 1
            raise self.unexpected("a value")
        pair = read()
        assert isinstance(pair, tuple)
        return pair

    def value_true(self) -> tuple[Type, Any]:
        return BOOL, True

    def value_false(self) -> tuple[Type, Any]:
        return BOOL, False

    def value_null(self) -> tuple[Type, Any]:
        return NULL, None

    def value_principal(self) -> tuple[Type, Any]:
        return PRINCIPAL, Principal.from_str(self.take("string")[1])

    def value_service(self) -> tuple[Type, Any]:
        return Service(), Principal.from_str(self.take("string")[1])

    def value_func(self) -> tuple[Type, Any]:
        principal = Principal.from_str(self.take("string")[1])
        self.expect(".")
        return Func(), (principal, self.take("word", "string")[1])

    def value_blob(self) -> tuple[Type, Any]:
        raw = self.tokens[self.index][1][1:-1]
        self.take("string")
        data = re.sub(rb"\\([0-9a-fA-F]{2})", lambda match: bytes.fromhex(match[1].decode()), raw.encode())
        return BLOB, data

    def value_opt(self) -> tuple[Type, Any]:
        type, value = self.plain_value()
        return Opt(type), value

    def value_vec(self) -> tuple[Type, Any]:
        pairs = []
        self.expect("{")
        while not self.accept("}"):
            pairs.append(self.value())
            if not self.peek("}"):
                self.expect(";")
        return Vec(pairs[0][0] if pairs else EMPTY), [value for _, value in pairs]

    def value_record(self) -> tuple[Type, Any]:
        pairs = self.members()
        if pairs and [label for label, _, _ in pairs] == list(range(len(pairs))):
            return tuple_type(tuple([type for _, type, _ in pairs])), tuple([value for _, _, value in pairs])
        fields = tuple([Field(label, type) for label, type, _ in pairs])
        return Record(fields), {label: value for label, _, value in pairs}

    def value_variant(self) -> tuple[Type, Any]:
        [(label, type, value)] = self.members(single=True)
        return Variant((Field(label, type),)), {label: value}

    def members(self, single: bool = False) -> list[tuple[str | int, Type, Any]]:
        members: list[tuple[str | int, Type, Any]] = []
        self.expect("{")
        while not self.accept("}"):
            members.append(self.member(len(members), single))
            if not self.peek("}"):
                self.expect(";")
        if single and len(members) != 1:
            raise self.unexpected("exactly one case before this")
        return members

    def member(self, position: int, case: bool) -> tuple[str | int, Type, Any]:
        following = self.tokens[min(self.index + 1, len(self.tokens) - 1)][1]
        if following != "=" and not case:
            return (position, *self.value())
        kind, text = self.take("word", "string", "number")
        label = self.number(text) if kind == "number" else text
        return (label, *(self.value() if self.accept("=") else (NULL, None)))


def _converted(value: Any, type: Type, parser: DidParser) -> tuple[Type, Any]:
    """A value with a type annotation: numbers take the annotated type, the codec checks everything else."""
    try:
        if type in _FLOATS and isinstance(value, int):
            value = float(value)
        Codec([type]).encode([value])
    except (CandidError, OverflowError) as error:
        raise parser.error(str(error), parser.tokens[parser.index - 1][2]) from None
    return type, value
