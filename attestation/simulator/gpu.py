"""A simulated GPU: its certificate chain and its reports, in the genuine layout."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation.bundle import GpuEvidence
from attestation.nvidia import report as layout
from attestation.nvidia import spdm
from attestation.simulator.certificates import (
    authority,
    issue,
    nvidia_device_name,
    report_signer,
)
from attestation.simulator.development_pki import load_authority
from attestation.simulator.exchange import signed_exchange, simulated_measurement
from attestation.simulator.gpu_chips import FIRMWARE_ID, GPU_CHIPS, gpu_authorities
from attestation.simulator.seeds import derive, derive_key
from attestation.simulator.settings import Settings

MODE_FLAGS = {mode: flag for flag, mode in layout.FEATURE_MODES.items()}


class SimulatedGpu:
    """One GPU: a device id, an attestation key certified for its firmware, and the reports it signs."""

    def __init__(self, seed: bytes, index: int, settings: Settings, switches: Sequence[bytes] = ()) -> None:
        self.device_id = "41" + derive(seed, f"gpu {index} pdi", 8).hex().upper()
        self._settings = settings
        self._chip = GPU_CHIPS[settings.gpu_chip]
        self._switches = switches
        self._seed = seed
        self._index = index
        self._key = derive_key(seed, f"gpu {index} leaf")
        self.chain = self._make_chain()

    def evidence(self, nonce: bytes) -> GpuEvidence:
        """Report over the 32-byte `nonce`, with the chain."""
        return GpuEvidence(self.report(nonce), self.chain)

    def report(self, nonce: bytes) -> bytes:
        """A signed report over the 32-byte `nonce`."""
        responder_nonce = derive(
            self._seed, f"gpu {self._index} responder nonce {nonce.hex()}", spdm.NONCE_BYTES
        )
        measurements = gpu_measurements(self._settings)
        return signed_exchange(nonce, measurements, responder_nonce, self._opaque_fields(), self._key)

    def _make_chain(self) -> tuple[bytes, ...]:
        chip = self._chip
        provisioner, identity = gpu_authorities(chip.name)
        brom_key = derive_key(self._seed, f"gpu {self._index} brom")
        brom_name = nvidia_device_name(self.device_id, chip.brom_common_name)
        serial = int(self.device_id, 16)
        brom = issue(brom_name, brom_key, provisioner.name, provisioner.key, serial, authority(None))
        leaf_serial = derive(self._seed, f"gpu {self._index} leaf serial", 19)
        leaf = issue(
            nvidia_device_name(leaf_serial.hex().upper(), chip.leaf_common_name),
            self._key,
            brom_name,
            brom_key,
            int.from_bytes(leaf_serial, "big"),
            (report_signer(), chip.firmware_extension(self._public_key())),
        )
        made = (leaf.public_bytes(Encoding.DER), brom.public_bytes(Encoding.DER), provisioner.der)
        return (*made, identity.der, load_authority("nvidia_root").der)

    def _public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def _opaque_fields(self) -> list[tuple[int, bytes]]:
        settings, chip = self._settings, self._chip
        first, second, third, fourth, fifth = bytes.fromhex(settings.vbios.replace(".", ""))
        fields = [
            (layout.VBIOS_VERSION, bytes((fourth, third, second, first, fifth, 0, 0, 0))),
            *chip.board,
            (layout.DRIVER_VERSION, settings.driver.encode("ascii") + b"\0"),
        ]
        if not settings.omit_firmware_id:
            fields.append((layout.FIRMWARE_ID, settings.reported_firmware_id or FIRMWARE_ID))
        protected = settings.gpu_mode == "protected-pcie"
        if chip.reports_chip:
            fields.append((layout.CHIP, chip.name.encode("ascii") + b"\0"))
        else:
            fields.append((layout.PROTECTED_PCIE, b"\xaa" if protected else b"\x55"))
        if protected:
            fields.append((layout.SWITCH_DEVICES, b"".join(device[::-1] for device in self._switches)))
        fields.append((layout.FEATURE_FLAG, MODE_FLAGS[settings.gpu_mode].to_bytes(2, "little")))
        return fields


def gpu_measurements(settings: Settings) -> list[bytes]:
    """64 measurements; the values stand for nothing."""
    values = [simulated_measurement("gpu", index) for index in range(layout.GPU_RECORDS)]
    for index in settings.changed_measurements:
        values[index] = bytes(48)
    return values
