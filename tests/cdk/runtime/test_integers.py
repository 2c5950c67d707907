"""Integers inside the canister: `cdk.toolchain.cpython_integers` changes how they are computed, not what."""

import random

import pytest

from tests.cdk.runtime.host import Canister

DIGIT_BITS = 30
SIGNATURE_DIGITS = (9, 13)
ARITHMETIC = """
def results(a, b):
    yield from (a * b, a * a, -a * b, a - b)
    if b:
        yield from (a // b, a % b, -(a * a) // b, (a * a * 3) % b, pow(a, 5, b))
"""


def numbers(seed: int, count: int) -> list[int]:
    """Of up to 30 digits, many of exactly 9 and 13, of random bits or with long runs of ones and zeros."""
    source = random.Random(seed)
    found = [0, 1]
    for _ in range(count):
        digits = source.choice((*SIGNATURE_DIGITS, *SIGNATURE_DIGITS, source.randrange(1, 31)))
        bits = DIGIT_BITS * digits - source.choice((0, 0, source.randrange(DIGIT_BITS)))
        value = source.choice(
            (source.getrandbits(bits), (1 << bits) - 1, 1 << (bits - 1), (1 << bits) - (1 << bits // 2))
        )
        found.append(value | 1 << (bits - 1))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_products_and_remainders_of_long_integers_agree_with_this_machines(
    canister: Canister, seed: int
) -> None:
    left, right = numbers(seed, 120), numbers(seed + 100, 120)
    source = f"""{ARITHMETIC}
import hashlib
found = hashlib.sha256()
for a, b in zip({left}, {right}):
    found.update(" ".join(format(value, "x") for value in results(a, b)).encode())
result = found.hexdigest()
"""
    names: dict[str, object] = {}
    exec(source, names)  # the same text, here
    assert canister.evaluate(source) == names["result"]


def test_the_text_of_integers_agrees_with_this_machines(canister: Canister) -> None:
    edges = [10**power + offset for power in range(12) for offset in (-1, 0, 1)]
    values = [*range(-20, 120), *edges, *(-edge for edge in edges), 2**30 - 1, 2**30, -(2**30), 2**63]
    source = f"result = [(str(value), repr(value), f'{{value}}', '%d' % value) for value in {values}]"
    assert canister.evaluate(source) == [(str(value),) * 4 for value in values]


def test_subclasses_of_int_keep_their_own_text(canister: Canister) -> None:
    source = """
        import enum
        class Named(int):
            def __str__(self): return "named"
        class Level(enum.IntEnum):
            LOW = 1
        result = str(True), str(Named(1)), str(Level.LOW), repr(Level.LOW)
    """
    assert canister.evaluate(source) == ("True", "named", "1", "<Level.LOW: 1>")
