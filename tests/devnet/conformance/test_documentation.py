"""`docs/devnet.md` says of each section of the specification what is done, and names the tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.devnet.conformance.management import METHODS

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[2] / "docs/devnet.md"

SECTIONS = """
Overview of canister calling
Request: Call
Request: Asynchronous Call
Request: Read state
Request: Query call
Effective canister id
Effective subnet id
Authentication
Representation-independent hashing of structured data
Request ids
Reject codes
Error codes
Status endpoint
CBOR encoding of requests and responses
Ordering guarantees
Synchronicity across nodes
Canister module format
WebAssembly module requirements
Interpretation of numbers
Entry points
Replicated and Non-Replicated execution mode
Overview of imports
Blob-typed arguments and results
Method arguments
Responding
Ingress message inspection
Self-identification
Canister status
Canister version
Inter-canister method calls
Cycles
Stable memory
System time
Global timer
Performance counter
Replicated execution check
Controller check
Certified data
Cycle cost calculation
Environment Variables
Debugging aids
Outlook: Using Host References
Root of trust
Certificate
Lookup
Delegation
Encoding of certificates
Time
Api boundary nodes information
Subnet information
Canister ranges
Request status
Canister information
Ed25519 and ECDSA signatures
Web Authentication
Canister signatures
HTTP Gateway protocol
""".strip().splitlines()
"""Headings of the specification's pages; those of the management canister are its methods."""

NOT_CALLED = {
    "flexible_http_request",
    "bitcoin_get_utxos",
    "bitcoin_get_balance",
    "bitcoin_send_transaction",
    "bitcoin_get_current_fee_percentiles",
    "bitcoin_get_block_headers",
}
"""Methods of the specification that the suite has no types for."""


def rows() -> dict[str, tuple[str, str]]:
    """By section: what is done, and the tests."""
    text = PAGE.read_text().partition("## Conformance")[2]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip(" |") for cell in line] for line in lines]
    return {line[0]: (line[1], line[2] if len(line) > 2 else "") for line in cells if line[0][:2] != "**"}


def test_every_section_has_a_row() -> None:
    found = rows()
    named = {name for section in found for name in re.findall(r"`(\w+)`", section)}
    assert [section for section in SECTIONS if section not in found] == []
    assert named == METHODS.keys() | NOT_CALLED


def test_every_row_says_what_is_done_and_names_tests_that_exist() -> None:
    modules = {path.stem.removeprefix("test_") for path in FOLDER.glob("test_*.py")} - {"documentation"}
    named: set[str] = set()
    for section, (here, tests) in rows().items():
        if section == "section":
            continue
        names = set(re.findall(r"`(\w+)`", tests))
        assert here.startswith(("conforms", "partly: ", "left out: ", "nothing to do: ", "see ")), section
        assert names or here.startswith(("left out", "nothing to do", "see ")), section
        named |= names
    assert named == modules
