"""A running node, as the command line sees it: what its status file says, and a few requests."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any, Final

from devnet.errors import DevnetError

LOOPBACK: Final = "127.0.0.1"
TIMEOUT_S: Final = 30.0
_HEALTH_TIMEOUT_S: Final = 5.0
_TIME_PATH: Final = "/_/time"


class NodeRefused(DevnetError):
    """A running node did not do what it was asked, or does not answer."""


@dataclass(frozen=True)
class Running:
    """What a running node says of itself.

    Args:
        root_key: DER, hexadecimal.
        state: absolute path of the state folder.
        speed: of its time, as a fraction.
    """

    pid: int
    port: int
    url: str
    root_key: str
    state: str
    speed: str = "1"

    def is_healthy(self) -> bool:
        """Whether the node answers its status endpoint."""
        try:
            return self._ask("GET", "/api/v2/status", _HEALTH_TIMEOUT_S)[0] == 200
        except OSError:
            return False

    def time_ns(self) -> int:
        """The network's time.

        Raises:
            NodeRefused: it does not say.
        """
        return self._time("GET", None)

    def advance(self, by_ns: int) -> int:
        """Set the network's time forward; returns the new time once what has become due is done.

        Raises:
            NodeRefused: it does not want to.
        """
        return self._time("POST", {"advance_ns": str(by_ns)})

    def _time(self, method: str, content: Any) -> int:
        try:
            status, body = self._ask(method, _TIME_PATH, TIMEOUT_S, content)
        except OSError as error:
            raise NodeRefused(f"the node at {self.url} does not answer: {error}") from error
        if status != 200:
            raise NodeRefused(body.decode(errors="replace").strip())
        return int(json.loads(body)["time_ns"])

    def _ask(self, method: str, path: str, timeout_s: float, content: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer.

        Raises:
            OSError: there is none.
        """
        body = None if content is None else json.dumps(content)
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
