"""Reports of this machine's NVSwitches, through NVIDIA's NSCQ library (libnvidia-nscq, interface 2).

The library is asked by path and answers through a callback, once for each switch: device, return code, the
value, and a pointer that is ours. Structures and paths are those of its header `nscq.h`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attestation import SwitchEvidence
from attestation.bundle import MAX_SWITCHES
from tee_worker.errors import EvidenceUnavailable
from tee_worker.evidence.pem import certificates_of_pem

LIBRARY = "libnvidia-nscq.so.2"
MOUNT_DEVICES = 1
UUID_BYTES = 16
CHAIN_BYTES = 0x1400
REPORT_BYTES = 0x2000
CERTIFICATE_PATH = b"/{nvswitch}/config/certificate"
REPORT_PATH = b"/{nvswitch}/config/attestation_report"


class _Session(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int8), ("session", ctypes.c_void_p)]


class _Certificate(ctypes.Structure):
    _fields_ = [("data", ctypes.c_uint8 * CHAIN_BYTES), ("size", ctypes.c_uint32)]


class _Report(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("data", ctypes.c_uint8 * REPORT_BYTES)]


def read_switches(nonce: bytes, library: str = LIBRARY) -> tuple[SwitchEvidence, ...]:
    """Every switch's report over 32 bytes, in the order of their UUIDs.

    Raises:
        EvidenceUnavailable: the library is absent or refuses.
    """
    with _session(library) as (nscq, session):
        asked = (ctypes.c_uint8 * len(nonce))(*nonce)
        _check(nscq.nscq_session_set_input(session, 0, ctypes.byref(asked), len(nonce)), "the nonce")
        chains = _observe(nscq, session, CERTIFICATE_PATH, _Certificate)
        reports = _observe(nscq, session, REPORT_PATH, _Report)
    if not 1 <= len(reports) <= MAX_SWITCHES or set(chains) != set(reports):
        raise EvidenceUnavailable(
            f"NSCQ shows {len(chains)} certificate chains and {len(reports)} reports of NVSwitches; "
            f"evidence is of 1 to {MAX_SWITCHES}"
        )
    return tuple(
        SwitchEvidence(reports[uuid], certificates_of_pem(chains[uuid], f"switch {uuid.hex()}"))
        for uuid in sorted(reports)
    )


@contextmanager
def _session(library: str) -> Iterator[tuple[Any, ctypes.c_void_p]]:
    try:
        nscq = ctypes.CDLL(library)
    except OSError as error:
        raise EvidenceUnavailable(
            f"{library} cannot be loaded ({error}): protected PCIe needs NVIDIA's NSCQ library"
        ) from error
    nscq.nscq_session_create.restype = _Session
    for function in (nscq.nscq_session_set_input, nscq.nscq_session_path_observe):
        function.restype = ctypes.c_int8
    created = nscq.nscq_session_create(ctypes.c_uint32(MOUNT_DEVICES))
    _check(created.code, "a session")
    session = ctypes.c_void_p(created.session)
    try:
        yield nscq, session
    finally:
        nscq.nscq_session_destroy(session)


def _observe(
    nscq: Any, session: ctypes.c_void_p, path: bytes, kind: type[_Certificate] | type[_Report]
) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    problems: list[int] = []

    def answer(device: Any, code: int, value: Any, ours: int | None) -> None:
        if code < 0:
            problems.append(code)
        else:
            found[bytes(device.contents)] = bytes(value.data[: value.size])

    uuid = ctypes.c_uint8 * UUID_BYTES
    shape = ctypes.CFUNCTYPE(None, ctypes.POINTER(uuid), ctypes.c_int8, kind, ctypes.c_void_p)
    name = path.decode("ascii")
    _check(nscq.nscq_session_path_observe(session, path, shape(answer), None, ctypes.c_uint32(0)), name)
    for problem in problems:
        _check(problem, name)
    return found


def _check(code: int, what: str) -> None:
    # Positive codes are warnings.
    if code < 0:
        raise EvidenceUnavailable(f"NSCQ refused {what} (code {code}); is fabric manager running?")
