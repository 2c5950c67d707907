"""The vendors' services: where they are, a bounded request, and answers kept on disk.

Each address can be replaced through its environment variable, by a cache in one's own network for example.
An answer that was fetched less than `fresh_s` ago is not asked for again; an older one still serves when the
service does not answer, since answers say themselves until when they hold.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from attestation import AttestationError, Collateral
from attestation.collateral import NO_COLLATERAL
from tee_worker.errors import WorkerError

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 256 * 1024
FOR_EVER_S = float("inf")
HOUR_S = 3_600.0


class CollateralFetchFailed(WorkerError):
    """A vendor's service could not be asked, or did not answer what it should.

    `found` is what the others said.
    """

    reason = "collateral_unavailable"

    def __init__(self, message: str, found: Collateral = NO_COLLATERAL) -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True)
class Question:
    """A request: POST when there is a `body`, else GET.

    `check` raises for what cannot be an answer, `headers` are those of the answer to keep (lower-case),
    `fresh_s` for how many seconds an answer is not asked for again.
    """

    url: str
    fresh_s: float
    check: Callable[[bytes], object]
    headers: tuple[str, ...] = ()
    body: bytes = b""
    content_type: str = ""

    @property
    def method(self) -> str:
        """Of HTTP."""
        return "POST" if self.body else "GET"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its body, and those headers that were asked for."""

    body: bytes
    headers: Mapping[str, str]


def default_folder() -> Path:
    """`leasehold/collateral` under the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leasehold" / "collateral"


@dataclass(frozen=True)
class Addresses:
    """Base addresses of the services, each with the variable that replaces it."""

    amd: str = "https://kdsintf.amd.com"
    intel: str = "https://api.trustedservices.intel.com"
    intel_root_list: str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
    nvidia_answers: str = "https://ocsp.ndis.nvidia.com/"
    nvidia_manifests: str = "https://rim.attestation.nvidia.com/v1/rim/"

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Addresses:
        """The defaults, replaced by ``LEASEHOLD_AMD_URL`` and so on where they are set."""
        names = cls.__dataclass_fields__
        given = {name: environment.get(f"LEASEHOLD_{name.upper()}_URL") for name in names}
        return cls(**{name: value for name, value in given.items() if value})


class Service:
    """Asks over HTTPS, and keeps what was answered in `folder`."""

    def __init__(
        self,
        folder: Path | None = None,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder or default_folder()
        self._client = client
        self._clock = clock

    def ask(self, question: Question) -> Answer:
        """The answer to `question`, kept or fetched. Raises `CollateralFetchFailed`."""
        key = hashlib.sha256(f"{question.method} {question.url}\n".encode() + question.body).hexdigest()
        kept = self._kept(key, question)
        if kept is not None and self._clock() - kept[0] < question.fresh_s:
            return kept[1]
        try:
            answer = self._fetch(question)
            _check(question, answer)
        except CollateralFetchFailed:
            if kept is None:
                raise
            return kept[1]
        self._keep(key, answer)
        return answer

    def _fetch(self, question: Question) -> Answer:
        url, headers = question.url, {"content-type": question.content_type} if question.body else {}
        client = self._client or httpx.Client(timeout=TIMEOUT_S, follow_redirects=True)
        try:
            with client.stream(
                question.method, url, content=question.body or None, headers=headers
            ) as response:
                received = bytearray()
                for part in response.iter_bytes():
                    received += part
                    if len(received) > MAX_ANSWER_BYTES:
                        raise CollateralFetchFailed(f"{url} answers more than {MAX_ANSWER_BYTES} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = str(error) or type(error).__name__
            raise CollateralFetchFailed(f"{url} cannot be reached: {problem}") from error
        finally:
            if self._client is None:
                client.close()
        if response.status_code != httpx.codes.OK:
            raise CollateralFetchFailed(f"{url} answers {response.status_code} {response.reason_phrase}")
        missing = [name for name in question.headers if name not in response.headers]
        if missing:
            raise CollateralFetchFailed(f"{url} answers without the headers {', '.join(missing)}")
        return Answer(bytes(received), {name: response.headers[name] for name in question.headers})

    def _kept(self, key: str, question: Question) -> tuple[float, Answer] | None:
        """When it was fetched, and the answer; None where there is none, or not a whole one."""
        try:
            head, _, body = (self._folder / key).read_bytes().partition(b"\n")
            fields = json.loads(head)
            answer = Answer(body, dict(fields["headers"]))
            _check(question, answer)
            return float(fields["at"]), answer
        except (OSError, ValueError, KeyError, TypeError, CollateralFetchFailed):
            return None

    def _keep(self, key: str, answer: Answer) -> None:
        head = json.dumps({"at": self._clock(), "headers": dict(answer.headers)})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = self._folder / f"{key}.{os.getpid()}.part"
            partial.write_bytes(head.encode("ascii") + b"\n" + answer.body)
            partial.replace(self._folder / key)
        except OSError:
            return  # a full or read-only disk costs a request the next time, no more


def _check(question: Question, answer: Answer) -> None:
    # What is not even an answer, a hotel's sign-in page for example, must not be kept.
    try:
        question.check(answer.body)
    except (AttestationError, WorkerError, ValueError, KeyError, TypeError) as error:
        raise CollateralFetchFailed(f"{question.url} does not answer what was asked: {error!r}") from error
