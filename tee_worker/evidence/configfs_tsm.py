"""A CPU quote from the Linux kernel: configfs-tsm (Documentation/ABI/testing/configfs-tsm-report).

A report is asked for by a folder of one's own: `inblob` takes up to 64 bytes, `outblob` then reads as the
quote, `auxblob` as what came with it, `provider` as who made it. `generation` counts the writes: had it
changed in between, what was read would answer somebody else's question.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attestation.binding import REPORT_DATA_BYTES
from tee_worker.errors import EvidenceUnavailable

FOLDER = Path("/sys/kernel/config/tsm/report")
PROVIDERS = {"sev_guest": "sev-snp", "tdx_guest": "tdx"}
REMEDIES = {
    errno.EACCES: "run as root, or give this user the folder",
    errno.EPERM: "run as root, or give this user the folder",
    errno.ENXIO: "load the guest driver: modprobe sev-guest, or modprobe tdx-guest",
    errno.ETIMEDOUT: "the host's quoting service does not answer",
}


@dataclass(frozen=True)
class Quote:
    """What the platform signed: `kind` is ``sev-snp`` or ``tdx``, `auxiliary` what the host put beside it."""

    kind: str
    report: bytes
    auxiliary: bytes


def read_quote(
    report_data: bytes,
    folder: Path = FOLDER,
    make: Callable[[Path], None] = Path.mkdir,
    remove: Callable[[Path], None] = Path.rmdir,
) -> Quote:
    """A quote over 64 bytes. The kernel fills and empties the folder that `make` and `remove` ask it for.

    Raises:
        EvidenceUnavailable: no confidential guest, an unknown platform, or the kernel's refusal.
    """
    if len(report_data) != REPORT_DATA_BYTES:
        raise ValueError(f"{len(report_data)} bytes of report data, must be {REPORT_DATA_BYTES}")
    if not folder.is_dir():
        raise EvidenceUnavailable(
            f"{folder} is absent: this is no confidential VM guest, or configfs is not mounted, or the "
            "kernel is older than 6.7"
        )
    entry = folder / f"leasehold-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        make(entry)
        try:
            return _read(entry, report_data)
        finally:
            remove(entry)
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, "see the kernel's log")
        raise EvidenceUnavailable(f"{error.filename or entry}: {error.strerror}; {remedy}") from error


def _read(entry: Path, report_data: bytes) -> Quote:
    provider = (entry / "provider").read_text("ascii").strip()
    if provider not in PROVIDERS:
        raise EvidenceUnavailable(
            f"this platform's quotes are made by {provider!r}; known are {', '.join(PROVIDERS)}"
        )
    _write(entry / "inblob", report_data)
    before = (entry / "generation").read_text("ascii").strip()
    report = (entry / "outblob").read_bytes()
    auxiliary = _optional(entry / "auxblob")
    after = (entry / "generation").read_text("ascii").strip()
    if before != after:
        raise EvidenceUnavailable(f"another process wrote to {entry} (generation {before}, then {after})")
    return Quote(PROVIDERS[provider], report, auxiliary)


def _write(path: Path, data: bytes) -> None:
    # In one call: the kernel takes what a single write gives it.
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _optional(path: Path) -> bytes:
    # Absent or empty where the host gives nothing: TDX quotes hold their certificates.
    try:
        return path.read_bytes()
    except OSError:
        return b""
