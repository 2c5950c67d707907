"""A simulated Intel platform: PCK certificate and TDX quotes, versions 4 and 5, in the genuine layout."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation.collateral import Collateral
from attestation.intel import quote as layout
from attestation.intel.pck import OID_FMSPC, OID_PCE_ID, OID_PCE_SVN, OID_PPID, OID_SGX, OID_TCB
from attestation.simulator.certificates import (
    Extension,
    PrivateKey,
    end_entity,
    intel_name,
    issue,
    key_identifiers,
    raw_extension,
)
from attestation.simulator.development_pki import load_authority
from attestation.simulator.intel_collateral import intel_collateral
from attestation.simulator.seeds import derive, derive_p256_key
from attestation.simulator.settings import Settings
from attestation.simulator.tdx_settings import TdxSettings

XFAM_AVX512 = 0xE7
BODY_TYPE_1_5 = 3
BODY_TYPE_1_0 = 2


class SimulatedTdxPlatform:
    """One Intel processor: its id, a PCK certificate, and the quotes of its quoting enclave."""

    kind = "tdx"
    chain: tuple[bytes, ...] = ()

    def __init__(self, seed: bytes, settings: Settings) -> None:
        self._seed = seed
        self._settings = settings
        self.tdx: TdxSettings = settings.tdx
        self.chip_id = derive(seed, "ppid", 16)
        self.pck_serial = int.from_bytes(derive(seed, "pck serial", 19), "big") + 1
        self._pck_key = derive_p256_key(seed, "pck")
        self._attestation_key = derive_p256_key(seed, "attestation key")
        authority = load_authority("intel_pck_ca")
        self.pck = issue(
            intel_name("Intel SGX PCK Certificate"),
            self._pck_key,
            authority.name,
            authority.key,
            self.pck_serial,
            self._extensions(authority.key),
        )

    def report(self, report_data: bytes) -> bytes:
        """A signed quote over 64 bytes of `report_data`."""
        signed = self._header() + self._body(report_data)
        key = _raw_key(self._attestation_key)
        data = raw_signature(self._attestation_key, signed) + key + self._certification(key)
        return signed + len(data).to_bytes(4, "little") + data

    def collateral(self, now_ns: int) -> Collateral:
        """What the simulated Intel says about this platform at `now_ns`."""
        return intel_collateral(self.tdx, self.pck_serial, now_ns)

    def _header(self) -> bytes:
        return (
            self.tdx.version.to_bytes(2, "little")
            + layout.ECDSA_P256.to_bytes(2, "little")
            + layout.TEE_TDX.to_bytes(4, "little")
            + bytes(4)
            + layout.INTEL_QE_VENDOR
            + derive(self._seed, "quoting enclave", 16)
            + bytes(4)
        )

    def _body(self, report_data: bytes) -> bytes:
        settings, tdx = self._settings, self.tdx
        attributes = tdx.attributes | (1 if settings.debug else 0)
        attributes |= layout.ATTRIBUTE_MIGRATABLE if settings.migratable else 0
        size = layout.BODY_TYPES[BODY_TYPE_1_5 if tdx.body_1_5 else BODY_TYPE_1_0]
        body = bytearray(size)
        for offset, value in (
            (layout.TEE_TCB_SVN, bytes(tdx.tee_tcb_svn)),
            (layout.MR_SEAM, derive(b"", "TDX module", layout.HASH_BYTES)),
            (layout.MR_SIGNER_SEAM, tdx.module_signer),
            (layout.SEAM_ATTRIBUTES, tdx.module_attributes),
            (layout.TD_ATTRIBUTES, attributes.to_bytes(8, "little")),
            (layout.XFAM, XFAM_AVX512.to_bytes(8, "little")),
            (layout.MR_TD, bytes.fromhex(settings.measurement)),
            (layout.RTMRS, b"".join(tdx.rtmrs)),
            (layout.REPORT_DATA, report_data),
        ):
            body[offset : offset + len(value)] = value
        if tdx.body_1_5:
            body[layout.TEE_TCB_SVN_2 :] = bytes(tdx.tee_tcb_svn) + tdx.service_td
        if tdx.version == layout.VERSIONS[0]:
            return bytes(body)
        kind = BODY_TYPE_1_5 if tdx.body_1_5 else BODY_TYPE_1_0
        return kind.to_bytes(2, "little") + size.to_bytes(4, "little") + bytes(body)

    def _certification(self, attestation_key: bytes) -> bytes:
        """QE report certification data: the enclave's report over the key, and the PCK chain."""
        authentication = bytes(range(32))
        bound = hashlib.sha256(attestation_key + authentication).digest() + bytes(32)
        report = self._qe_report(self.tdx.qe_report_data or bound)
        chain = self.pem_chain()
        data = report + raw_signature(self._pck_key, report) + _sized(authentication, 2)
        data += layout.CERTIFICATION_PCK_CHAIN.to_bytes(2, "little") + _sized(chain, 4)
        return layout.CERTIFICATION_QE_REPORT.to_bytes(2, "little") + _sized(data, 4)

    def pem_chain(self) -> bytes:
        """PCK certificate, its authority and the root, as the quote carries them."""
        certificates = (
            self.pck,
            load_authority("intel_pck_ca").certificate,
            load_authority("intel_root").certificate,
        )
        return b"".join(entry.public_bytes(Encoding.PEM) for entry in certificates) + b"\x00"

    def _qe_report(self, report_data: bytes) -> bytes:
        tdx = self.tdx
        report = bytearray(layout.QE_REPORT_BYTES)
        for offset, value in (
            (layout.QE_MISC_SELECT, tdx.qe_misc_select.to_bytes(4, "little")),
            (layout.QE_ATTRIBUTES, tdx.qe_attributes),
            (layout.QE_MR_SIGNER, tdx.qe_signer),
            (layout.QE_PRODUCT, tdx.qe_product.to_bytes(2, "little")),
            (layout.QE_SECURITY_VERSION, tdx.qe_security_version.to_bytes(2, "little")),
            (layout.QE_REPORT_DATA, report_data),
        ):
            report[offset : offset + len(value)] = value
        return bytes(report)

    def _extensions(self, issuer_key: PrivateKey) -> list[Extension]:
        return [
            *key_identifiers(self._pck_key, issuer_key),
            *end_entity(),
            raw_extension(OID_SGX, self._sgx_extension()),
        ]

    def _sgx_extension(self) -> bytes:
        tdx = self.tdx
        svns = [_entry(f"{OID_TCB}.{i + 1}", _integer(svn)) for i, svn in enumerate(tdx.components)]
        svns.append(_entry(OID_PCE_SVN, _integer(tdx.pce_svn)))
        svns.append(_entry(f"{OID_TCB}.18", _tlv(0x04, bytes(tdx.components))))
        flags = b"".join(_entry(f"{OID_SGX}.7.{i}", _tlv(0x01, b"\xff")) for i in (1, 2, 3))
        return _tlv(
            0x30,
            _entry(OID_PPID, _tlv(0x04, self.chip_id))
            + _entry(OID_TCB, _tlv(0x30, b"".join(svns)))
            + _entry(OID_PCE_ID, _tlv(0x04, tdx.pce_id))
            + _entry(OID_FMSPC, _tlv(0x04, tdx.fmspc))
            + _entry(f"{OID_SGX}.5", _tlv(0x0A, b"\x01"))
            + _entry(f"{OID_SGX}.6", _tlv(0x04, derive(self._seed, "platform instance", 16)))
            + _entry(f"{OID_SGX}.7", _tlv(0x30, flags)),
        )


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """r ‖ s, 64 bytes."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _raw_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def _sized(data: bytes, length_bytes: int) -> bytes:
    return len(data).to_bytes(length_bytes, "little") + data


def _entry(oid: str, value: bytes) -> bytes:
    return _tlv(0x30, _tlv(0x06, _oid(oid)) + value)


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    if 0x80 <= size < 0x100:
        length = bytes((0x81, size))
    return bytes((tag,)) + length + content


def _integer(number: int) -> bytes:
    return _tlv(0x02, number.to_bytes((number.bit_length() + 8) // 8, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    encoded = bytes((40 * first + second,))
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return encoded
