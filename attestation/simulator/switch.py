"""A simulated LS10 switch: its certificate chain and its reports, in the genuine layout."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding

from attestation.bundle import SwitchEvidence
from attestation.nvidia import spdm
from attestation.nvidia import switch_report as layout
from attestation.simulator.certificates import (
    authority,
    issue,
    nvidia_authority_name,
    nvidia_device_name,
    report_signer,
)
from attestation.simulator.development_pki import Authority, load_authority
from attestation.simulator.exchange import signed_exchange, simulated_measurement
from attestation.simulator.seeds import derive, derive_key
from attestation.simulator.settings import Settings

BROM_COMMON_NAME = "SIMULATED LS_10 A01 FSP BROM"
LEAF_COMMON_NAME = "SIMULATED LS_10 A01 FSP FMC LF"
PROVISIONER_COMMON_NAME = "SIMULATED NVIDIA LS_10 Provisioner ICA 1"


def switch_device(seed: bytes, index: int) -> bytes:
    """The 8-byte id of a simulated machine's switch."""
    return derive(seed, f"switch {index} pdi", 8)


@cache
def switch_provisioner() -> Authority:
    """The authority over simulated switches' boot ROMs."""
    identity = load_authority("nvidia_identity")
    key = derive_key(b"authorities", "switch provisioner")
    name = nvidia_authority_name(PROVISIONER_COMMON_NAME)
    return Authority(issue(name, key, identity.name, identity.key, 4, authority(None)), key)


class SimulatedSwitch:
    """One switch between GPUs, which are given by their 8-byte ids."""

    def __init__(
        self,
        seed: bytes,
        index: int,
        settings: Settings,
        provisioner: Authority,
        gpus: Sequence[bytes],
    ) -> None:
        self.device = switch_device(seed, index)
        self.device_id = "50" + self.device.hex().upper()
        self._seed = seed
        self._index = index
        self._settings = settings
        self._gpus = gpus
        self._key = derive_key(seed, f"switch {index} leaf")
        self.chain = self._make_chain(provisioner)

    def evidence(self, nonce: bytes) -> SwitchEvidence:
        """Report over the 32-byte `nonce`, with the chain."""
        fields = [
            (layout.VBIOS_VERSION, self._settings.switch_vbios.encode("ascii")),
            (layout.OWN_DEVICE, self.device),
            (layout.CONNECTIONS, b"".join(self._gpus) + bytes(layout.PORTS)),
        ]
        measurements = [simulated_measurement("switch", index) for index in range(layout.SWITCH_RECORDS)]
        responder_nonce = derive(self._seed, f"switch {self._index} nonce {nonce.hex()}", spdm.NONCE_BYTES)
        report = signed_exchange(nonce, measurements, responder_nonce, fields, self._key)
        return SwitchEvidence(report, self.chain)

    def _make_chain(self, provisioner: Authority) -> tuple[bytes, ...]:
        brom_key = derive_key(self._seed, f"switch {self._index} brom")
        brom_name = nvidia_device_name(self.device_id, BROM_COMMON_NAME)
        serial = int(self.device_id, 16)
        brom = issue(brom_name, brom_key, provisioner.name, provisioner.key, serial, authority(None))
        leaf_serial = derive(self._seed, f"switch {self._index} leaf serial", 19)
        leaf = issue(
            nvidia_device_name(leaf_serial.hex().upper(), LEAF_COMMON_NAME),
            self._key,
            brom_name,
            brom_key,
            int.from_bytes(leaf_serial, "big"),
            (report_signer(),),
        )
        made = (leaf.public_bytes(Encoding.DER), brom.public_bytes(Encoding.DER), provisioner.der)
        return (*made, load_authority("nvidia_identity").der, load_authority("nvidia_root").der)
