"""The XML reader and its canonical form, against libxml2 and against what it must not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from attestation import MalformedEvidence
from attestation.nvidia import xml
from attestation.nvidia.xml import canonical, parse_document
from attestation.simulator.collateral import manifest

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

MANIFESTS = (
    "rim/1010_0200_882_96005E0001_PROD.swidtag",
    "rim/NV_GPU_DRIVER_GH100_550.144.03.xml",
    "rim/incorrect_signature_driver_rim.xml",
    "rim/switchVBIOSRim_NV_SWITCH_BIOS_5612_0002_890_9610550001.xml",
    "spt_gh100_complete/NV_GPU_DRIVER_GH100_550.90.07.xml",
    "spt_gh100_complete/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml",
)
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def agree(data: bytes) -> None:
    """Canonical forms of a document, of it without its signature, and of SignedInfo, are libxml2's."""
    root = parse_document(data, "document")
    ours = root.elements("document")[-1]
    assert ours.local == "Signature"
    theirs = etree.fromstring(data)
    signature = theirs.find(SIGNATURE)
    assert canonical(root) == etree.tostring(theirs, method="c14n")
    assert canonical(ours.elements("document")[0]) == etree.tostring(signature[0], method="c14n")
    before = signature.getprevious()
    before.tail = (before.tail or "") + (signature.tail or "")
    theirs.remove(signature)
    assert canonical(root, omit=ours) == etree.tostring(theirs, method="c14n")


@pytest.mark.parametrize("name", MANIFESTS)
def test_canonical_forms_of_genuine_manifests_are_libxml2s(samples: Samples, name: str) -> None:
    agree(samples.read(f"nvidia/{name}"))


def test_canonical_forms_of_a_simulated_manifest_are_libxml2s() -> None:
    agree(manifest("GPU", "GH100", "550.90.07", range(64), 64))


names = st.sampled_from(["a", "b", "c-d", "E_1.x"])
prefixes = st.sampled_from(["", "p:", "q:", "r:"])
values = st.text(st.sampled_from("ab 01'/=:;#$%?!()[]{}|\\"), max_size=6).map(str)
texts = st.text(st.sampled_from("ab \n0'\"/=:;"), max_size=6)
namespaces = st.sampled_from(["urn:1", "urn:2", "http://x/y#z"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 0, default: bool = True) -> str:
    """Documents in the subset, some with names that are not bound or attributes that occur twice."""
    tag = draw(prefixes) + draw(names)
    declared = st.sampled_from(["", ":p", ":q", ":r"][0 if default else 1 :])
    declarations = draw(st.dictionaries(declared, namespaces, max_size=3))
    if depth == 0:
        declarations = {":p": "urn:1", ":q": "urn:2", ":r": "urn:3", **declarations}
    pairs = [(f"xmlns{prefix}", value) for prefix, value in declarations.items()]
    pairs += draw(st.lists(st.tuples(st.builds(str.__add__, prefixes, names), values), max_size=3))
    attributes = "".join(f' {name}="{value}"' for name, value in draw(st.permutations(pairs)))
    children = st.one_of(texts, documents(depth + 1, default)) if depth < 3 else texts
    inner = "".join(draw(st.lists(children, max_size=3)))
    if not inner and draw(st.booleans()):
        return f"<{tag}{attributes}/>"
    return f"<{tag}{attributes}>{inner}</{tag}>"


@given(documents())
def test_any_document_has_libxml2s_canonical_form_or_is_refused_by_both(source: str) -> None:
    try:
        theirs = etree.tostring(etree.fromstring(source), method="c14n")
    except etree.XMLSyntaxError:
        with pytest.raises(MalformedEvidence):
            parse_document(source.encode("ascii"), "document")
        return
    ours = parse_document(source.encode("ascii"), "document")
    assert canonical(ours) == theirs
    assert canonical(parse_document(theirs, "document")) == theirs


# Without default namespaces, which libxml2's binding undeclares wrongly below an inner apex (xmlns="").
@given(documents(default=False), st.data())
def test_any_inner_element_has_libxml2s_canonical_form(source: str, data: st.DataObject) -> None:
    try:
        theirs = list(etree.fromstring(source).iter())
    except etree.XMLSyntaxError:
        return
    ours = [parse_document(source.encode("ascii"), "document")]
    for element in ours:
        ours.extend(child for child in element.children if isinstance(child, xml.Element))
    place = data.draw(st.integers(0, len(ours) - 1))
    forms = {etree.tostring(element, method="c14n", with_tail=False) for element in theirs}
    assert canonical(ours[place]) in forms


@given(st.binary(max_size=60) | documents().map(str.encode))
def test_arbitrary_bytes_are_parsed_or_refused_by_name(data: bytes) -> None:
    try:
        parse_document(data, "document")
    except MalformedEvidence as error:
        assert error.claim == "document"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "</a>",
        '<?xml version="1.0"?><a/>',
        "<!DOCTYPE a><a/>",
        "<a><!-- no --></a>",
        "<a><![CDATA[no]]></a>",
        "<a>&amp;</a>",
        "<a>&#65;</a>",
        "<a>></a>",
        '<a b="&lt;"/>',
        '<a b=">"/>',
        '<a b="\n"/>',
        "<a b='1'/>",
        '<a  b="1"/>',
        '<a b="1" />',
        '<a b="1"c="2"/>',
        '<a b="1" b="1"/>',
        '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="1"/>',
        "<p:a/>",
        '<a p:b="1"/>',
        '<a xmlns=""/>',
        '<a xmlns:p=""/>',
        '<a xml:lang="en"/>',
        '<a xmlns:xml="u"/>',
        '<a xmlns:xmlns="u"/>',
        '<a b="1"></a b="1">',
        "<a\n/>",
        "<a\t/>",
        "<a>\t</a>",
        "<a>\r</a>",
        "<a>\x00</a>",
        "<a>\u00e9</a>",
        "\ufeff<a/>",
        " <a/>",
        "<1/>",
        "<a:b:c/>",
        "<a>" * 9 + "</a>" * 9,
        "<a>" + "<b/>" * (2 * xml.MAX_ELEMENTS) + "</a>",
        "<a" + "".join(f' b{i}="1"' for i in range(xml.MAX_ATTRIBUTES + 1)) + "/>",
        "<a>" + " " * xml.MAX_DOCUMENT_BYTES + "</a>",
    ],
)
def test_what_is_outside_the_subset_is_refused(source: str) -> None:
    with pytest.raises(MalformedEvidence):
        parse_document(source.encode("utf-8"), "document")


def test_bounds_hold_at_the_limit() -> None:
    parse_document(b"<a>" * 8 + b"</a>" * 8, "document")
    parse_document(
        ("<a" + "".join(f' b{i}="1"' for i in range(xml.MAX_ATTRIBUTES)) + "/>").encode(), "document"
    )
    parse_document(b"<a>" + b" " * (xml.MAX_DOCUMENT_BYTES - 7) + b"</a>", "document")
