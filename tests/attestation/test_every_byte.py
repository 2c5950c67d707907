"""Every changed byte and every truncation of each genuine file is refused, or leaves its meaning as it was.

One bit of a byte is flipped, another from byte to byte, or the byte becomes another one; a stride by default,
LEASEHOLD_EXHAUSTIVE=1 does both to every byte, and takes every length. `EXCEPTIONS` is all that changes no
meaning, and why.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from attestation import AttestationError
from attestation.crypto.openssl import openssl
from tests.attestation.meanings import MANIFEST, TDX
from tests.attestation.subjects import COUNTS, Subject, genuine, remembering

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

pytestmark = pytest.mark.fuzz

EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"
STRIDE = 1 if EXHAUSTIVE else 47
# By kind of subject and number of the part: bytes at its end that mean nothing, and why.
EXCEPTIONS = {
    (MANIFEST, 0): (b"\n", "line feeds after a manifest's root element are not signed, and mean nothing"),
    (TDX, 0): (b"\0", "zeros after a quote are padding of the buffer it was written to"),
}


def changes(part: bytes, start: int) -> list[bytes]:
    """A stride of the changes of one byte, and of the truncations, of a file; the last bytes always."""
    places = sorted({*range(start % STRIDE, len(part), STRIDE), *range(max(0, len(part) - 4), len(part))})
    changed = [
        part[:at] + bytes((part[at] ^ mask,)) + part[at + 1 :]
        for number, at in enumerate(places)
        for mask in masks(at + start, number)
    ]
    return changed + [part[:length] for length in places]


def masks(at: int, number: int) -> list[int]:
    """What a byte is changed by: one bit, any number of them, or each in turn."""
    both = [1 << at % 8, 1 + at * 37 % 255]
    return both if EXHAUSTIVE else [both[number % 2]]


def survivors(subject: Subject) -> list[str]:
    """All changes that were accepted although no exception covers them."""
    links = remembering()
    meaning = subject.meaning(subject.parts, links)
    found = []
    for place, part in enumerate(subject.parts):
        filler = EXCEPTIONS.get((subject.kind, place), (b"", ""))[0]
        for changed in changes(part, place):
            parts = (*subject.parts[:place], changed, *subject.parts[place + 1 :])
            try:
                same = subject.meaning(parts, links) == meaning
            except AttestationError:
                continue
            if not same or not filler or part.rstrip(filler) != changed.rstrip(filler):
                found.append(f"{subject.name}, part {place}, {len(changed)} bytes")
    return found


@pytest.fixture(scope="module")
def subjects(samples: Samples) -> list[Subject]:
    return genuine(samples)


@pytest.mark.parametrize("kind", COUNTS)
def test_every_change_of_a_genuine_file_is_refused_or_means_nothing(
    subjects: list[Subject], kind: str
) -> None:
    chosen = [subject for subject in subjects if subject.kind == kind]
    assert len(chosen) == COUNTS[kind]
    with openssl():
        assert [survivor for subject in chosen for survivor in survivors(subject)] == []


@pytest.mark.parametrize("kind", [kind for kind, _ in EXCEPTIONS])
def test_the_exceptions_are_real(subjects: list[Subject], kind: str) -> None:
    filler, _ = EXCEPTIONS[kind, 0]
    subject = next(one for one in subjects if one.kind == kind and one.parts[0].endswith(filler))
    data = subject.parts[0]
    for padded in (data[:-1], data + filler, data + 3 * filler):
        changed = (padded, *subject.parts[1:])
        assert subject.meaning(changed, remembering()) == subject.meaning(subject.parts, remembering())
    with pytest.raises(AttestationError):
        subject.meaning((data + b"x", *subject.parts[1:]), remembering())
