"""Mutated evidence and collateral crash nothing, and never cost more signatures than the sound original.

Each input is changed in one to four places, by the usual ways of fuzzers. The outcome is a meaning or an
`AttestationError`, never another exception; nothing that changed what evidence means is accepted. Some
thousand inputs by default, 100,000 with LEASEHOLD_EXHAUSTIVE=1; they are the same in every run.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from attestation import AttestationError, VerifiedLinks
from attestation.crypto.backend import select
from attestation.crypto.jacobian import Point
from attestation.crypto.openssl import OpenSsl
from tests.attestation.conftest import SAMPLES, Samples
from tests.attestation.subjects import JSON, Made, Subject, genuine, remembering, simulated

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene

pytestmark = pytest.mark.fuzz

INPUTS = 100_000 if os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1" else 4_000
GROUPS = 8
MAX_PLACES = 4
EDGES = (
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x30\x80",
    b"\x84\xff\xff\xff\xff",
    b"<",
    b'"',
)


class CountingOpenSsl(OpenSsl):
    """OpenSSL, with the number of signatures that were computed."""

    def __init__(self) -> None:
        self.computed = 0

    def ecdsa(self, curve: str, key: Point, message: bytes, r: int, s: int) -> bool | None:
        self.computed += 1
        return super().ecdsa(curve, key, message, r, s)

    def rsa_pss(self, modulus: int, message: bytes, signature: bytes) -> bool | None:
        self.computed += 1
        return super().rsa_pss(modulus, message, signature)


@pytest.fixture
def computing() -> Iterator[CountingOpenSsl]:
    backend = CountingOpenSsl()
    before = select(backend)
    yield backend
    select(before)


@pytest.fixture(scope="module")
def subjects(scene: Scene) -> list[Subject | Made]:
    """Simulated machines; genuine evidence too, where it is."""
    return [*simulated(scene), *(genuine(Samples(SAMPLES)) if SAMPLES.is_dir() else [])]


def flip(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]


def put(data: bytes, at: int, chance: random.Random) -> bytes:
    edge = chance.choice(EDGES)
    return data[:at] + edge + data[at + len(edge) :]


def insert(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at] + chance.choice((*EDGES, chance.randbytes(8))) + data[at:]


def cut(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at]


def remove(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at] + data[at + chance.randint(1, 64) :]


def repeat(data: bytes, at: int, chance: random.Random) -> bytes:
    piece = data[at : at + chance.randint(1, 256)]
    return data[:at] + piece * chance.choice((2, 3, 40)) + data[at + len(piece) :]


def move(data: bytes, at: int, chance: random.Random) -> bytes:
    piece = data[at : at + chance.randint(1, 128)]
    other = chance.randrange(len(data))
    return data[:other] + piece + data[other + len(piece) :]


WAYS: tuple[Callable[[bytes, int, random.Random], bytes], ...] = (
    flip, put, insert, cut, remove, repeat, move,
)  # fmt: skip


def mutated(parts: tuple[bytes, ...], chance: random.Random) -> tuple[bytes, ...]:
    """The parts with one of them changed, or two of them exchanged."""
    changed = list(parts)
    place = chance.randrange(len(parts))
    if len(parts) > 1 and chance.random() < 0.02:
        other = chance.randrange(len(parts))
        changed[place], changed[other] = changed[other], changed[place]
    for _ in range(chance.choice((1, 1, 1, 2, MAX_PLACES))):
        data = changed[place] or b"\0"
        changed[place] = chance.choice(WAYS)(data, chance.randrange(len(data)), chance)
    return tuple(changed)


class Sound:
    """An unchanged subject: what it means, and how many signatures that takes without memory."""

    def __init__(self, subject: Subject | Made, computing: CountingOpenSsl) -> None:
        computing.computed = 0
        self.links: VerifiedLinks = remembering()
        self.meaning = subject.meaning(subject.parts, self.links)
        self.signatures = computing.computed


@pytest.mark.parametrize("group", range(GROUPS))
def test_mutated_inputs_crash_nothing_and_are_cheap_to_refuse(
    subjects: list[Subject | Made], computing: CountingOpenSsl, group: int
) -> None:
    chance = random.Random(group)
    sound: dict[int, Sound] = {}
    accepted, slowest = 0, (0.0, "")
    for number in range(INPUTS // GROUPS):
        place = chance.randrange(len(subjects))
        subject = subjects[place]
        if place not in sound:
            sound[place] = Sound(subject, computing)
        parts = mutated(subject.parts, chance)
        computing.computed, begin = 0, time.process_time()
        try:
            meaning = subject.meaning(parts, sound[place].links)
        except AttestationError:
            pass
        else:
            accepted += 1
            # JSON that is not signed may say something else.
            assert subject.kind == JSON or meaning == sound[place].meaning, (group, number, subject.name)
        assert computing.computed <= sound[place].signatures, (group, number, subject.name)
        slowest = max(slowest, (time.process_time() - begin, f"{subject.kind} {subject.name}"))
    print(f"{INPUTS // GROUPS} inputs, {accepted} accepted, slowest {slowest[0] * 1000:.1f} ms: {slowest[1]}")
    assert accepted < INPUTS // GROUPS // 10
