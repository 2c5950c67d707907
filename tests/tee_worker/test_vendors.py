"""Certificates and collateral from the vendors' services, which run on loopback here."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from attestation import SIMULATED, Binding, Evidence, encode_bundle, verify_bundle
from attestation.simulator import Settings, SimulatedMachine
from tee_worker.vendors import CollateralFetchFailed, Service, Vendors
from tee_worker.vendors.services import MAX_ANSWER_BYTES, Addresses
from tests.tee_worker.evidence.conftest import NONCE, OPERATOR, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY
from tests.tee_worker.vendor_server import VendorServer

NOW_S = 1_790_000_000
NOW_NS = NOW_S * 1_000_000_000
LIST = SimulatedMachine("tests").platform.collateral(NOW_NS).crls[0]
STRICT = dataclasses.replace(SIMULATED, require_revocation=True, require_reference_values=True)


class Clock:
    """Seconds since 1970, as a test sets them."""

    now = float(NOW_S)

    def __call__(self) -> float:
        return self.now


def machine(gpus: int, switches: int, cpu: str) -> SimulatedMachine:
    mode = "protected-pcie" if switches else "single-gpu"
    return SimulatedMachine("tests", gpus, Settings(gpu_mode=mode), switches, cpu)


def evidence_of(simulated: SimulatedMachine) -> Evidence:
    return simulated.collect(NONCE, OPERATOR, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY)


@pytest.mark.parametrize(("gpus", "switches", "cpu"), [(1, 0, "sev-snp"), (8, 4, "tdx"), (2, 0, "tdx")])
def test_what_is_fetched_satisfies_a_policy_that_asks_for_everything(
    tmp_path: Path, gpus: int, switches: int, cpu: str
) -> None:
    simulated = machine(gpus, switches, cpu)
    evidence = evidence_of(simulated)
    with VendorServer(simulated, evidence, NOW_NS).running() as server:
        vendors = Vendors(Service(tmp_path), server.addresses)
        collateral = vendors.collateral(evidence, NOW_NS)
    verify_bundle(encode_bundle(evidence), Binding(NONCE, OPERATOR), STRICT, NOW_NS, collateral=collateral)
    asked = sum(request.startswith("POST") for request in server.asked)
    assert asked == len(collateral.ocsp) == len(set(collateral.ocsp))


def test_a_chain_that_the_host_does_not_give_is_amds(tmp_path: Path) -> None:
    simulated = machine(1, 0, "sev-snp")
    evidence = evidence_of(simulated)
    with VendorServer(simulated, evidence, NOW_NS).running() as server:
        vendors = Vendors(Service(tmp_path), server.addresses)
        assert vendors.complete_snp_chain(evidence.cpu_report, ()) == evidence.cpu_chain
        assert vendors.complete_snp_chain(evidence.cpu_report, evidence.cpu_chain[:1]) == evidence.cpu_chain
    query = server.asked[0].partition("?")[2]
    assert query == "blSPL=10&teeSPL=00&snpSPL=23&ucodeSPL=84"
    # Kept for good: AMD answers about a chip once in ten seconds.
    assert [request.split("?")[0].rpartition("/")[2] for request in server.asked].count("cert_chain") == 1


def test_answers_are_kept_for_an_hour_and_serve_longer_when_nobody_answers(tmp_path: Path) -> None:
    simulated = machine(1, 0, "sev-snp")
    evidence = evidence_of(simulated)
    clock = Clock()
    with VendorServer(simulated, evidence, NOW_NS).running() as server:
        vendors = Vendors(Service(tmp_path, clock=clock), server.addresses)
        first = vendors.collateral(evidence, NOW_NS)
        count = len(server.asked)
        assert vendors.collateral(evidence, NOW_NS) == first
        assert len(server.asked) == count
        clock.now += 3_601
        server.answering = False
        assert vendors.collateral(evidence, NOW_NS) == first
        # Manifests hold longer.
        assert count > len(server.asked) - count > 0


def test_what_one_vendor_does_not_say_is_missing_alone(tmp_path: Path) -> None:
    simulated = machine(1, 0, "sev-snp")
    evidence = evidence_of(simulated)
    with VendorServer(simulated, evidence, NOW_NS).running() as server:
        del server.routes["/vcek/v1/Genoa/crl"]
        with pytest.raises(CollateralFetchFailed, match="crl answers 404 Not Found") as caught:
            Vendors(Service(tmp_path), server.addresses).collateral(evidence, NOW_NS)
    found = caught.value.found
    assert (found.crls, set(found.rims)) == ((), set(server.collateral.rims))
    assert len(found.ocsp) == len(server.collateral.ocsp)


def test_a_broken_file_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    simulated = machine(1, 0, "sev-snp")
    evidence = evidence_of(simulated)
    with VendorServer(simulated, evidence, NOW_NS).running() as server:
        vendors = Vendors(Service(tmp_path), server.addresses)
        first = vendors.collateral(evidence, NOW_NS)
        for path in tmp_path.iterdir():
            path.write_bytes(b"{")
        assert vendors.collateral(evidence, NOW_NS) == first


def test_what_is_no_answer_is_not_kept(tmp_path: Path) -> None:
    """Found by reading: a sign-in page in place of a chip's certificate would have been kept for good."""
    evidence = evidence_of(machine(1, 0, "sev-snp"))
    page = refusing(lambda request: httpx.Response(200, content=b"<html>sign in</html>"), tmp_path)
    with pytest.raises(CollateralFetchFailed, match="does not answer what was asked"):
        Vendors(page).complete_snp_chain(evidence.cpu_report, ())
    assert not list(tmp_path.iterdir())


def refusing(handler: Callable[[httpx.Request], httpx.Response], folder: Path) -> Service:
    return Service(folder, httpx.Client(transport=httpx.MockTransport(handler)))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (httpx.Response(404), "answers 404 Not Found"),
        (httpx.Response(200, content=b"x" * (MAX_ANSWER_BYTES + 1)), "answers more than"),
        (httpx.Response(200, content=b"no JSON"), "does not answer what was asked"),
        (httpx.Response(200, json={"rim": "%"}), "does not answer what was asked"),
        (httpx.Response(200, json={"rim": "PGh0bWwvPg=="}), "does not answer what was asked"),
    ],
    ids=["not found", "too much", "no JSON", "no base64", "no manifest"],
)
def test_what_is_no_answer_is_named_with_its_address(
    tmp_path: Path, answer: httpx.Response, problem: str
) -> None:
    evidence = evidence_of(machine(1, 0, "sev-snp"))

    def reply(request: httpx.Request) -> httpx.Response:
        return answer if "rim" in str(request.url) else httpx.Response(200, content=LIST)

    with pytest.raises(CollateralFetchFailed, match=problem) as caught:
        Vendors(refusing(reply, tmp_path)).collateral(evidence, NOW_NS)
    assert "https://rim.attestation.nvidia.com/v1/rim/NV_GPU_DRIVER_GH100_550.90.07" in str(caught.value)


def test_a_statement_without_its_issuers_is_refused(tmp_path: Path) -> None:
    evidence = evidence_of(machine(0, 0, "tdx"))
    service = refusing(lambda request: httpx.Response(200, content=b"{}"), tmp_path)
    with pytest.raises(CollateralFetchFailed, match="without the headers tcb-info-issuer-chain"):
        Vendors(service).collateral(evidence, NOW_NS)


def test_a_service_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        service = Service(tmp_path, httpx.Client(timeout=0.05))
        with pytest.raises(CollateralFetchFailed, match="timed out"):
            Vendors(service, Addresses(amd=address)).collateral(evidence_of(machine(1, 0, "sev-snp")), NOW_NS)


def test_a_vlek_is_the_hosts_to_give(tmp_path: Path) -> None:
    settings = Settings()
    vlek = dataclasses.replace(settings, snp=dataclasses.replace(settings.snp, vlek=True))
    report = evidence_of(SimulatedMachine("tests", settings=vlek)).cpu_report
    with pytest.raises(CollateralFetchFailed, match="the host must give it"):
        Vendors(Service(tmp_path)).complete_snp_chain(report, ())


def test_every_address_can_be_replaced() -> None:
    names = ("AMD", "INTEL", "INTEL_ROOT_LIST", "NVIDIA_ANSWERS", "NVIDIA_MANIFESTS")
    given = {f"LEASEHOLD_{name}_URL": f"http://127.0.0.1/{name}" for name in names}
    assert dataclasses.astuple(Addresses.of_environment(given)) == tuple(given.values())
    assert Addresses.of_environment({"LEASEHOLD_AMD_URL": ""}) == Addresses()
