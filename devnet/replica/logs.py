"""A canister's log: what it printed and why it trapped, the newest first kept.

Source: IC interface specification, `fetch_canister_logs`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LogRecord:
    """One line; `index` counts from the canister's creation on."""

    index: int
    timestamp: int
    content: bytes


@dataclass
class CanisterLog:
    """The last lines that fit in `capacity` bytes of content."""

    capacity: int
    records: deque[LogRecord] = field(default_factory=deque)
    next_index: int = 0
    size: int = 0

    def append(self, timestamp: int, content: bytes) -> None:
        """Add a line, cut to the capacity; the oldest lines make room."""
        if not self.capacity:
            return
        content = content[: self.capacity]
        self.records.append(LogRecord(self.next_index, timestamp, content))
        self.next_index += 1
        self.size += len(content)
        self._make_room()

    def resize(self, capacity: int) -> None:
        """Keep no more than that from now on."""
        self.capacity = capacity
        self._make_room()

    def _make_room(self) -> None:
        while self.size > self.capacity:
            self.size -= len(self.records.popleft().content)

    def clear(self) -> None:
        self.records.clear()
        self.size = 0
