"""Stable memory and heap against a plain bytearray."""

from __future__ import annotations

import ctypes
import mmap
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devnet.replica.stable_memory import StableMemory
from devnet.replica.wasm import page_map
from devnet.replica.wasm.address_space import MemoryMapError
from devnet.replica.wasm.heap import WASM_PAGE, Heap

CAPACITY = 8 * WASM_PAGE


class StableMachine(RuleBasedStateMachine):
    """Random growth, writes, commits and rollbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = StableMemory(CAPACITY)
        self.model = bytearray()
        self.committed = b""

    @rule(pages=st.integers(0, 3))
    def grow(self, pages: int) -> None:
        old = self.memory.grow(pages)
        if len(self.model) + pages * WASM_PAGE > CAPACITY:
            assert old == -1
        else:
            assert old == len(self.model) // WASM_PAGE
            self.model += bytes(pages * WASM_PAGE)

    @rule(place=st.floats(0, 1), data=st.binary(max_size=10_000))
    def write(self, place: float, data: bytes) -> None:
        data = data[: len(self.model)]
        offset = int(place * (len(self.model) - len(data)))
        buffer = ctypes.create_string_buffer(data, max(1, len(data)))
        self.memory.write_from(offset, ctypes.addressof(buffer), len(data))
        self.model[offset : offset + len(data)] = data

    @rule()
    def commit(self) -> None:
        self.memory.commit()
        self.committed = bytes(self.model)

    @rule()
    def rollback(self) -> None:
        self.memory.rollback()
        self.model = bytearray(self.committed)

    @invariant()
    def same_content(self) -> None:
        assert self.memory.size == len(self.model)
        assert self.memory.read(0, self.memory.size) == bytes(self.model)

    def teardown(self) -> None:
        self.memory.close()


StableMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStableMemory = StableMachine.TestCase


def test_dirty_pages_are_those_written_since_the_last_save() -> None:
    memory = StableMemory(CAPACITY)
    memory.grow(4)
    memory.commit()
    memory.mark_saved()
    buffer = ctypes.create_string_buffer(b"x" * 100)
    memory.write_from(2 * WASM_PAGE - 50, ctypes.addressof(buffer), 100)
    memory.commit()
    assert memory.dirty == {31, 32}
    memory.grow(1)
    memory.commit()
    assert memory.dirty == {31, 32, *range(64, 80)}
    memory.close()


@pytest.mark.parametrize("with_page_map", [True, False])
def test_a_heap_shows_and_undoes_what_was_written(
    with_page_map: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_page_map:
        monkeypatch.setattr(page_map, "_page_map", lambda process: None)
    elif page_map._page_map(0) is None:
        pytest.skip("this system has no /proc/self/pagemap")
    size = 4 * WASM_PAGE
    region = mmap.mmap(-1, 2 * size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    heap = Heap(2 * size)
    heap.restore(size, [(100, b"hello")])
    heap.attach(base)
    assert region[100:105] == b"hello"
    assert heap.read(100, 5) == b"hello"

    region[100:105] = b"other"
    region[3 * WASM_PAGE] = 7
    heap.rollback(base)
    assert (region[100:105], region[3 * WASM_PAGE]) == (b"hello", 0)

    heap.mark_saved()
    region[WASM_PAGE + 5] = 9
    region[size + 10] = 8
    heap.commit(base, 2 * size)
    assert (heap.size, heap.read(WASM_PAGE + 5, 1), heap.read(size + 10, 1)) == (2 * size, b"\x09", b"\x08")
    assert {16, 64} <= heap.dirty

    region[size + 10] = 1
    heap.rollback(base)
    assert (region[WASM_PAGE + 5], region[size + 10]) == (9, 8)
    with pytest.raises(MemoryMapError):
        heap.extend(2 * size + WASM_PAGE)
    heap.close()


def test_pages_written_with_what_they_held_need_not_be_saved() -> None:
    region = mmap.mmap(-1, WASM_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    heap = Heap(WASM_PAGE)
    heap.restore(WASM_PAGE, [(100, b"hello")])
    heap.attach(base)
    heap.mark_saved()
    region[100:105] = b"other"
    region[100:105] = b"hello"
    region[5000] = 1
    heap.commit(base, WASM_PAGE)
    assert heap.dirty == {1}
    heap.close()


def test_runs_of_written_pages_close_to_each_other_are_taken_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, clean = b"\0" * 7 + b"\x80", b"\0" * 7 + b"\xa0"
    entries = clean + written * 2 + clean * 4 + written + clean * 5 + written
    monkeypatch.setattr(page_map, "_page_map", lambda process: 0)
    monkeypatch.setattr(os, "pread", lambda *arguments: entries)
    assert page_map.written_runs(0, len(entries) // 8, 0, 0) == [(1, 8), (13, 14)]
