"""A reader of the few features of XML that reference manifests use, and their canonical form.

There is no XML parser in a canister, and a full one would be too much to trust. Accepted are printable ASCII
and line feeds; elements, attributes in double quotes with exactly one space before each, namespaces, text.
Everything else is refused: declaration, processing instructions, comments, CDATA, document types, entities
and character references (there is no ``&``), ``>`` in text or attributes, the prefix ``xml``, empty namespace
names. What is left over are documents whose canonical form (Canonical XML 1.0 and 1.1, without comments, are
the same without ``xml:`` attributes) differs from the source only in the order of attributes, superfluous
namespace declarations, empty-element tags, and what surrounds the root element.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from attestation.errors import MalformedEvidence

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_ELEMENTS = 512
MAX_DEPTH = 8
MAX_ATTRIBUTES = 32

_NAME = r"[A-Za-z_][A-Za-z0-9_.\-]*(?::[A-Za-z_][A-Za-z0-9_.\-]*)?"
_CHARACTERS = re.compile(r"[\n -~]*", re.ASCII)
_TAG = re.compile(rf'<(/?)({_NAME})((?: {_NAME}="[^"<>&\n]*")*)(/?)>', re.ASCII)
_ATTRIBUTE = re.compile(rf' ({_NAME})="([^"]*)"', re.ASCII)


class Attribute(NamedTuple):
    """An attribute: namespace (empty for none), local name, name as written, value."""

    namespace: str
    local: str
    written: str
    value: str


@dataclass
class Element:
    """An element: namespace and local name, name as written, attributes, and the namespaces it declares anew.

    `scope` maps every prefix in scope (empty for the default) to its namespace; `children` are elements and
    texts in their order.
    """

    namespace: str
    local: str
    written: str
    attributes: tuple[Attribute, ...]
    declared: dict[str, str]
    scope: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def attribute(self, local: str, claim: str, namespace: str = "") -> str:
        """Value of an attribute that must be there."""
        for attribute in self.attributes:
            if attribute.local == local and attribute.namespace == namespace:
                return attribute.value
        raise MalformedEvidence(claim, f"<{self.written}> has no attribute {local!r}")

    def elements(self, claim: str) -> list[Element]:
        """The child elements of an element that has no text but white space."""
        for child in self.children:
            if isinstance(child, str) and child.strip(" \n"):
                raise MalformedEvidence(claim, f"<{self.written}> holds text {child[:40]!r}")
        return [child for child in self.children if isinstance(child, Element)]

    def text(self, claim: str) -> str:
        """The text of an element without child elements."""
        if any(isinstance(child, Element) for child in self.children):
            raise MalformedEvidence(claim, f"<{self.written}> holds elements where text is expected")
        return "".join(child for child in self.children if isinstance(child, str))


def parse_document(data: bytes, claim: str) -> Element:
    """The root element of a document; raises `MalformedEvidence`, naming `claim`."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MalformedEvidence(claim, f"{len(data)} bytes, at most {MAX_DOCUMENT_BYTES} are accepted")
    source = data.decode("latin-1")
    if not _CHARACTERS.fullmatch(source):
        raise MalformedEvidence(claim, "holds characters other than printable ASCII and line feeds")
    document = Element("", "", "", (), {}, {})
    open_elements = [document]
    position = count = 0
    while True:
        start = source.find("<", position)
        text = source[position:] if start < 0 else source[position:start]
        _append_text(open_elements, text, claim)
        if start < 0:
            break
        match = _TAG.match(source, start)
        if match is None:
            raise MalformedEvidence(claim, f"no plain tag at {start}: {source[start : start + 40]!r}")
        position = match.end()
        count += 1
        if count > 2 * MAX_ELEMENTS:
            raise MalformedEvidence(claim, f"more than {MAX_ELEMENTS} elements")
        _enter_or_leave(open_elements, match, claim)
    if len(open_elements) != 1 or len(document.children) != 1:
        raise MalformedEvidence(claim, "not exactly one root element, closed")
    root = document.children[0]
    assert isinstance(root, Element)
    return root


def canonical(element: Element, omit: Element | None = None) -> bytes:
    """Canonical form of `element` as the apex of what is canonicalised, without the descendant `omit`."""
    parts: list[str] = []
    _write(element, element.scope, omit, parts)
    return "".join(parts).encode("ascii")


def _append_text(open_elements: list[Element], text: str, claim: str) -> None:
    if ">" in text or "&" in text:
        raise MalformedEvidence(claim, f"'>' or '&' in text {text[:40]!r}")
    if len(open_elements) == 1:
        if text.strip("\n"):
            raise MalformedEvidence(claim, f"text {text[:40]!r} outside the root element")
    elif text:
        open_elements[-1].children.append(text)


def _enter_or_leave(open_elements: list[Element], match: re.Match[str], claim: str) -> None:
    closing, written, attributes, empty = match.groups()
    if closing:
        if attributes or empty or open_elements[-1].written != written or len(open_elements) == 1:
            raise MalformedEvidence(claim, f"</{written}> does not close <{open_elements[-1].written}>")
        open_elements.pop()
        return
    element = _element(written, attributes, open_elements[-1].scope, claim)
    open_elements[-1].children.append(element)
    if not empty:
        open_elements.append(element)
        if len(open_elements) > MAX_DEPTH + 1:
            raise MalformedEvidence(claim, f"nested deeper than {MAX_DEPTH}")


def _element(written: str, attributes: str, outer: dict[str, str], claim: str) -> Element:
    pairs = _ATTRIBUTE.findall(attributes)
    if len(pairs) > MAX_ATTRIBUTES:
        raise MalformedEvidence(claim, f"<{written}> has more than {MAX_ATTRIBUTES} attributes")
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedEvidence(claim, f"<{written}> has an attribute twice")
    declared: dict[str, str] = {}
    others = []
    for name, value in pairs:
        if name != "xmlns" and not name.startswith("xmlns:"):
            others.append((name, value))
            continue
        prefix = name[6:]
        if not value or prefix in ("xml", "xmlns"):
            raise MalformedEvidence(claim, f"<{written}> declares {name}={value!r}")
        if outer.get(prefix) != value:
            declared[prefix] = value
    scope = {**outer, **declared} if declared else outer
    plain = tuple([_attribute(name, value, scope, claim) for name, value in others])
    if len({(attribute.namespace, attribute.local) for attribute in plain}) != len(plain):
        raise MalformedEvidence(claim, f"<{written}> has an attribute twice under two prefixes")
    prefix, local = _split(written)
    return Element(_namespace(prefix, scope, claim), local, written, plain, declared, scope)


def _attribute(written: str, value: str, scope: dict[str, str], claim: str) -> Attribute:
    if ":" not in written:
        return Attribute("", written, written, value)
    prefix, local = _split(written)
    return Attribute(_namespace(prefix, scope, claim), local, written, value)


def _split(written: str) -> tuple[str, str]:
    prefix, colon, local = written.partition(":")
    return (prefix, local) if colon else ("", prefix)


def _namespace(prefix: str, scope: dict[str, str], claim: str) -> str:
    namespace = scope.get(prefix)
    if namespace is None and prefix:
        raise MalformedEvidence(claim, f"prefix {prefix!r} is not declared")
    return namespace or ""


def _write(element: Element, namespaces: dict[str, str], omit: Element | None, parts: list[str]) -> None:
    parts.append("<" + element.written)
    for prefix in sorted(namespaces):
        parts.append(f' xmlns{":" if prefix else ""}{prefix}="{namespaces[prefix]}"')
    for attribute in sorted(element.attributes, key=lambda entry: (entry.namespace, entry.local)):
        parts.append(f' {attribute.written}="{attribute.value}"')
    parts.append(">")
    for child in element.children:
        if isinstance(child, str):
            parts.append(child)
        elif child is not omit:
            _write(child, child.declared, omit, parts)
    parts.append(f"</{element.written}>")
