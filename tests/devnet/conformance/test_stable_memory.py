"""Interface specification, "Stable memory"."""

from __future__ import annotations

import pytest

from tests.devnet.conformance.driver import CANISTER_ERROR, Canister, User, code_of, number
from tests.devnet.conformance.program import (
    allocate,
    append,
    as_bytes,
    blob,
    call,
    read_stable,
    register,
    reply,
    reply_number,
    set_register,
)

PAGE = 64 * 1024
FAILED_32, FAILED_64 = 2**32 - 1, 2**64 - 1


@pytest.fixture
def fresh(user: User) -> Canister:
    return user.deploy()


@pytest.mark.parametrize("width, failed", [("stable64", FAILED_64), ("stable", FAILED_32)])
def test_growing(fresh: Canister, width: str, failed: int) -> None:
    """`*_grow`: returns the previous size in pages of 64 KiB, or -1; `*_size` the current one."""
    size, grow = f"{width}_size", f"{width}_grow"
    assert fresh.number(call(size)) == 0
    assert [number(fresh.update(reply_number(call(grow, pages)))) for pages in (2, 3, 0)] == [0, 2, 5]
    assert fresh.number(call("stable64_size")) == 5
    huge = 2**40 if width == "stable64" else 2**17
    assert number(fresh.update(reply_number(call(grow, huge)))) == failed
    assert fresh.number(call(size)) == 5


@pytest.mark.parametrize("width", ["stable64", "stable"])
def test_what_is_written_is_read(fresh: Canister, width: str) -> None:
    """`*_write` and `*_read`: also across pages, up to the very end; fresh pages hold zeroes."""
    for offset, data in ((0, b"start"), (PAGE - 3, b"across pages"), (2 * PAGE - 3, b"end")):
        grow = call("stable64_grow", 2) if not offset else b""
        fresh.update(grow + call(f"{width}_write", offset, blob(data)) + reply())
        room = set_register(1, allocate(len(data)))
        steps = room + call(f"{width}_read", register(1), offset, len(data))
        assert (
            fresh.query(steps + append(b"\x01" + len(data).to_bytes(8, "little") + register(1)) + reply())
            == data
        )
    assert fresh.query(reply(read_stable(100, 8))) == bytes(8)


@pytest.mark.parametrize("width", ["stable64", "stable"])
@pytest.mark.parametrize("end", [PAGE, PAGE + 1])
def test_bounds_of_stable_memory(fresh: Canister, width: str, end: int) -> None:
    """`*_write` and `*_read`: trap if `offset+size` exceeds the stable memory."""
    fresh.update(call("stable64_grow", 1) + reply())
    wanted = 0 if end == PAGE else CANISTER_ERROR
    for arguments in (("write", end - 4, 0), ("read", 0, end - 4)):
        assert outcome(fresh, width, *arguments) == wanted


@pytest.mark.parametrize("width", ["stable64", "stable"])
def test_bounds_of_wasm_memory(fresh: Canister, width: str) -> None:
    """`*_write` and `*_read`: trap if the range exceeds the Wasm memory."""
    fresh.update(call("stable64_grow", 1) + reply())
    outside = 2**32 - 8
    for arguments in (("write", 0, outside), ("read", outside, 0)):
        assert outcome(fresh, width, *arguments) == CANISTER_ERROR


def outcome(canister: Canister, width: str, name: str, first: int, second: int) -> int:
    """Reject code of moving four bytes, 0 when it succeeds."""
    return code_of(lambda: canister.update(call(f"{width}_{name}", first, second, 4) + reply()))


def test_offsets_of_64_bits_do_not_wrap(fresh: Canister) -> None:
    """`stable64_*`: numbers are unsigned, and sums do not overflow."""
    fresh.update(call("stable64_grow", 1) + reply())
    for arguments in ((2**64 - 1, 0, 4), (0, 2**64 - 1, 4), (0, 0, 2**64 - 1), (2**63, 0, 4)):
        for name in ("stable64_write", "stable64_read"):
            assert code_of(lambda: fresh.update(call(name, *arguments) + reply())) == CANISTER_ERROR  # noqa: B023


def test_beyond_four_gibibytes(fresh: Canister) -> None:
    """The 32-bit functions trap once the memory exceeds 2^32 bytes; the 64-bit ones go on."""
    pages = 2**16
    assert number(fresh.update(reply_number(call("stable_grow", pages)))) == 0
    assert fresh.number(call("stable_size")) == pages
    assert number(fresh.update(reply_number(call("stable_grow", 1)))) == FAILED_32
    assert number(fresh.update(reply_number(call("stable64_grow", 1)))) == pages
    for name, arguments in (("size", ()), ("grow", (0,)), ("read", (0, 0, 0)), ("write", (0, 0, 0))):
        steps = call(f"stable_{name}", *arguments) + reply()
        assert code_of(lambda: fresh.update(steps)) == CANISTER_ERROR  # noqa: B023
    fresh.update(call("stable64_write", 2**32, blob(b"far")) + reply())
    assert fresh.query(reply(read_stable(2**32, 3))) == b"far"


def test_queries_write_to_a_copy(fresh: Canister) -> None:
    """Queries may call all of it; nothing stays."""
    steps = call("stable64_grow", 1) + call("stable64_write", 0, blob(b"gone")) + reply(read_stable(0, 4))
    assert fresh.query(steps) == b"gone"
    assert fresh.query(reply(as_bytes(call("stable64_size")))) == bytes(8)
    assert fresh.replicated_query(steps) == b"gone"
    assert fresh.number(call("stable64_size")) == 0
