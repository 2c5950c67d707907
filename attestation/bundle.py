"""The evidence bundle: everything a guest sends for one attestation, in one canonical binary container.

Layout, all integers unsigned big-endian; nothing may follow the last field:

| field | bytes |
|---|---|
| magic ``LHEV`` | 4 |
| version: 2 when there are switches, else 1 | 1 |
| total length of the bundle | 4 |
| CPU kind: 1 = sev-snp, 2 = tdx | 1 |
| CPU report | 4 + n |
| CPU chain: count (0 for tdx, whose quote holds it), then each certificate | 1 + Σ(4 + n) |
| GPU section: count, then for each GPU its report and its chain | 1 + Σ(4 + n + 1 + Σ(4 + n)) |
| only in version 2: the same for NVSwitches, at least one | 1 + Σ(4 + n + 1 + Σ(4 + n)) |
| guest claims | 4 + n |
| session public key | 44 |
| transport public key | 48 |

Every value has exactly one encoding, so the SHA-256 of a bundle names its content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attestation.errors import MalformedEvidence

MAGIC = b"LHEV"
VERSION = 1
VERSION_WITH_SWITCHES = 2
CPU_KINDS = {1: "sev-snp", 2: "tdx"}
# Kinds whose report carries its certificates itself.
CPU_KINDS_WITHOUT_CHAIN = ("tdx",)
CPU_KIND_CODES = {name: code for code, name in CPU_KINDS.items()}

MAX_BUNDLE_BYTES = 256 * 1024
MAX_CPU_REPORT_BYTES = 16 * 1024
MAX_GPU_REPORT_BYTES = 8 * 1024
MAX_CERTIFICATE_BYTES = 4 * 1024
MAX_CHAIN_CERTIFICATES = 8
MAX_GPUS = 8
MAX_SWITCHES = 4
MAX_GUEST_CLAIMS_BYTES = 1024

SESSION_PUBLIC_KEY_BYTES = 44
TRANSPORT_PUBLIC_KEY_BYTES = 48

# SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410, section 4).
ED25519_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")

# Compressed BLS12-381 G1 point: bit 7 says compressed, bit 6 infinity, bit 5 the sign of y; the rest is x.
G1_COMPRESSED = 0x80
G1_INFINITY = 0x40
G1_FIELD_MODULUS = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
)


@dataclass(frozen=True)
class GpuEvidence:
    """One GPU's attestation: `report` in NVIDIA's wire format, `chain` as DER certificates, leaf first."""

    report: bytes
    chain: tuple[bytes, ...]


@dataclass(frozen=True)
class SwitchEvidence:
    """One NVSwitch's attestation, in the same form as a GPU's."""

    report: bytes
    chain: tuple[bytes, ...]


@dataclass(frozen=True)
class Evidence:
    """What a guest presents: `cpu_chain` is DER, leaf first (none for TDX), `guest_claims` JSON."""

    cpu_kind: str
    cpu_report: bytes
    cpu_chain: tuple[bytes, ...]
    gpus: tuple[GpuEvidence, ...]
    guest_claims: bytes
    session_public_key: bytes
    transport_public_key: bytes
    switches: tuple[SwitchEvidence, ...] = ()


def encode_bundle(evidence: Evidence) -> bytes:
    """Serialise `evidence`; raises `MalformedEvidence` when a part is out of bounds."""
    if evidence.cpu_kind not in CPU_KIND_CODES:
        known = ", ".join(sorted(CPU_KIND_CODES))
        raise MalformedEvidence("bundle.cpu_kind", f"{evidence.cpu_kind!r} is unknown; known are: {known}")
    check_public_keys(evidence.session_public_key, evidence.transport_public_key)
    body = b"".join(
        (
            bytes((CPU_KIND_CODES[evidence.cpu_kind],)),
            _blob("bundle.cpu_report", evidence.cpu_report, MAX_CPU_REPORT_BYTES),
            _cpu_chain(evidence.cpu_kind, evidence.cpu_chain),
            encode_gpu_section(evidence.gpus, evidence.switches),
            _blob("bundle.guest_claims", evidence.guest_claims, MAX_GUEST_CLAIMS_BYTES),
            evidence.session_public_key,
            evidence.transport_public_key,
        )
    )
    total = len(MAGIC) + 1 + 4 + len(body)
    if total > MAX_BUNDLE_BYTES:
        raise MalformedEvidence("bundle", f"{total} bytes, at most {MAX_BUNDLE_BYTES} are accepted")
    version = VERSION_WITH_SWITCHES if evidence.switches else VERSION
    return MAGIC + bytes((version,)) + total.to_bytes(4, "big") + body


def encode_gpu_section(gpus: tuple[GpuEvidence, ...], switches: tuple[SwitchEvidence, ...] = ()) -> bytes:
    """The GPUs and, if any, the switches of a bundle; the CPU quote binds its SHA-256 (see `binding`)."""
    section = _devices("gpu", gpus, MAX_GPUS)
    return section + _devices("switch", switches, MAX_SWITCHES) if switches else section


def decode_bundle(bundle: bytes) -> Evidence:
    """Parse a bundle; raises `MalformedEvidence` unless it is exactly what `encode_bundle` would give."""
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise MalformedEvidence("bundle", f"{len(bundle)} bytes, at most {MAX_BUNDLE_BYTES} are accepted")
    reader = _Reader(bundle)
    magic = reader.take("bundle.magic", len(MAGIC))
    if magic != MAGIC:
        raise MalformedEvidence("bundle.magic", f"expected {MAGIC!r}, found {magic!r}")
    version = reader.byte("bundle.version")
    if version not in (VERSION, VERSION_WITH_SWITCHES):
        raise MalformedEvidence("bundle.version", f"expected 1 or 2, found {version}")
    total = reader.length("bundle.length", MAX_BUNDLE_BYTES)
    if total != len(bundle):
        raise MalformedEvidence("bundle.length", f"states {total} bytes, has {len(bundle)}")
    code = reader.byte("bundle.cpu_kind")
    if code not in CPU_KINDS:
        raise MalformedEvidence("bundle.cpu_kind", f"code {code} is unknown")
    evidence = Evidence(
        cpu_kind=CPU_KINDS[code],
        cpu_report=reader.blob("bundle.cpu_report", MAX_CPU_REPORT_BYTES),
        cpu_chain=reader.cpu_chain(CPU_KINDS[code]),
        gpus=tuple(GpuEvidence(*parts) for parts in reader.devices("gpu", MAX_GPUS)),
        switches=reader.switches(version),
        guest_claims=reader.blob("bundle.guest_claims", MAX_GUEST_CLAIMS_BYTES),
        session_public_key=reader.take("bundle.session_public_key", SESSION_PUBLIC_KEY_BYTES),
        transport_public_key=reader.take("bundle.transport_public_key", TRANSPORT_PUBLIC_KEY_BYTES),
    )
    reader.end()
    check_public_keys(evidence.session_public_key, evidence.transport_public_key)
    return evidence


def check_public_keys(session_public_key: bytes, transport_public_key: bytes) -> None:
    """Refuse keys no guest can have made: wrong length or algorithm, point at infinity, x too large."""
    if len(session_public_key) != SESSION_PUBLIC_KEY_BYTES or not session_public_key.startswith(
        ED25519_SPKI_PREFIX
    ):
        raise MalformedEvidence(
            "bundle.session_public_key", f"not a 44-byte DER Ed25519 key: {session_public_key.hex()}"
        )
    if len(transport_public_key) != TRANSPORT_PUBLIC_KEY_BYTES:
        raise MalformedEvidence(
            "bundle.transport_public_key", f"expected 48 bytes, found {len(transport_public_key)}"
        )
    flags = transport_public_key[0]
    x = int.from_bytes(transport_public_key, "big") & ((1 << 381) - 1)
    if not flags & G1_COMPRESSED or flags & G1_INFINITY or x >= G1_FIELD_MODULUS:
        raise MalformedEvidence(
            "bundle.transport_public_key", f"not a compressed finite G1 point: {transport_public_key.hex()}"
        )


def _blob(name: str, value: bytes, maximum: int) -> bytes:
    if not value or len(value) > maximum:
        raise MalformedEvidence(name, f"{len(value)} bytes, must be 1 to {maximum}")
    return len(value).to_bytes(4, "big") + value


def _devices(kind: str, devices: Sequence[GpuEvidence | SwitchEvidence], maximum: int) -> bytes:
    if len(devices) > maximum:
        raise MalformedEvidence(f"bundle.{kind}s", f"{len(devices)} {kind}s, at most {maximum} are accepted")
    parts = [bytes((len(devices),))]
    for index, device in enumerate(devices):
        parts.append(_blob(f"bundle.{kind}[{index}].report", device.report, MAX_GPU_REPORT_BYTES))
        parts.append(_certificates(f"bundle.{kind}[{index}].chain", device.chain))
    return b"".join(parts)


def _cpu_chain(kind: str, chain: tuple[bytes, ...]) -> bytes:
    if kind not in CPU_KINDS_WITHOUT_CHAIN:
        return _certificates("bundle.cpu_chain", chain)
    if chain:
        raise MalformedEvidence("bundle.cpu_chain", f"{len(chain)} certificates; {kind} reports have them")
    return b"\x00"


def _certificates(name: str, chain: tuple[bytes, ...]) -> bytes:
    if not chain or len(chain) > MAX_CHAIN_CERTIFICATES:
        raise MalformedEvidence(name, f"{len(chain)} certificates, must be 1 to {MAX_CHAIN_CERTIFICATES}")
    blobs = [_blob(f"{name}[{i}]", der, MAX_CERTIFICATE_BYTES) for i, der in enumerate(chain)]
    return bytes((len(chain),)) + b"".join(blobs)


class _Reader:
    """Cursor over a bundle that never reads past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, name: str, count: int) -> bytes:
        left = len(self._data) - self._at
        if count > left:
            raise MalformedEvidence(name, f"needs {count} bytes at offset {self._at}, only {left} are left")
        value = self._data[self._at : self._at + count]
        self._at += count
        return value

    def byte(self, name: str) -> int:
        return self.take(name, 1)[0]

    def length(self, name: str, maximum: int) -> int:
        value = int.from_bytes(self.take(name, 4), "big")
        if value > maximum:
            raise MalformedEvidence(name, f"{value} bytes, at most {maximum} are accepted")
        return value

    def blob(self, name: str, maximum: int) -> bytes:
        length = self.length(name, maximum)
        if length == 0:
            raise MalformedEvidence(name, "is empty")
        return self.take(name, length)

    def certificates(self, name: str) -> tuple[bytes, ...]:
        count = self.byte(name)
        if not 1 <= count <= MAX_CHAIN_CERTIFICATES:
            raise MalformedEvidence(name, f"{count} certificates, must be 1 to {MAX_CHAIN_CERTIFICATES}")
        return tuple(self.blob(f"{name}[{i}]", MAX_CERTIFICATE_BYTES) for i in range(count))

    def cpu_chain(self, kind: str) -> tuple[bytes, ...]:
        if kind not in CPU_KINDS_WITHOUT_CHAIN:
            return self.certificates("bundle.cpu_chain")
        count = self.byte("bundle.cpu_chain")
        if count:
            raise MalformedEvidence("bundle.cpu_chain", f"{count} certificates; {kind} reports have them")
        return ()

    def devices(self, kind: str, maximum: int) -> list[tuple[bytes, tuple[bytes, ...]]]:
        count = self.byte(f"bundle.{kind}s")
        if count > maximum:
            raise MalformedEvidence(f"bundle.{kind}s", f"{count} {kind}s, at most {maximum} are accepted")
        found = []
        for index in range(count):
            report = self.blob(f"bundle.{kind}[{index}].report", MAX_GPU_REPORT_BYTES)
            found.append((report, self.certificates(f"bundle.{kind}[{index}].chain")))
        return found

    def switches(self, version: int) -> tuple[SwitchEvidence, ...]:
        if version == VERSION:
            return ()
        found = self.devices("switch", MAX_SWITCHES)
        if not found:
            raise MalformedEvidence("bundle.switches", "version 2 without switches; version 1 is for that")
        return tuple(SwitchEvidence(*parts) for parts in found)

    def end(self) -> None:
        if self._at != len(self._data):
            raise MalformedEvidence("bundle", f"{len(self._data) - self._at} bytes follow the last field")
