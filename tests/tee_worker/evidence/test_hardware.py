"""Evidence of hardware, put together: it verifies as the simulator's own does."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation import (
    SIMULATED,
    Binding,
    MalformedEvidence,
    PolicyRefused,
    decode_bundle,
    decode_guest_claims,
    verify_bundle,
)
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from attestation.simulator.snp import SimulatedPlatform
from attestation.simulator.tdx import SimulatedTdxPlatform
from tee_worker.errors import EvidenceUnavailable
from tee_worker.evidence import nscq, snp_certificates
from tee_worker.evidence.hardware import HardwareProvider
from tee_worker.evidence.snp_certificates import ARK, ASK, VCEK, parse_table
from tee_worker.vendors import Vendors
from tests.tee_worker.evidence.conftest import KEYS, NONCE, OPERATOR, PROTECTED_PCIE, Load
from tests.tee_worker.evidence.kernel import Kernel

SETTINGS = Settings()
SNP = SimulatedPlatform(b"tests", SETTINGS)
NOW_NS = 1_790_000_000 * 1_000_000_000


def table(*entries: tuple[bytes, bytes]) -> bytes:
    """A host's certificate table."""
    at, head, body = 24 * (len(entries) + 1), b"", b""
    for guid, der in entries:
        head += guid + (at + len(body)).to_bytes(4, "little") + len(der).to_bytes(4, "little")
        body += der
    return head + bytes(24) + body


WHOLE = table(*zip((VCEK.bytes, ASK.bytes, ARK.bytes), SNP.chain, strict=True))


def machine(
    tmp_path: Path, kernel: Kernel, library: Path, vendors: Vendors | None = None
) -> HardwareProvider:
    return HardwareProvider(
        vendors, kernel.read, read_switches=partial(nscq.read_switches, library=str(library))
    )


def refused(bundle: bytes, simulated: SimulatedMachine) -> set[str]:
    """Names of what the simulated policy does not like: a genuine guest does not say that it is simulated."""
    collateral = collateral_of(simulated, NOW_NS)
    with pytest.raises(PolicyRefused) as caught:
        verify_bundle(bundle, Binding(NONCE, OPERATOR), SIMULATED, NOW_NS, collateral=collateral)
    return {claim.name for claim in caught.value.failed}


def test_a_sev_snp_guest_with_one_gpu(tmp_path: Path, load: Load, library: Path) -> None:
    load()
    kernel = Kernel(tmp_path, SNP.report, auxiliary=WHOLE)
    bundle = machine(tmp_path, kernel, library).collect(nonce=NONCE, operator=OPERATOR, **KEYS)
    assert refused(bundle, SimulatedMachine("tests")) == {"guest.environment"}
    evidence = decode_bundle(bundle)
    assert (evidence.cpu_kind, evidence.cpu_chain) == ("sev-snp", SNP.chain)
    assert not decode_guest_claims(evidence.guest_claims).simulated


def test_a_tdx_guest_with_a_whole_board(tmp_path: Path, load: Load, library: Path) -> None:
    platform = SimulatedTdxPlatform(b"tests", SETTINGS)
    load(gpus=8, switches=4, state=PROTECTED_PCIE)
    kernel = Kernel(tmp_path, platform.report, "tdx_guest", auxiliary=None)
    bundle = machine(tmp_path, kernel, library).collect(nonce=NONCE, operator=OPERATOR, **KEYS)
    board = SimulatedMachine("tests", 8, Settings(gpu_mode="protected-pcie"), 4, "tdx")
    assert refused(bundle, board) == {"guest.environment"}
    assert len(decode_bundle(bundle).switches) == 4


def test_switches_are_not_asked_without_protected_pcie(tmp_path: Path, load: Load) -> None:
    load(gpus=8, switches=4)
    kernel = Kernel(tmp_path, SNP.report, auxiliary=WHOLE)
    bundle = machine(tmp_path, kernel, Path("absent")).collect(nonce=NONCE, operator=OPERATOR, **KEYS)
    assert decode_bundle(bundle).switches == ()


@pytest.mark.parametrize(
    "wrong",
    [WHOLE[:40], VCEK.bytes * 2, b"\1" * 24 * 17, table((VCEK.bytes, b"no certificate"))],
    ids=["cut short", "beyond the end", "without an end", "no certificate"],
)
def test_a_table_of_the_host_that_cannot_be_read_is_no_crash(
    tmp_path: Path, load: Load, library: Path, wrong: bytes
) -> None:
    load()
    kernel = Kernel(tmp_path, SNP.report, auxiliary=wrong)
    with pytest.raises(EvidenceUnavailable, match="the host's certificates cannot be read"):
        machine(tmp_path, kernel, library).collect(nonce=NONCE, operator=OPERATOR, **KEYS)


def test_tables_of_hosts_are_read_in_any_order_and_may_be_empty() -> None:
    vcek, ask, ark = SNP.chain
    shuffled = table((ARK.bytes, ark), (VCEK.bytes, vcek), (bytes([7] * 16), b"other"), (ASK.bytes, ask))
    assert snp_certificates.chain_of_table(shuffled) == SNP.chain
    assert snp_certificates.chain_of_table(table((VCEK.bytes, vcek))) == (vcek,)
    assert snp_certificates.chain_of_table(table((ASK.bytes, ask))) == ()
    assert parse_table(b"") == parse_table(bytes(4096)) == {}


@given(st.binary(max_size=600), st.integers(0, len(WHOLE)))
def test_no_table_crashes_the_reader(noise: bytes, at: int) -> None:
    for data in (noise, WHOLE[:at] + noise + WHOLE[at + len(noise) :]):
        with suppress(MalformedEvidence):
            assert all(der in data for der in parse_table(data).values())
