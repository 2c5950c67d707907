"""Reference manifests of Blackwell GPUs: none is published in a package yet, so they are made here.

Reports and chains are genuine, of the machine with eight GB100; the manifests hold the values that those
reports state, and are signed under the development root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attestation import GpuEvidence, VerifiedLinks
from attestation.collateral import Collateral
from attestation.errors import MeasurementMismatch
from attestation.nvidia import spdm
from attestation.nvidia.machine import MachineFacts
from attestation.nvidia.reference_values import DRIVER, VBIOS
from attestation.nvidia.verify import VerifiedGpu, read_evidence
from attestation.simulator.collateral import MANIFEST, RESOURCE, sign_manifest

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

NOW_NS = 1_790_000_000 * 1_000_000_000
DRIVER_VALUES, VBIOS_VALUES = range(20, 41), range(20)


@pytest.fixture(scope="module")
def gpus(samples: Samples) -> list[VerifiedGpu]:
    chosen = [gpu for name, gpu in samples.gpus().items() if name.startswith("mpt_gb100")]
    return [read(gpu) for gpu in chosen]


def read(gpu: GpuEvidence) -> VerifiedGpu:
    nonce = gpu.report[spdm.NONCE : spdm.NONCE + spdm.NONCE_BYTES]
    return read_evidence(gpu, nonce, NOW_NS, "gpu[0]")


def manifest_of(gpu: VerifiedGpu, version: str, indexes: range, wrong: int | None = None) -> bytes:
    """A manifest with the GPU's own values at `indexes`, but for the `wrong` one."""
    values = [
        b"\xff" * 48 if index == wrong else value for index, value in enumerate(gpu.report.measurements)
    ]
    resources = "\n".join(
        RESOURCE.format(index=index, active=index in indexes, value=value.hex())
        for index, value in enumerate(values)
    )
    fields = {"edition": "GPU", "product": "GB100", "version": version, "resources": resources}
    return sign_manifest(MANIFEST.format(**fields, signature="{signature}"))


def test_every_gpu_equals_the_manifests_of_its_versions(gpus: list[VerifiedGpu]) -> None:
    report = gpus[0].report
    rims = (
        manifest_of(gpus[0], report.driver, DRIVER_VALUES),
        manifest_of(gpus[0], report.vbios, VBIOS_VALUES),
    )
    devices = MachineFacts(Collateral(rims=rims), NOW_NS, VerifiedLinks())
    facts = devices.of_gpu(gpus[0], "gpu[0]")
    assert facts.chip == "GB100"
    assert [manifest.kind for manifest in facts.manifests] == [DRIVER, VBIOS]
    assert facts.compared_measurements == len(DRIVER_VALUES) + len(VBIOS_VALUES)
    assert len(gpus) == 8


@pytest.mark.parametrize("wrong", [0, 19])
def test_a_gpu_that_differs_in_one_value_is_refused(gpus: list[VerifiedGpu], wrong: int) -> None:
    rims = (manifest_of(gpus[0], gpus[0].report.vbios, VBIOS_VALUES, wrong),)
    devices = MachineFacts(Collateral(rims=rims), NOW_NS, VerifiedLinks())
    with pytest.raises(MeasurementMismatch, match=rf"measurements {wrong} .*GB100 97\.00\.D9\.00\.35"):
        devices.of_gpu(gpus[0], "gpu[0]")


def test_manifests_of_another_chip_are_not_found(gpus: list[VerifiedGpu], samples: Samples) -> None:
    genuine = samples.read("nvidia/spt_gh100_complete/NV_GPU_DRIVER_GH100_550.90.07.xml")
    facts = MachineFacts(Collateral(rims=(genuine,)), NOW_NS, VerifiedLinks()).of_gpu(gpus[0], "gpu[0]")
    assert facts.manifests == ()
