"""A simulated machine's evidence, and genuine samples where the checkout has them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attestation import Binding, Evidence, GpuEvidence, SwitchEvidence, encode_bundle
from attestation.crypto import ecdsa_p384
from attestation.simulator import Settings, SimulatedMachine
from tests.attestation.genuine_canister import GenuineCanister
from tests.network_canister import open_host
from tests.pem import certificates_of_pem

SAMPLES = Path(__file__).parents[3] / "shared" / "attestation-samples"
NANOSECONDS = 1_000_000_000

NONCE = bytes(range(32))
OPERATOR = bytes(range(1, 30))
SESSION_PUBLIC_KEY = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
# The generator of BLS12-381 G1.
TRANSPORT_PUBLIC_KEY = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
NOW_NS = 1_790_000_000 * NANOSECONDS


@dataclass(frozen=True)
class Scene:
    """One attestation: who asks what, and when."""

    nonce: bytes = NONCE
    operator: bytes = OPERATOR
    session_public_key: bytes = SESSION_PUBLIC_KEY
    transport_public_key: bytes = TRANSPORT_PUBLIC_KEY
    now_ns: int = NOW_NS

    @property
    def binding(self) -> Binding:
        """What the verifier knows."""
        return Binding(self.nonce, self.operator)

    def collect(self, gpus: int = 1, worker: str = "0.1.0", **settings: Any) -> Evidence:
        """Evidence of a machine with these `Settings`."""
        machine = SimulatedMachine("tests", gpus, Settings(**settings))
        return machine.collect(
            self.nonce, self.operator, self.session_public_key, self.transport_public_key, worker
        )

    def bundle(self, gpus: int = 1, **settings: Any) -> bytes:
        """The same, as a bundle."""
        return encode_bundle(self.collect(gpus, **settings))


@pytest.fixture
def remembered_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """ECDSA verification that skips what it found good before: same key, message and signature."""
    good = set()
    compute = ecdsa_p384.verify

    def verify(
        key: ecdsa_p384.Point, message: bytes, r: int, s: int, claim: str, recurs: bool = False
    ) -> None:
        if (key, message, r, s) not in good:
            compute(key, message, r, s, claim, recurs)
            good.add((key, message, r, s))

    monkeypatch.setattr(ecdsa_p384, "verify", verify)


@pytest.fixture(scope="session")
def scene() -> Scene:
    """The attestation most tests play."""
    return Scene()


@pytest.fixture(scope="session")
def evidence(scene: Scene) -> Evidence:
    """Evidence that the simulated policy accepts."""
    return scene.collect()


@pytest.fixture(scope="session")
def bundle(evidence: Evidence) -> bytes:
    """The same, as a bundle."""
    return encode_bundle(evidence)


class Samples:
    """Genuine evidence; see the provenance table in the folder's README."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: set[str] = set()

    def read(self, name: str) -> bytes:
        """Bytes of one sample."""
        self._read.add(name)
        return (self._folder / name).read_bytes()

    def unread(self) -> set[str]:
        """Names of the samples that nobody has read yet."""
        files = (path for path in self._folder.rglob("*") if path.is_file() and path.name != "README.md")
        return {path.relative_to(self._folder).as_posix() for path in files} - self._read

    def certificates(self, name: str) -> tuple[bytes, ...]:
        """DER certificates of a PEM file, in its order."""
        return certificates_of_pem(self.read(name).decode("ascii"))

    def amd(self, report: str, vcek: str, authorities: str) -> tuple[bytes, tuple[bytes, ...]]:
        """Report and chain (VCEK, ASK, ARK)."""
        leaf = self.certificates(vcek)[0] if vcek.endswith(".pem") else self.read(vcek)
        return self.read(report), (leaf, *self.certificates(authorities))

    def gpus(self) -> dict[str, GpuEvidence]:
        """Every GPU of the samples, single ones and whole machines."""
        found = {
            "single H100": GpuEvidence(
                self.read("nvidia/spt_gh100_complete/report.bin"),
                self.certificates("nvidia/spt_gh100_complete/chain.pem"),
            )
        }
        for chip in ("hopper", "blackwell"):
            report = bytes.fromhex(self.read(f"nvidia/{chip}/{chip}AttestationReport.txt").decode().strip())
            found[chip] = GpuEvidence(report, self.certificates(f"nvidia/{chip}/{chip}CertChain.txt"))
        (hopper,) = json.loads(self.read("nvidia/hopper/hopper_evidence.json"))
        chain = base64.b64decode(hopper["certificate"]).decode("ascii")
        report = base64.b64decode(hopper["evidence"])
        found["hopper, driver 590"] = GpuEvidence(report, certificates_of_pem(chain))
        for name in ("mpt_gb100/test_mpt_data", "ppcie_hgx_h100/test_ppcie_data"):
            for index, gpu in enumerate(json.loads(self.read(f"nvidia/{name}.json"))["gpus"]):
                found[f"{name} {index}"] = _pickled_gpu(gpu)
        return found

    def board(self) -> tuple[tuple[GpuEvidence, ...], tuple[SwitchEvidence, ...]]:
        """The 8 GPUs and 4 switches of one HGX board with protected PCIe."""
        name = "ppcie_hgx_h100/test_ppcie_data"
        gpus = tuple(gpu for key, gpu in self.gpus().items() if key.startswith(name))
        switches = json.loads(self.read(f"nvidia/{name}.json"))["nvswitches"]
        return gpus, tuple(_pickled_switch(switch) for switch in switches)

    def switch(self) -> SwitchEvidence:
        """A switch by itself."""
        report = bytes.fromhex(self.read("nvidia/switch/switchAttestationReport.txt").decode().strip())
        return SwitchEvidence(report, self.certificates("nvidia/switch/switchCertChain.txt"))

    def ocsp(self) -> dict[str, bytes]:
        """The OCSP answers of the single H100 and its manifests, by file name."""
        folder = "nvidia/spt_gh100_complete/ocsp"
        names = sorted(path.name for path in (self._folder / folder).glob("*.der"))
        return {name.removesuffix(".der"): self.read(f"{folder}/{name}") for name in names}


def _pickled_gpu(gpu: dict[str, dict[str, object]]) -> GpuEvidence:
    chain = b"".join(
        base64.b64decode(entry["pem"])
        for entry in gpu["CertificateChains"]["GpuAttestationCertificateChain"]  # type: ignore[attr-defined]
    )
    report = base64.b64decode(str(gpu["AttestationReport"]["py/b64"]))
    return GpuEvidence(report, certificates_of_pem(chain.decode("ascii")))


def _pickled_switch(switch: dict[str, Any]) -> SwitchEvidence:
    chain = b"".join(base64.b64decode(entry["pem"]) for entry in switch["attestation_cert_chain"])
    report = base64.b64decode(switch["attestation_report"]["py/b64"])
    return SwitchEvidence(report, certificates_of_pem(chain.decode("ascii")))


@pytest.fixture(scope="session")
def samples() -> Samples:
    """Genuine evidence, or a skipped test."""
    if not SAMPLES.is_dir():
        pytest.skip(f"genuine evidence is not there: {SAMPLES}")
    return Samples(SAMPLES)


@pytest.fixture(scope="module")
def canister() -> Iterator[GenuineCanister]:
    """What verifies genuine evidence inside Wasm."""
    with open_host() as host:
        yield GenuineCanister(host)
