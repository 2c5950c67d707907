"""How the devices of one machine hang together."""

from __future__ import annotations

from collections.abc import Sequence

from attestation.errors import DuplicateDevice, TopologyInvalid
from attestation.nvidia.verify import VerifiedGpu, VerifiedSwitch

PROTECTED_PCIE = "protected-pcie"
# An HGX board: the only machine with protected PCIe.
BOARD_GPUS = 8
BOARD_SWITCHES = 4

Devices = Sequence[VerifiedGpu | VerifiedSwitch]


def check_topology(gpus: Sequence[VerifiedGpu], switches: Sequence[VerifiedSwitch]) -> None:
    """All checks of this module."""
    check_distinct(gpus, "gpu")
    check_distinct(switches, "switch")
    check_one_mode(gpus)
    if switches or any(gpu.report.mode == PROTECTED_PCIE for gpu in gpus):
        check_board(gpus, switches)
        check_links(gpus, switches)


def check_distinct(devices: Devices, kind: str) -> None:
    """No device is presented twice: stops one GPU's evidence from being counted as several GPUs."""
    seen: dict[str, int] = {}
    for index, device in enumerate(devices):
        if device.device_id in seen:
            raise DuplicateDevice(
                f"{kind}[{index}].device_id", f"{device.device_id} is also {kind}[{seen[device.device_id]}]"
            )
        seen[device.device_id] = index


def check_one_mode(gpus: Sequence[VerifiedGpu]) -> None:
    """All GPUs are in one mode: stops a GPU without link protection among GPUs that have it."""
    modes = sorted({gpu.report.mode for gpu in gpus})
    if len(modes) > 1:
        raise TopologyInvalid("gpu.mode", f"the GPUs of one machine are in several modes: {', '.join(modes)}")


def check_board(gpus: Sequence[VerifiedGpu], switches: Sequence[VerifiedSwitch]) -> None:
    """Protected PCIe is a whole board: stops a GPU or switch from being left out of the attestation."""
    mode = gpus[0].report.mode if gpus else "no GPU"
    if (len(gpus), len(switches), mode) != (BOARD_GPUS, BOARD_SWITCHES, PROTECTED_PCIE):
        raise TopologyInvalid(
            "topology",
            f"{len(gpus)} GPUs in mode {mode} and {len(switches)} switches; a machine with protected PCIe "
            f"has {BOARD_GPUS} and {BOARD_SWITCHES}, and only such a machine has switches",
        )


def check_links(gpus: Sequence[VerifiedGpu], switches: Sequence[VerifiedSwitch]) -> None:
    """Each GPU names exactly the certified switches, each switch exactly the certified GPUs.

    Stops devices of several machines from being presented as one, and NVLink traffic through a switch that
    did not attest. Compared are the ids in the boot ROMs' certificates, which no firmware can choose.
    """
    gpu_ids = {bytes.fromhex(gpu.device_id[2:]) for gpu in gpus}
    switch_ids = {bytes.fromhex(switch.device_id[2:]) for switch in switches}
    for index, gpu in enumerate(gpus):
        _compare(f"gpu[{index}].links", "switches", switch_ids, gpu.report.switches)
    for index, switch in enumerate(switches):
        _compare(f"switch[{index}].links", "GPUs", gpu_ids, switch.report.gpus)


def _compare(claim: str, kind: str, attested: set[bytes], named: frozenset[bytes]) -> None:
    if attested != named:
        missing = ", ".join(sorted(device.hex() for device in attested - named)) or "nothing"
        strange = ", ".join(sorted(device.hex() for device in named - attested)) or "nothing"
        raise TopologyInvalid(
            claim, f"of the attested {kind} {missing} is not linked; linked but not attested is {strange}"
        )
