"""The TDX quote, versions 4 and 5 (Intel "TDX DCAP Quoting Library API", appendix A.3 and A.4).

All integers little-endian. Version 4: header, TD report body 1.0, signature data. Version 5 puts a body
descriptor (type, size) after the header, and its body may be of TDX 1.5. Header, descriptor and body are what
the attestation key signs. Zeros may follow the signature data, since callers often pass a whole buffer.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from attestation.errors import MalformedEvidence

VERSIONS = (4, 5)
ECDSA_P256 = 2
TEE_TDX = 0x81
INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
CERTIFICATION_QE_REPORT = 6
CERTIFICATION_PCK_CHAIN = 5
MAX_QUOTE_BYTES = 16 * 1024
MAX_QE_AUTHENTICATION_BYTES = 1024
MAX_PCK_CHAIN_BYTES = 12 * 1024

# Header (A.3.1).
HEADER_BYTES = 48
VERSION = 0
KEY_TYPE = 2
TEE_TYPE = 4
QE_VENDOR = 12

# Body descriptor of version 5 (A.4.2): type (2 bytes), size (4 bytes).
BODY_TYPES = {2: 584, 3: 648}
BODY_DESCRIPTOR_BYTES = 6
BODY_1_0_BYTES = 584

# TD report body (A.3.2), offsets within the body; the last two fields are of TDX 1.5 only.
TEE_TCB_SVN = 0
MR_SEAM = 16
MR_SIGNER_SEAM = 64
SEAM_ATTRIBUTES = 112
TD_ATTRIBUTES = 120
XFAM = 128
MR_TD = 136
MR_CONFIG_ID = 184
MR_OWNER = 232
MR_OWNER_CONFIG = 280
RTMRS = 328
REPORT_DATA = 520
TEE_TCB_SVN_2 = 584
MR_SERVICE_TD = 600

SVN_BYTES = 16
HASH_BYTES = 48
ATTRIBUTES_BYTES = 8
RTMR_COUNT = 4
REPORT_DATA_BYTES = 64

# TD attributes (TDX Module Base Specification 1.5, "ATTRIBUTES"). Any of the lowest 8 bits, TUD, makes the TD
# untrusted: debugging or profiling by the host.
ATTRIBUTES_UNTRUSTED = 0xFF
ATTRIBUTE_SEPT_VE_DISABLE = 1 << 28
ATTRIBUTE_MIGRATABLE = 1 << 29
ATTRIBUTES_KNOWN = 0xFF | sum(1 << bit for bit in (27, 28, 29, 30, 31, 63))

# Enclave report of the quoting enclave (SGX REPORTBODY, Intel SDM volume 3D, section 38.15).
QE_REPORT_BYTES = 384
QE_MISC_SELECT = 16
QE_ATTRIBUTES = 48
QE_MR_SIGNER = 128
QE_PRODUCT = 256
QE_SECURITY_VERSION = 258
QE_REPORT_DATA = 320

SIGNATURE_BYTES = 64
KEY_BYTES = 64


class TdReport(NamedTuple):
    """The body. `measured` is MRTD, MRCONFIGID, MROWNER, MROWNERCONFIG and RTMR 0 to 3, one after another."""

    tee_tcb_svn: bytes
    module_signer: bytes
    module_attributes: bytes
    attributes: int
    mr_td: bytes
    rtmrs: tuple[bytes, ...]
    measured: bytes
    report_data: bytes
    service_td: bytes

    @property
    def measurement(self) -> str:
        """SHA-384 over all that identifies the guest, hex: see `guest_measurement`."""
        return guest_measurement(self.measured)

    @property
    def debug(self) -> bool:
        """True when the host may read, or profile, the guest."""
        return bool(self.attributes & ATTRIBUTES_UNTRUSTED)

    @property
    def migratable(self) -> bool:
        """True when a migration TD may move the guest to another machine."""
        return bool(self.attributes & ATTRIBUTE_MIGRATABLE or any(self.service_td))

    @property
    def memory_exceptions_disabled(self) -> bool:
        """SEPT_VE_DISABLE: the host cannot inject exceptions by taking pages away."""
        return bool(self.attributes & ATTRIBUTE_SEPT_VE_DISABLE)


class QeReport(NamedTuple):
    """Report of the quoting enclave, which vouches for the attestation key."""

    raw: bytes
    misc_select: bytes
    attributes: bytes
    signer: bytes
    product: int
    security_version: int
    report_data: bytes


class TdxQuote(NamedTuple):
    """A parsed quote. Signatures are r ‖ s, `attestation_key` x ‖ y, `pck_chain` PEM."""

    version: int
    report: TdReport
    signed: bytes
    signature: bytes
    attestation_key: bytes
    qe_report: QeReport
    qe_signature: bytes
    qe_authentication: bytes
    pck_chain: bytes


def guest_measurement(measured: bytes) -> str:
    """The value policies name: SHA-384, hex, of MRTD ‖ MRCONFIGID ‖ MROWNER ‖ MROWNERCONFIG ‖ RTMR 0 to 3.

    One value for the whole guest, because a guest is trusted as a whole: firmware and initial memory (MRTD),
    what the host configured, and what was loaded and measured later (RTMRs).
    """
    return hashlib.sha384(measured).hexdigest()


def parse_quote(data: bytes, claim: str = "cpu.report") -> TdxQuote:
    """Parse a quote of at most 16 KiB; raises `MalformedEvidence`."""
    if not HEADER_BYTES <= len(data) <= MAX_QUOTE_BYTES:
        raise MalformedEvidence(claim, f"{len(data)} bytes, a quote has {HEADER_BYTES} to {MAX_QUOTE_BYTES}")
    version = _integer(data, VERSION, 2)
    _check_header(data, version, claim)
    body_at, body_bytes = HEADER_BYTES, BODY_1_0_BYTES
    if version == 5:
        body_at += BODY_DESCRIPTOR_BYTES
        kind = _integer(data, HEADER_BYTES, 2)
        body_bytes = _integer(data, HEADER_BYTES + 2, 4)
        if BODY_TYPES.get(kind) != body_bytes:
            raise MalformedEvidence(claim, f"body of type {kind} with {body_bytes} bytes, known {BODY_TYPES}")
    reader = _Reader(data, body_at, claim)
    report = _td_report(reader.take(body_bytes), claim)
    signed = data[: reader.at]
    signature_data = reader.sized(4, MAX_QUOTE_BYTES)
    if any(data[reader.at :]):
        raise MalformedEvidence(claim, "bytes that are not zero follow the signature data")
    return _signature_data(version, report, signed, _Reader(signature_data, 0, claim))


def _check_header(data: bytes, version: int, claim: str) -> None:
    if version not in VERSIONS:
        raise MalformedEvidence(claim, f"quote version {version}, known are {VERSIONS}")
    key_type = _integer(data, KEY_TYPE, 2)
    if key_type != ECDSA_P256:
        raise MalformedEvidence(claim, f"attestation key type {key_type}, expected {ECDSA_P256}")
    tee_type = _integer(data, TEE_TYPE, 4)
    if tee_type != TEE_TDX:
        raise MalformedEvidence(claim, f"TEE type {tee_type:#x}, expected {TEE_TDX:#x} (TDX)")
    vendor = data[QE_VENDOR : QE_VENDOR + len(INTEL_QE_VENDOR)]
    if vendor != INTEL_QE_VENDOR:
        raise MalformedEvidence(claim, f"quoting enclave vendor {vendor.hex()} is not Intel")


def _td_report(body: bytes, claim: str) -> TdReport:
    attributes = _integer(body, TD_ATTRIBUTES, ATTRIBUTES_BYTES)
    if attributes & ~ATTRIBUTES_KNOWN:
        raise MalformedEvidence(claim, f"TD attributes {attributes:#018x} have reserved bits set")
    return TdReport(
        tee_tcb_svn=body[TEE_TCB_SVN : TEE_TCB_SVN + SVN_BYTES],
        module_signer=body[MR_SIGNER_SEAM : MR_SIGNER_SEAM + HASH_BYTES],
        module_attributes=body[SEAM_ATTRIBUTES : SEAM_ATTRIBUTES + ATTRIBUTES_BYTES],
        attributes=attributes,
        mr_td=body[MR_TD : MR_TD + HASH_BYTES],
        rtmrs=tuple(
            body[at : at + HASH_BYTES] for at in range(RTMRS, RTMRS + RTMR_COUNT * HASH_BYTES, HASH_BYTES)
        ),
        measured=body[MR_TD:REPORT_DATA],
        report_data=body[REPORT_DATA : REPORT_DATA + REPORT_DATA_BYTES],
        service_td=body[MR_SERVICE_TD : MR_SERVICE_TD + HASH_BYTES],
    )


def _signature_data(version: int, report: TdReport, signed: bytes, reader: _Reader) -> TdxQuote:
    """ECDSA quote signature data (A.3.8), with QE report certification data (A.3.11) inside."""
    signature = reader.take(SIGNATURE_BYTES)
    attestation_key = reader.take(KEY_BYTES)
    inner = reader.certification(CERTIFICATION_QE_REPORT, MAX_QUOTE_BYTES)
    reader.finish()
    raw = inner.take(QE_REPORT_BYTES)
    qe_signature = inner.take(SIGNATURE_BYTES)
    qe_authentication = inner.sized(2, MAX_QE_AUTHENTICATION_BYTES)
    chain = inner.certification(CERTIFICATION_PCK_CHAIN, MAX_PCK_CHAIN_BYTES)
    inner.finish()
    return TdxQuote(
        version=version,
        report=report,
        signed=signed,
        signature=signature,
        attestation_key=attestation_key,
        qe_report=_qe_report(raw),
        qe_signature=qe_signature,
        qe_authentication=qe_authentication,
        pck_chain=chain.rest(),
    )


def _qe_report(raw: bytes) -> QeReport:
    return QeReport(
        raw=raw,
        misc_select=raw[QE_MISC_SELECT : QE_MISC_SELECT + 4],
        attributes=raw[QE_ATTRIBUTES : QE_ATTRIBUTES + 16],
        signer=raw[QE_MR_SIGNER : QE_MR_SIGNER + 32],
        product=_integer(raw, QE_PRODUCT, 2),
        security_version=_integer(raw, QE_SECURITY_VERSION, 2),
        report_data=raw[QE_REPORT_DATA : QE_REPORT_DATA + REPORT_DATA_BYTES],
    )


def _integer(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "little")


class _Reader:
    """Cursor over a quote that never reads past its end."""

    def __init__(self, data: bytes, at: int, claim: str) -> None:
        self.at = at
        self._data = data
        self._claim = claim

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self._data):
            raise MalformedEvidence(
                self._claim, f"needs {count} bytes at offset {self.at}, only {len(self._data) - self.at} left"
            )
        value = self._data[self.at : end]
        self.at = end
        return value

    def sized(self, length_bytes: int, maximum: int) -> bytes:
        """Bytes with their length before them."""
        length = int.from_bytes(self.take(length_bytes), "little")
        if length > maximum:
            raise MalformedEvidence(self._claim, f"{length} bytes, at most {maximum} are accepted")
        return self.take(length)

    def certification(self, expected: int, maximum: int) -> _Reader:
        """Reader over certification data (A.3.9), which must be of type `expected`."""
        kind = int.from_bytes(self.take(2), "little")
        if kind != expected:
            raise MalformedEvidence(self._claim, f"certification data of type {kind}, expected {expected}")
        return _Reader(self.sized(4, maximum), 0, self._claim)

    def rest(self) -> bytes:
        return self.take(len(self._data) - self.at)

    def finish(self) -> None:
        if self.at != len(self._data):
            raise MalformedEvidence(self._claim, f"{len(self._data) - self.at} bytes left over")
