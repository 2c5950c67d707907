"""What genuine evidence makes the worker ask vendors for: the requests that their services document."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from attestation import Evidence
from attestation.intel.pccs import collateral_from_json
from tee_worker.vendors import Service, Vendors, intel
from tee_worker.vendors.nvidia import manifest_ids
from tee_worker.vendors.services import Addresses
from tests import genuine_packages as genuine
from tests.attestation.conftest import SAMPLES, Samples

NOTHING = Evidence("tdx", b"", (), (), b"", b"", b"")
ADDRESSES = Addresses()


class Recorded:
    """A client that answers what was recorded, by URL."""

    def __init__(self, answers: dict[str, httpx.Response]) -> None:
        self.answers, self.asked = answers, list[str]()

    def service(self, folder: Path) -> Service:
        return Service(folder, httpx.Client(transport=httpx.MockTransport(self.answer)))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return self.answers.get(str(request.url), httpx.Response(404))


@pytest.mark.skipif(bool(genuine.missing(genuine.AMD)), reason=genuine.missing(genuine.AMD))
def test_a_genuine_milans_certificates_are_asked_for_by_chip_and_firmware(tmp_path: Path) -> None:
    report, chain = genuine.milan()
    chip = report[0x1A0:0x1E0].hex()
    vcek = f"https://kdsintf.amd.com/vcek/v1/Milan/{chip}?blSPL=02&teeSPL=00&snpSPL=05&ucodeSPL=68"
    authorities = "https://kdsintf.amd.com/vcek/v1/Milan/cert_chain"
    recorded = Recorded(
        {
            vcek: httpx.Response(200, content=chain[0]),
            authorities: httpx.Response(200, content=genuine.authorities("milan")),
        }
    )
    vendors = Vendors(recorded.service(tmp_path), ADDRESSES)
    assert vendors.complete_snp_chain(report, ()) == chain
    assert recorded.asked == [vcek, authorities]


@pytest.mark.skipif(bool(genuine.missing(genuine.INTEL)), reason=genuine.missing(genuine.INTEL))
def test_what_intel_says_about_a_genuine_quote_is_asked_for_as_recorded(tmp_path: Path) -> None:
    raw, _, form = genuine.tdx()
    expected = collateral_from_json(json.dumps(form))
    base = "https://api.trustedservices.intel.com"
    chains = {
        "TCB-Info-Issuer-Chain": quote(form["tcb_info_issuer_chain"]),
        "SGX-Enclave-Identity-Issuer-Chain": quote(form["qe_identity_issuer_chain"]),
    }
    root_list, pck_list = expected.crls
    recorded = Recorded(
        {
            f"{base}/tdx/certification/v4/tcb?fmspc=50806f000000": httpx.Response(
                200, content=expected.tcb_infos[0], headers=chains
            ),
            f"{base}/tdx/certification/v4/qe/identity": httpx.Response(
                200, content=expected.qe_identities[0], headers=chains
            ),
            f"{base}/sgx/certification/v4/pckcrl?ca=platform&encoding=der": httpx.Response(
                200, content=pck_list
            ),
            ADDRESSES.intel_root_list: httpx.Response(200, content=root_list),
        }
    )
    found = intel.collateral(recorded.service(tmp_path), ADDRESSES.intel, ADDRESSES.intel_root_list, raw)
    assert found == expected
    assert set(recorded.asked) == set(recorded.answers)


@pytest.mark.skipif(bool(genuine.missing(genuine.NVIDIA)), reason=genuine.missing(genuine.NVIDIA))
def test_a_genuine_h100s_manifests_are_called_as_nvidia_publishes_them() -> None:
    names = manifest_ids(dataclasses.replace(NOTHING, gpus=(genuine.hopper(),)))
    assert names == ("NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"genuine evidence is not there: {SAMPLES}")
def test_manifests_of_genuine_samples_are_called_as_nvidia_publishes_them() -> None:
    samples = Samples(SAMPLES)
    names = manifest_ids(dataclasses.replace(NOTHING, switches=(samples.switch(),)))
    published = [
        path.stem.removeprefix("switchVBIOSRim_") for path in (SAMPLES / "nvidia/rim").glob("switch*")
    ]
    assert len(published) == len(names) == 1
    assert names[0].rpartition("_")[0] == published[0].rpartition("_")[0]
