"""The same verdict as an independent verifier, on genuine, mutated and simulated TDX evidence.

Where the two differ, this project must be the stricter one, and the reason is named here. By default a stride
of the mutations is tried; LEASEHOLD_EXHAUSTIVE=1 tries every byte.
"""

from __future__ import annotations

import dataclasses
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from attestation import VerifiedLinks
from attestation.simulator import Settings
from attestation.simulator import intel_collateral as intel
from attestation.simulator.development_pki import load_authority
from attestation.simulator.tdx import SimulatedTdxPlatform
from attestation.simulator.tdx_settings import TdxSettings
from tests.attestation.conftest import SAMPLES
from tests.attestation.intel.oracle import (
    NANOSECONDS,
    REFUSED,
    Case,
    exchange_form,
    genuine,
    remembered_signatures,
)

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

pytest.importorskip("dcap_qvl", reason="the independent verifier dcap-qvl is not installed")

EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"
QUOTE_STRIDE, COLLATERAL_STRIDE, SIMULATIONS = (1, 1, 5000) if EXHAUSTIVE else (5, 17, 200)

NOW = 1_790_000_000
UP_TO_DATE_AT = 1_750_329_147
OUTDATED_AT = 1_771_500_000

# Offsets in the genuine quote at which the oracle is laxer: it accepts signature data longer than needed,
# ignores the type of the outer certification data, and in the PEM tolerates other line ends and padding, and
# ignores the root (it has its own copy; this project compares the digest of the root in the policy).
SIGNATURE_DATA_SIZE = range(632, 636)
IGNORED_TYPE = range(764, 766)
PEM_SIZE = 1254


def case(settings: dict[str, Any] | None = None, now: int = NOW, **tdx: Any) -> Case:
    """Simulated evidence with these settings, and what the simulated Intel says at `NOW`."""
    platform = SimulatedTdxPlatform(b"oracle", Settings(tdx=TdxSettings(**tdx), **(settings or {})))
    collateral = exchange_form(platform.collateral(NOW * NANOSECONDS))
    return Case(platform.report(bytes(64)), collateral, now, load_authority("intel_root").der)


@pytest.mark.parametrize(
    ("name", "now", "verdict"),
    [
        ("tdx_quote", UP_TO_DATE_AT, "UpToDate"),
        ("tdx_quote", UP_TO_DATE_AT - 1, REFUSED),
        ("tdx_quote", 1_752_919_234, "UpToDate"),
        ("tdx_quote", 1_752_919_235, REFUSED),
        ("tdx_quote_outdated", OUTDATED_AT, REFUSED),
        ("tdx_quote_outdated", UP_TO_DATE_AT, REFUSED),
    ],
)
@pytest.mark.usefixtures("samples")
def test_genuine_samples(name: str, now: int, verdict: str) -> None:
    sample = genuine(SAMPLES, name, now)
    assert sample.ours() == sample.theirs() == verdict


def test_mutated_quotes(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    del samples
    good, links = genuine(SAMPLES, "tdx_quote", UP_TO_DATE_AT), VerifiedLinks()
    differing = set()
    with remembered_signatures(monkeypatch):
        for at in range(0, len(good.quote), QUOTE_STRIDE):
            flipped = good.quote[at] ^ 1 << at // QUOTE_STRIDE % 8
            mutated = good.quote[:at] + bytes((flipped,)) + good.quote[at + 1 :]
            attempt = dataclasses.replace(good, quote=mutated)
            ours = attempt.ours(links)
            assert ours == REFUSED, f"accepted with byte {at} changed"
            if attempt.theirs() != ours:
                differing.add(at)
    assert {at for at in differing if at < PEM_SIZE} <= {*SIGNATURE_DATA_SIZE, *IGNORED_TYPE}


def test_truncated_quotes(samples: Samples) -> None:
    del samples
    good, links = genuine(SAMPLES, "tdx_quote", UP_TO_DATE_AT), VerifiedLinks()
    end = len(good.quote.rstrip(b"\x00")) + 1
    for length in range(0, len(good.quote) + 1, QUOTE_STRIDE):
        attempt = dataclasses.replace(good, quote=good.quote[:length])
        # Only zeros after the signature data may be missing.
        assert attempt.ours(links) == attempt.theirs() == ("UpToDate" if length >= end else REFUSED)


def test_mutated_collateral(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    del samples
    good, links = genuine(SAMPLES, "tdx_quote", UP_TO_DATE_AT), VerifiedLinks()
    chains = ("tcb_info_issuer_chain", "qe_identity_issuer_chain")
    with remembered_signatures(monkeypatch):
        for name in ("root_ca_crl", "pck_crl", "tcb_info", "tcb_info_signature", "qe_identity",
                     "qe_identity_signature", chains[0]):  # fmt: skip
            text = good.collateral[name]
            end_of_leaf = text.find("-----END") if name in chains else len(text)
            for at in range(0, len(text), COLLATERAL_STRIDE):
                changed = chr(ord(text[at]) ^ 1 << at // COLLATERAL_STRIDE % 7)
                mutated = text[:at] + changed + text[at + 1 :]
                fields = dict.fromkeys(chains, mutated) if name in chains else {name: mutated}
                attempt = dataclasses.replace(good, collateral={**good.collateral, **fields})
                ours, theirs = attempt.ours(links), attempt.theirs()
                # Neither verifier needs what follows the leaf: both have the root from elsewhere.
                if at < end_of_leaf:
                    # Hex digits of either case mean the same.
                    same = changed.lower() == text[at].lower() and name.endswith(("crl", "signature"))
                    assert ours == ("UpToDate" if same else REFUSED), (name, at)
                    # The oracle tolerates other line ends in PEM.
                    assert ours == theirs or (name in chains and text[at] == "\n"), (name, at)


FAULTS: dict[str, dict[str, Any]] = {
    "version 5": {"version": 5},
    "body of TDX 1.5": {"version": 5, "body_1_5": True},
    "bound to a service TD": {"version": 5, "body_1_5": True, "service_td": b"\1" * 48},
    "exceptions by the host": {"attributes": 0},
    "migratable": {"attributes": 1 << 28 | 1 << 29},
    "untrusted, bit 1": {"attributes": 1 << 28 | 2},
    "untrusted, bit 7": {"attributes": 1 << 28 | 0x80},
    "LASS": {"attributes": 1 << 28 | 1 << 27},
    "PKS and KL": {"attributes": 1 << 28 | 3 << 30},
    "PERFMON": {"attributes": 1 << 28 | 1 << 63},
    "reserved bit 8": {"attributes": 1 << 28 | 1 << 8},
    "reserved bit 26": {"attributes": 1 << 28 | 1 << 26},
    "reserved bit 32": {"attributes": 1 << 28 | 1 << 32},
    "module by another signer": {"module_signer": b"\1" * 48},
    "module with attributes": {"module_attributes": b"\1" * 8},
    "module of the first generation": {"tee_tcb_svn": (6, 0, 3) + (0,) * 13},
    "module of generation 3": {"tee_tcb_svn": (3, 3, 3) + (0,) * 13},
    "module of an unknown generation": {"tee_tcb_svn": (3, 2, 3) + (0,) * 13},
    "module that is outdated": {"tee_tcb_svn": (3, 1, 3) + (0,) * 13},
    "module below all levels": {"tee_tcb_svn": (1, 1, 3) + (0,) * 13},
    "no modules listed": {"tcb_info": {"tdxModuleIdentities": []}},
    "enclave with other MISCSELECT": {"qe_misc_select": 1},
    "enclave with asked MISCSELECT": {"qe_misc_select": 1, "qe_identity": {"miscselect": "01000000"}},
    "enclave that is debugged": {"qe_attributes": bytes.fromhex("17" + "00" * 15)},
    "enclave with masked attributes": {"qe_attributes": bytes.fromhex("150000000000000007" + "00" * 7)},
    "enclave by another signer": {"qe_signer": bytes(32)},
    "another enclave": {"qe_product": 1},
    "enclave that is outdated": {"qe_security_version": 3},
    "enclave below all levels": {"qe_security_version": 1},
    "enclave for another key": {"qe_report_data": bytes(64)},
    "PCK revoked": {"revoked": ("pck",)},
    "PCK CA revoked": {"revoked": ("pck_ca",)},
    "TCB signer revoked": {"revoked": ("tcb_signing",)},
    "platform that is outdated": {"pce_svn": 7},
    "platform below all levels": {"pce_svn": 4},
    "platform component too old": {"components": (1, 3, 2, 2, 4, 1, 0, 5) + (0,) * 8},
    "another FMSPC": {"tcb_info": {"fmspc": "00906ED50000"}},
    "TCB info of SGX": {"tcb_info": {"id": "SGX"}},
    "TCB info of version 2": {"tcb_info": {"version": 2}},
    "identity of another enclave": {"qe_identity": {"id": "QE"}},
    "identity of version 1": {"qe_identity": {"version": 1}},
    "expired": {"statement_life_s": 1800},
    "from the future": {"statement_age_s": -10},
    "just issued": {"statement_age_s": 0},
    "unknown status": {"tcb_info": {"tcbLevels": [intel.tcb_level((0,), 0, (0,), "Fine")]}},
    "revoked status": {"tcb_info": {"tcbLevels": [intel.tcb_level((0,), 0, (0,), "Revoked")]}},
    "no levels": {"tcb_info": {"tcbLevels": []}},
    "revoked enclave": {"qe_identity": {"tcbLevels": [intel.security_version(1, "Revoked")]}},
    "evaluations differ": {"qe_identity": {"tcbEvaluationDataNumber": 16}},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_simulated_faults(fault: str) -> None:
    attempt = case(**FAULTS[fault])
    assert attempt.ours() == attempt.theirs()


@pytest.mark.parametrize("settings", [{"debug": True}, {"migratable": True}])
def test_guests_open_to_their_host(settings: dict[str, Any]) -> None:
    attempt = case(settings)
    assert attempt.ours() == attempt.theirs() == REFUSED


@pytest.mark.parametrize(
    "tdx",
    [
        # Attribute 62 makes a TD a provisioning agent for TDX Connect: no worker is one.
        {"attributes": 1 << 28 | 1 << 62},
        # Intel says which PCE a TCB info is for, and what kind of levels it holds.
        {"tcb_info": {"pceId": "0001"}},
        {"tcb_info": {"tcbType": 1}},
    ],
)
def test_where_this_project_is_stricter(tdx: dict[str, Any]) -> None:
    attempt = case(**tdx)
    assert (attempt.ours(), attempt.theirs()) == (REFUSED, "UpToDate")


def test_random_platforms_and_levels() -> None:
    source = random.Random(7)
    verdicts = set()
    for _ in range(SIMULATIONS):
        attempt = case(**random_settings(source))
        ours = attempt.ours()
        assert ours == attempt.theirs()
        verdicts.add(ours)
    assert len(verdicts) >= 6


def random_settings(source: random.Random) -> dict[str, Any]:
    """A platform near the levels of its vendor's statements, which are in any order and of any status."""
    platform = (3, 3, 2, 2, 4, 1, 0, 5)
    platform_statuses = intel_statuses(source, everything=True)
    levels = [
        intel.tcb_level(
            near(platform, source),
            source.choice((11, 12, 13)),
            (source.choice((0, 5, 6)), source.choice((0, 0, 1)), source.choice((2, 3))),
            source.choice(platform_statuses),
        )
        for _ in range(source.randint(1, 5))
    ]
    module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
    modules = [
        {"id": identifier, **module, "tcbLevels": random_parts(source)} for identifier in ("TDX_03", "TDX_01")
    ]
    return {
        "version": source.choice((4, 5)),
        "tcb_info": {"tcbLevels": levels, "tdxModuleIdentities": modules},
        "qe_identity": {"tcbLevels": random_parts(source)},
        "tee_tcb_svn": (source.choice((4, 5, 6)), source.choice((0, 1, 1, 3)), 3) + (0,) * 13,
        "components": near(platform, source) + (0,) * 8,
        "pce_svn": source.choice((12, 13)),
    }


def random_parts(source: random.Random) -> list[dict[str, Any]]:
    """Levels of an enclave or module."""
    statuses = intel_statuses(source, everything=False)
    versions = [source.choice((1, 2, 3, 4, 5)) for _ in range(source.randint(1, 3))]
    return [intel.security_version(version, source.choice(statuses)) for version in versions]


def intel_statuses(source: random.Random, everything: bool) -> list[str]:
    """Statuses to choose from, good ones more often."""
    good = ["UpToDate"] * 3
    if not everything:
        return [*good, "OutOfDate", *(["Revoked"] if source.random() < 0.1 else [])]
    configuration = ["ConfigurationNeeded", "SWHardeningNeeded", "ConfigurationAndSWHardeningNeeded"]
    return [*good, *configuration, "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"]


def near(components: tuple[int, ...], source: random.Random) -> tuple[int, ...]:
    """The same, now and then with one more or less."""
    return tuple(max(0, svn + source.choice((-1, *(0,) * 20, 1))) for svn in components)
