"""How long the fuzz tests search.

In the ordinary run each tries a fixed number of examples, the same each time. With `LEASEHOLD_FUZZ_SECONDS`
they search with fresh randomness, for that long in all.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECONDS: Final = float(os.environ.get("LEASEHOLD_FUZZ_SECONDS") or 0)
BATCH: Final = 500
EXAMPLE_TIMEOUT_S: Final = 60
MAX_GROWTH_KIB: Final = 300 * 1024


class Fuzz:
    """Searches for an example that breaks a property, in batches."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(
        self,
        property: Callable[..., None],
        *strategies: st.SearchStrategy[Any],
        examples: int,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        property: raises what a test raises; takes one argument for each strategy.
        examples: how many in the ordinary run.
        after: looks at the whole after each batch.
        """
        ends = time.monotonic() + self.seconds
        self._batch(property, strategies, BATCH if self.seconds else examples)
        after()
        while time.monotonic() < ends:
            self._batch(property, strategies, BATCH)
            after()

    def _batch(
        self, property: Callable[..., None], strategies: tuple[st.SearchStrategy[Any], ...], examples: int
    ) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=not self.seconds,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.tuples(*strategies))
        def search(drawn: tuple[Any, ...]) -> None:
            signal.alarm(EXAMPLE_TIMEOUT_S)
            try:
                property(*drawn)
            finally:
                signal.alarm(0)

        search()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < MAX_GROWTH_KIB, f"the memory of the process grew by {grown >> 10} MiB"


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Iterator[Fuzz]:
    """The search of this test; an example that hangs is interrupted and reported."""

    def hangs(number: int, frame: Any) -> None:
        raise AssertionError(f"an example took more than {EXAMPLE_TIMEOUT_S} s")

    searching = [item for item in request.session.items if "fuzz" in getattr(item, "fixturenames", ())]
    previous = signal.signal(signal.SIGALRM, hangs)
    yield Fuzz(SECONDS / len(searching))
    signal.signal(signal.SIGALRM, previous)
