"""The time of a network on this machine, which need not be this machine's.

A local network's time may have been set forward, or run fast. Its word for the time is taken, as its root key
is: a loopback address is not attacked. Everywhere else certificates are compared with the machine's clock.
"""

import threading
import time
from collections.abc import Callable

# Asked again after this long, in case the network's time runs fast.
REFRESH_NS = 1_000_000_000

# Up to this difference the network is taken to go by the machine's clock.
MACHINE_TOLERANCE_NS = 20 * 1_000_000_000


class NetworkClock:
    """Tells the time as a local network does. Thread-safe.

    Args:
        ask: reads the network's time, in nanoseconds since 1970; `None`: go by the machine's clock alone.
        machine: the machine's clock, likewise.
        elapsed: nanoseconds since any moment, for how old the last answer is.
    """

    def __init__(
        self,
        ask: Callable[[], int] | None,
        machine: Callable[[], int] = time.time_ns,
        elapsed: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._ask = ask
        self._machine = machine
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._asked: int | None = None
        self._ahead = 0

    def now_ns(self) -> int:
        """The network's time, nanoseconds since 1970.

        Raises:
            NetworkError, CertificateError: what asking raises.
        """
        with self._lock:
            if self._ask is not None and (self._asked is None or self._elapsed() - self._asked > REFRESH_NS):
                self._follow(self._ask)
            return self._machine() + self._ahead

    def refresh(self) -> bool:
        """Ask the network now, because it found this clock wrong; False: there is nobody to ask."""
        if self._ask is None:
            return False
        with self._lock:
            self._follow(self._ask)
        return True

    def _follow(self, ask: Callable[[], int]) -> None:
        ahead = ask() - self._machine()
        self._ahead = ahead if abs(ahead) > MACHINE_TOLERANCE_NS else 0
        self._asked = self._elapsed()
