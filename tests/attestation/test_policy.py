"""Evaluation of policies: composition, and genuine facts under each built-in policy."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation import (
    BUILTIN_POLICIES,
    PRODUCTION,
    SIMULATED,
    AllOf,
    AnyOf,
    GuestClaims,
    PolicyMalformed,
    VerifiedLinks,
)
from attestation.amd import verify as amd
from attestation.collateral import NO_COLLATERAL
from attestation.cpu import check_cpu
from attestation.facts import CpuFacts, EvidenceFacts, GpuFacts
from attestation.nvidia import spdm
from attestation.nvidia import verify as nvidia
from attestation.nvidia.machine import Machine, MachineFacts
from attestation.policy import AMD_ROOTS, DEVELOPMENT_ROOTS, NVIDIA_ROOTS, SIMULATED_MEASUREMENT
from attestation.policy_evaluation import evaluate
from attestation.verify import gather_facts

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

GUEST = GuestClaims("on", "off", "550.90.07", "0.1.0")
CPU = CpuFacts(
    kind="sev-snp",
    product="Genoa",
    root_sha256=AMD_ROOTS[1],
    measurement="ab" * 48,
    chip_id="cd" * 64,
    tcb={"bootloader": 10, "tee": 0, "snp": 23, "microcode": 84},
    debug=False,
    migratable=False,
    vmpl=0,
    signing_key="VCEK",
)
GPU = GpuFacts(NVIDIA_ROOTS[0], "41" + "00" * 8, "GH100", "single-gpu", "550.90.07", "96.00.9F.00.01", True)
FACTS = EvidenceFacts(CPU, (GPU,), GUEST)

# The rows of a GPU about which no collateral was given.
GPU_COLLATERAL = {
    "gpu[0].driver_manifest",
    "gpu[0].vbios_manifest",
    "gpu[0].reference_values",
    "gpu[0].revocation.boot_rom",
    "gpu[0].revocation.provisioner",
    "gpu[0].revocation.identity",
}

# What the production policy will look like once a guest is released and the last checks are there.
CHECKED = dataclasses.replace(
    PRODUCTION,
    name="checked",
    measurements=("ab" * 48,),
    require_reference_values=False,
    require_revocation=False,
)
STRICT = dataclasses.replace(CHECKED, name="strict", minimum_worker="9.0")


def refused(policy: object, facts: EvidenceFacts = FACTS) -> set[str]:
    outcome = evaluate(policy, facts)  # type: ignore[arg-type]
    return {claim.name for claim in outcome.claims if claim.verdict != "valid"}


def test_facts_that_meet_every_condition_are_accepted() -> None:
    outcome = evaluate(CHECKED, FACTS)
    assert outcome.accepted and not outcome.simulated


def test_the_built_in_production_policy_accepts_nothing_yet() -> None:
    assert refused(PRODUCTION) == {
        "cpu.measurement",
        "cpu.revocation",
        *GPU_COLLATERAL,
    }


def test_all_of_needs_every_member() -> None:
    assert refused(AllOf("both", (CHECKED, CHECKED))) == set()
    assert refused(AllOf("both", (CHECKED, STRICT))) == {"strict/guest.worker"}


def test_any_of_needs_one_member_and_shows_that_one() -> None:
    outcome = evaluate(AnyOf("either", (STRICT, CHECKED)), FACTS)
    assert outcome.accepted
    assert {claim.name.split("/")[0] for claim in outcome.claims} == {"checked"}


def test_any_of_that_fails_shows_every_member() -> None:
    assert refused(AnyOf("either", (STRICT, SIMULATED))) >= {"strict/guest.worker", "simulated/cpu.root"}


def test_a_composition_is_simulated_when_a_member_is() -> None:
    assert AllOf("x", (CHECKED, SIMULATED)).simulated
    assert AnyOf("x", (AllOf("y", (SIMULATED,)),)).simulated
    assert not AnyOf("x", (CHECKED, PRODUCTION)).simulated


def test_any_of_is_marked_simulated_only_when_the_simulated_member_accepted() -> None:
    assert not evaluate(AnyOf("either", (CHECKED, SIMULATED)), FACTS).simulated


def test_the_simulated_policy_accepts_no_genuine_root() -> None:
    assert not set(SIMULATED.cpu_roots + SIMULATED.gpu_roots) & set(AMD_ROOTS + NVIDIA_ROOTS)
    assert not set(PRODUCTION.cpu_roots + PRODUCTION.gpu_roots) & DEVELOPMENT_ROOTS
    assert {"cpu.root", "gpu[0].root", "cpu.measurement", "guest.environment"} <= refused(SIMULATED)


def test_policies_are_found_by_name() -> None:
    assert {name: policy.name for name, policy in BUILTIN_POLICIES.items()} == {
        "simulated": "simulated",
        "production": "production",
    }


def test_a_policy_cannot_mix_development_and_genuine_roots() -> None:
    with pytest.raises(PolicyMalformed):
        dataclasses.replace(SIMULATED, cpu_roots=SIMULATED.cpu_roots + AMD_ROOTS)
    with pytest.raises(PolicyMalformed):
        dataclasses.replace(PRODUCTION, gpu_roots=SIMULATED.gpu_roots)


@given(st.sampled_from(["tee_kinds", "cpu_roots", "gpu_roots", "measurements", "gpu_chips", "gpu_modes"]))
def test_an_empty_list_accepts_nothing(field: str) -> None:
    assert len(refused(dataclasses.replace(CHECKED, **{field: ()}))) == 1  # type: ignore[arg-type]


def test_an_empty_table_of_versions_accepts_nothing() -> None:
    assert refused(dataclasses.replace(CHECKED, minimum_tcb={})) == {"cpu.tcb"}
    assert refused(dataclasses.replace(CHECKED, minimum_vbios={})) == {"gpu[0].vbios"}


@given(component=st.sampled_from(sorted(CPU.tcb)), version=st.integers(0, 255))
def test_each_component_of_the_tcb_has_its_own_minimum(component: str, version: int) -> None:
    facts = dataclasses.replace(FACTS, cpu=dataclasses.replace(CPU, tcb={**CPU.tcb, component: version}))
    holds = version >= CHECKED.minimum_tcb["Genoa"][component]
    assert refused(CHECKED, facts) == (set() if holds else {"cpu.tcb"})


def test_a_component_the_platform_lacks_is_below_any_minimum() -> None:
    policy = dataclasses.replace(CHECKED, minimum_tcb={"Genoa": {"fmc": 0}})
    assert refused(policy) == {"cpu.tcb"}


@pytest.mark.parametrize(("count", "accepted"), [(0, False), (1, False), (2, True), (3, True), (4, False)])
def test_the_number_of_gpus_has_both_bounds(count: int, accepted: bool) -> None:
    policy = dataclasses.replace(CHECKED, minimum_gpus=2, maximum_gpus=3)
    assert (refused(policy, dataclasses.replace(FACTS, gpus=(GPU,) * count)) == set()) is accepted


def test_the_guests_driver_must_be_the_one_every_gpu_reports() -> None:
    newer = dataclasses.replace(GPU, driver="570.124.06")
    assert refused(CHECKED, dataclasses.replace(FACTS, gpus=(GPU, GPU))) == set()
    assert refused(CHECKED, dataclasses.replace(FACTS, gpus=(GPU, newer))) == {"guest.driver"}


def test_genuine_evidence_is_refused_by_the_simulated_policy(samples: Samples) -> None:
    facts = genuine_facts(samples)
    assert {"cpu.root", "cpu.measurement", "gpu[0].root", "guest.environment"} <= refused(SIMULATED, facts)
    assert SIMULATED_MEASUREMENT != facts.cpu.measurement


def test_genuine_evidence_meets_everything_that_can_be_checked(samples: Samples) -> None:
    facts = genuine_facts(samples)
    assert refused(dataclasses.replace(CHECKED, measurements=(facts.cpu.measurement,)), facts) == set()
    assert refused(PRODUCTION, facts) == {
        "cpu.measurement",
        "cpu.revocation",
        *GPU_COLLATERAL,
    }


def genuine_facts(samples: Samples) -> EvidenceFacts:
    """A Genoa and an H100: of different machines, so only their facts go together."""
    now_ns = 1_763_000_000 * 1_000_000_000
    report, chain = samples.amd(
        "amd/genoa_v3_azure_report.bin", "amd/genoa_v3_azure_vcek.pem", "amd/ask_ark_genoa.pem"
    )
    cpu = amd.read_evidence(report, chain, now_ns)
    cpu_facts = check_cpu(cpu, now_ns, VerifiedLinks())
    h100 = samples.gpus()["single H100"]
    gpu = nvidia.read_evidence(h100, h100.report[spdm.NONCE : spdm.NONCE + 32], now_ns, "gpu[0]")
    nvidia.check_signatures(gpu, VerifiedLinks(), "gpu[0]")
    devices = MachineFacts(NO_COLLATERAL, now_ns, VerifiedLinks())
    return gather_facts(cpu_facts, Machine((gpu,), ()), GUEST, devices)
