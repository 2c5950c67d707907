"""Reads `.did` texts (Candid specification, "Core grammar"). Host side only; canisters never need it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from .did import DidError
from .errors import CandidError
from .types import BLOB, BY_NAME, FUNC_MODES, Field, Func, Opt, Record, Service, Type, Variant, Vec

_TOKENS = re.compile(
    r"""\s+ | //[^\n]* | (?P<comment>/\*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*) | (?P<number>0x[0-9a-fA-F_]+|[0-9][0-9_]*)
      | (?P<string>"(?:[^"\\]|\\.)*") | (?P<mark>->|[{}()=:;,])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_CODE_DIGITS = 8
_COMPOSITES: dict[str, type[Opt | Vec | Record | Variant | Func | Service]] = {
    "opt": Opt,
    "vec": Vec,
    "record": Record,
    "variant": Variant,
    "func": Func,
    "service": Service,
}


@dataclass
class Description:
    """A parsed `.did`: its named types, and its service if it has one. `init` is None without parameters."""

    types: dict[str, Type] = field(default_factory=dict)
    init: tuple[Type, ...] | None = None
    methods: dict[str, Func] = field(default_factory=dict)
    has_service: bool = False


def parse_did(text: str, name: str = "the .did text") -> Description:
    """Parse `text`; DidError says where it is wrong (`name` is the file to blame)."""
    return DidParser(text, name).parse()


class DidParser:
    """A recursive-descent parser over `text`; `name` is what error messages call it."""

    pattern = _TOKENS

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.text = text
        self.tokens = self._tokenise()
        self.index = 0
        self.definitions: dict[str, int] = {}
        self.types: dict[str, Type] = {}
        self.resolving: set[str] = set()
        if not _is_unicode(text):
            raise DidError(f"{name}: the text has lone surrogates, so it is no Unicode text")

    def _tokenise(self) -> list[tuple[str, str, int]]:
        tokens, position = [], 0
        while position < len(self.text):
            match = self.pattern.match(self.text, position)
            if match is None:
                raise self.error(f"unexpected character {self.text[position]!r}", position)
            if match.lastgroup == "comment":
                position = self._skip_comment(position)
                continue
            if match.lastgroup:
                tokens.append((match.lastgroup, match.group(), position))
            position = match.end()
        return [*tokens, ("end", "the end of the text", position)]

    def _skip_comment(self, start: int) -> int:
        depth = 0
        for match in re.finditer(r"/\*|\*/", self.text[start:]):
            depth += 1 if match.group() == "/*" else -1
            if not depth:
                return start + match.end()
        raise self.error("this comment never ends", start)

    def error(self, problem: str, position: int) -> DidError:
        line = self.text.count("\n", 0, position) + 1
        return DidError(f"{self.name}:{line}: {problem}")

    # Tokens

    def unexpected(self, wanted: str) -> DidError:
        _, text, position = self.tokens[self.index]
        return self.error(f"expected {wanted}, found {text}", position)

    def peek(self, *texts: str) -> bool:
        kind, text, _ = self.tokens[self.index]
        return kind != "string" and text in texts

    def accept(self, text: str) -> bool:
        if not self.peek(text):
            return False
        self.index += 1
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.unexpected(text)

    def take(self, *kinds: str) -> tuple[str, str]:
        kind, text, _ = self.tokens[self.index]
        if kind not in kinds:
            raise self.unexpected(" or ".join(kinds))
        self.index += 1
        return kind, self.unquoted(text) if kind == "string" else text

    def unquoted(self, text: str) -> str:
        """The text that a string token just taken stands for."""

        def replace(match: re.Match[str]) -> str:
            code = match.group(1)
            return _ESCAPES[code] if code in _ESCAPES else self.character(code[2:-1].replace("_", ""))

        return re.sub(r"\\(u\{[0-9a-fA-F_]+\}|[nrt\\\"'])", replace, text[1:-1])

    def character(self, digits: str) -> str:
        """The character of a code point in hexadecimal."""
        if not digits or len(digits) > _CODE_DIGITS or int(digits, 16) > sys.maxunicode:
            raise self.error(f"\\u{{{digits[:20]}}} is no character", self.tokens[self.index - 1][2])
        if not _is_unicode(chr(int(digits, 16))):
            raise self.error(f"\\u{{{digits}}} is half a character", self.tokens[self.index - 1][2])
        return chr(int(digits, 16))

    def number(self, text: str) -> int:
        """The number that a token just taken stands for."""
        digits, base = text.replace("_", ""), 10
        if digits[:2] == "0x":
            digits, base = digits[2:], 16
        elif digits[:3] in ("-0x", "+0x"):
            digits, base = digits[0] + digits[3:], 16
        try:
            return int(digits, base)
        except ValueError:
            message = f"{text[:20]} is no number, or has too many digits"
            raise self.error(message, self.tokens[self.index - 1][2]) from None

    # Grammar

    def parse(self) -> Description:
        try:
            return self.description()
        except RecursionError:
            raise self.error("types are nested too deep", self.tokens[self.index][2]) from None

    def description(self) -> Description:
        result = Description()
        while self.accept("type"):
            _, name = self.take("word")
            if name in self.definitions:
                raise self.error(f"type {name} is defined twice", self.tokens[self.index - 1][2])
            self.expect("=")
            self.definitions[name] = self.index
            self.skip_type()
            self.accept(";")
        end = self.index
        for name in self.definitions:
            result.types[name] = self.named(name)
        self.index = end
        if self.accept("service"):
            self.service_definition(result)
        if self.tokens[self.index][0] != "end":
            raise self.unexpected("type or service")
        return result

    def skip_type(self) -> None:
        """Go past a type without resolving names: they may be defined further down."""
        depth = 0
        while not (depth == 0 and self.peek(";", "type")) and self.tokens[self.index][0] != "end":
            if depth == 0 and self.peek("service") and not self.peek_type_start():
                return
            depth += self.peek("{", "(") - self.peek("}", ")")
            self.index += 1

    def peek_type_start(self) -> bool:
        return self.index > 0 and self.tokens[self.index - 1][1] in ("=", "opt", "vec")

    def named(self, name: str) -> Type:
        if name in self.types:
            return self.types[name]
        if name not in self.definitions:
            raise self.unexpected(f"a defined type ({name} is not defined)")
        here, self.index = self.index, self.definitions[name]
        kind = self.tokens[self.index][1]
        if kind in _COMPOSITES:
            self.types[name] = self.composite(name)
        else:
            if name in self.resolving:
                raise self.unexpected(f"a type that is not only an alias of itself ({name})")
            self.resolving.add(name)
            self.types[name] = self.type()
        self.index = here
        return self.types[name]

    def type(self) -> Type:
        _, word, _ = self.tokens[self.index]
        if word in _COMPOSITES:
            return self.composite(None)
        self.take("word")
        if word == "blob":
            return BLOB
        if word in BY_NAME and word not in self.definitions:
            return BY_NAME[word]
        return self.named(word)

    def composite(self, name: str | None) -> Type:
        """Parse a composite type; a named one is registered before its parts are read, for recursion."""
        _, word = self.take("word")
        result = _COMPOSITES[word]()
        if name:
            self.types[name] = result
            if not isinstance(result, Opt | Vec):
                result.name = name
        if isinstance(result, Opt | Vec):
            result.inner = self.type()
        elif isinstance(result, Record | Variant):
            self.fields(result)
        elif isinstance(result, Func):
            self.signature(result)
        elif isinstance(result, Service):
            result.methods = self.methods()
        return result

    def fields(self, owner: Record | Variant) -> None:
        self.expect("{")
        fields: list[Field] = []
        while not self.accept("}"):
            fields.append(self.field(owner, fields))
            if not self.peek("}"):
                self.expect(";")
        try:
            owner.fill(tuple(fields))
        except CandidError as error:
            raise self.error(str(error), self.tokens[self.index - 1][2]) from None
        if isinstance(owner, Record):
            owner.is_tuple = bool(fields) and [f.label for f in fields] == list(range(len(fields)))

    def field(self, owner: Record | Variant, before: list[Field]) -> Field:
        kind, _, _ = self.tokens[self.index]
        following = self.tokens[min(self.index + 1, len(self.tokens) - 1)][1]
        if following == ":":
            kind, label = self.take("word", "string", "number")
            self.expect(":")
            return Field(self.number(label) if kind == "number" else label, self.type())
        if isinstance(owner, Variant):
            kind, label = self.take("word", "string", "number")
            return Field(self.number(label) if kind == "number" else label, BY_NAME["null"])
        last = before[-1].hash if before else -1
        return Field(last + 1, self.type())

    def signature(self, func: Func) -> None:
        func.arguments = self.tuple()
        self.expect("->")
        func.results = self.tuple()
        modes = []
        while self.peek(*FUNC_MODES):
            modes.append(self.take("word")[1])
        func.modes = tuple(modes)

    def tuple(self) -> tuple[Type, ...]:
        self.expect("(")
        types = []
        while not self.accept(")"):
            if self.tokens[min(self.index + 1, len(self.tokens) - 1)][1] == ":":
                self.take("word", "string")
                self.expect(":")
            types.append(self.type())
            if not self.peek(")"):
                self.expect(",")
        return tuple(types)

    def methods(self) -> dict[str, Func]:
        self.expect("{")
        methods: dict[str, Func] = {}
        while not self.accept("}"):
            _, name = self.take("word", "string")
            if name in methods:
                raise self.error(f"method {name} is declared twice", self.tokens[self.index - 1][2])
            self.expect(":")
            methods[name] = self.method()
            if not self.peek("}"):
                self.expect(";")
        return methods

    def method(self) -> Func:
        if self.peek("("):
            func = Func()
            self.signature(func)
            return func
        type = self.type()
        if not isinstance(type, Func):
            raise self.unexpected("a function type before this")
        return type

    def service_definition(self, result: Description) -> None:
        if not self.peek(":"):
            self.take("word")
        self.expect(":")
        if self.peek("("):
            result.init = self.tuple()
            self.expect("->")
        if self.peek("{"):
            result.methods = self.methods()
        else:
            service = self.type()
            if not isinstance(service, Service):
                raise self.unexpected("a service type before this")
            result.methods = service.methods
        result.has_service = True
        self.accept(";")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
