"""Devices that do not exist, behind the interfaces of the genuine drivers."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from attestation import Evidence, GpuEvidence, SwitchEvidence
from attestation.simulator import Settings, SimulatedMachine

SOURCE = Path(__file__).with_name("nvidia_shim.c")
NONCE = bytes(range(32))
OPERATOR = bytes(range(1, 30))
SESSION_PUBLIC_KEY = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
# The generator of BLS12-381 G1.
TRANSPORT_PUBLIC_KEY = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
KEYS = {"session_public_key": SESSION_PUBLIC_KEY, "transport_public_key": TRANSPORT_PUBLIC_KEY}
CC_ON, CC_OFF, DEVTOOLS_ON, PROTECTED_PCIE = b"100", b"000", b"110", b"001"

Load = Callable[..., Evidence]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drivers' libraries, compiled."""
    built = tmp_path_factory.mktemp("shim") / "libnvidia-shim.so"
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-shared",
        "-fPIC",
        "-O1",
        "-o",
        str(built),
        str(SOURCE),
    ]
    subprocess.run(command, check=True, timeout=120)
    return built


@pytest.fixture
def driver(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A driver without any device; what it answers lies in the folder."""
    folder = tmp_path / "devices"
    folder.mkdir()
    (folder / "state").write_bytes(CC_ON)
    (folder / "driver").write_bytes(b"550.90.07")
    monkeypatch.setenv("LEASEHOLD_SHIM", str(folder))
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(library)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return folder


@pytest.fixture
def load(driver: Path) -> Load:
    """Puts devices into the driver that answer `NONCE`; answers their evidence."""

    def put(gpus: int = 1, switches: int = 0, state: bytes = CC_ON) -> Evidence:
        settings = Settings(gpu_mode="protected-pcie" if switches else "single-gpu")
        machine = SimulatedMachine("tests", gpus, settings, switches)
        evidence = machine.collect(NONCE, OPERATOR, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY)
        devices: dict[str, GpuEvidence | SwitchEvidence] = {}
        devices |= {f"gpu{index}": gpu for index, gpu in enumerate(evidence.gpus)}
        devices |= {f"switch{index}": switch for index, switch in enumerate(evidence.switches)}
        for name, device in devices.items():
            (driver / f"{name}.report").write_bytes(device.report)
            (driver / f"{name}.pem").write_bytes(pem(device.chain))
        (driver / "state").write_bytes(state)
        return evidence

    return put


def pem(chain: tuple[bytes, ...]) -> bytes:
    """A chain as drivers give it."""
    return b"".join(load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in chain)
