"""Switches, and the GPUs and switches of one board: genuine ones fit together, nothing else does."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from attestation import (
    AttestationError,
    ChainInvalid,
    DuplicateDevice,
    Evidence,
    EvidenceInconsistent,
    GpuEvidence,
    MalformedEvidence,
    NonceMismatch,
    SwitchEvidence,
    TopologyInvalid,
    VerifiedLinks,
    decode_bundle,
    encode_bundle,
)
from attestation.nvidia import spdm
from attestation.nvidia.machine import Machine, check_machine_signatures, read_machine
from attestation.nvidia.switch_report import SWITCH_RECORDS, parse_switch_report
from attestation.nvidia.topology import check_topology
from attestation.nvidia.verify import (
    check_signatures,
    read_evidence,
    read_switch_evidence,
)
from attestation.simulator import Settings, SimulatedMachine

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"
NOW_NS = 1_790_000_000 * 1_000_000_000


@pytest.fixture(scope="module")
def board(samples: Samples) -> Machine:
    """The genuine board."""
    gpus, switches = samples.board()
    evidence = Evidence("sev-snp", b"x", (b"x",), gpus, b"{}", b"", b"", switches)
    return read_machine(evidence, gpus[0].report[4:36], NOW_NS)


def test_the_genuine_board_verifies(board: Machine) -> None:
    check_machine_signatures(board, VerifiedLinks())
    assert len(board.gpus) == 8 and len(board.switches) == 4
    assert {switch.chip for switch in board.switches} == {"LS_10"}
    assert {switch.report.vbios for switch in board.switches} == {"96.10.6D.00.01"}
    assert board.switches[0].root_sha256 == board.gpus[0].root_sha256
    assert board.switches[0].report.reference_id == "5612_0002_890_96106D0001"


def test_the_genuine_single_switch_verifies(samples: Samples) -> None:
    evidence = samples.switch()
    switch = read_switch_evidence(evidence, evidence.report[4:36], NOW_NS, "switch[0]")
    check_machine_signatures(Machine((), (switch,)), VerifiedLinks())
    assert switch.device_id == "50203EB31AD9ED0008" and switch.report.vbios == "96.10.55.00.01"


def test_any_device_left_out_of_the_genuine_board_is_missed(board: Machine) -> None:
    for index in range(8):
        with pytest.raises(TopologyInvalid, match="7 GPUs"):
            check_topology(board.gpus[:index] + board.gpus[index + 1 :], board.switches)
    for index in range(4):
        with pytest.raises(TopologyInvalid, match="3 switches"):
            check_topology(board.gpus, board.switches[:index] + board.switches[index + 1 :])
    with pytest.raises(TopologyInvalid, match="0 switches"):
        check_topology(board.gpus, ())
    with pytest.raises(TopologyInvalid, match="no GPU"):
        check_topology((), board.switches)


def test_a_genuine_switch_of_another_board_is_refused(samples: Samples, board: Machine) -> None:
    evidence = samples.switch()
    stranger = read_switch_evidence(evidence, evidence.report[4:36], NOW_NS, "switch[3]")
    with pytest.raises(TopologyInvalid, match="linked but not attested"):
        check_topology(board.gpus, (*board.switches[:3], stranger))


def test_a_device_presented_twice_is_refused(board: Machine) -> None:
    with pytest.raises(DuplicateDevice, match=r"gpu\[7\]"):
        check_topology((*board.gpus[:7], board.gpus[0]), board.switches)
    with pytest.raises(DuplicateDevice, match=r"switch\[3\]"):
        check_topology(board.gpus, (*board.switches[:3], board.switches[1]))


def test_each_direction_of_the_links_is_compared(board: Machine) -> None:
    gpu, switch = board.gpus[5], board.switches[2]
    nowhere: frozenset[bytes] = frozenset()
    for linked in (nowhere, gpu.report.switches - {board.switches[0].report.device}, frozenset([bytes(8)])):
        report = dataclasses.replace(gpu.report, switches=linked)
        gpus = (*board.gpus[:5], dataclasses.replace(gpu, report=report), *board.gpus[6:])
        with pytest.raises(TopologyInvalid, match=r"gpu\[5\]\.links"):
            check_topology(gpus, board.switches)
    for linked in (nowhere, switch.report.gpus | {bytes(8)}):
        changed = dataclasses.replace(switch, report=dataclasses.replace(switch.report, gpus=linked))
        with pytest.raises(TopologyInvalid, match=r"switch\[2\]\.links"):
            check_topology(board.gpus, (*board.switches[:2], changed, board.switches[3]))


def test_genuine_gpus_of_several_modes_are_refused(samples: Samples, board: Machine) -> None:
    blackwell = samples.gpus()["mpt_gb100/test_mpt_data 0"]
    evidence = Evidence("sev-snp", b"x", (b"x",), (blackwell,), b"{}", b"", b"")
    other = read_machine(evidence, blackwell.report[4:36], NOW_NS).gpus
    with pytest.raises(TopologyInvalid, match="several modes: multi-gpu, protected-pcie"):
        check_topology((*board.gpus[:7], *other), board.switches)


def test_genuine_multi_gpu_machines_need_no_switches(samples: Samples) -> None:
    gpus = tuple(gpu for name, gpu in samples.gpus().items() if name.startswith("mpt_gb100"))
    machine = read_machine(
        Evidence("sev-snp", b"x", (b"x",), gpus, b"{}", b"", b""), gpus[0].report[4:36], NOW_NS
    )
    assert len(machine.gpus) == 8 and {gpu.report.mode for gpu in machine.gpus} == {"multi-gpu"}
    assert {(gpu.chip, gpu.firmware_bound) for gpu in machine.gpus} == {("GB100", True)}


# The simulated board, whose parts can be made wrong.
NONCE = bytes(range(32))


def simulated(**settings: object) -> Evidence:
    machine = SimulatedMachine("board", 8, Settings(gpu_mode="protected-pcie", **settings), 4)  # type: ignore[arg-type]
    gpus = tuple(gpu.evidence(NONCE) for gpu in machine.gpus)
    order = machine.settings.switch_order or range(4)
    switches = tuple(machine.switches[index].evidence(NONCE) for index in order)
    key = bytes.fromhex("302a300506032b6570032100") + bytes(32)
    point = bytes.fromhex(
        "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
    )
    return Evidence("sev-snp", b"x", (b"x",), gpus, b"{}", key, point, switches)


@pytest.fixture(scope="module")
def made() -> Evidence:
    return simulated()


def test_a_bundle_with_switches_is_of_version_2_and_comes_back_the_same(made: Evidence) -> None:
    bundle = encode_bundle(made)
    assert bundle[4] == 2 and decode_bundle(bundle) == made
    assert encode_bundle(dataclasses.replace(made, switches=()))[4] == 1
    for wrong in (bundle[:4] + b"\x01" + bundle[5:], bundle[:4] + b"\x03" + bundle[5:]):
        with pytest.raises(MalformedEvidence):
            decode_bundle(wrong)


def test_version_2_without_switches_and_more_than_four_are_refused(made: Evidence) -> None:
    none = encode_bundle(dataclasses.replace(made, switches=()))
    end = len(none) - 48 - 44 - 4 - len(made.guest_claims)
    longer = none[:4] + b"\x02" + (len(none) + 1).to_bytes(4, "big") + none[9:end] + b"\0" + none[end:]
    with pytest.raises(MalformedEvidence, match="without switches"):
        decode_bundle(longer)
    with pytest.raises(MalformedEvidence, match="at most 4"):
        encode_bundle(dataclasses.replace(made, switches=made.switches + made.switches[:1]))


def test_the_simulated_board_verifies(made: Evidence) -> None:
    machine = read_machine(made, NONCE, NOW_NS)
    check_machine_signatures(machine, VerifiedLinks())


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"linked_switches": 3}, r"gpu\[0\]\.links"),
        ({"linked_gpus": 7}, r"switch\[0\]\.links"),
        ({"switch_order": (0, 1, 2)}, "3 switches"),
    ],
)
def test_a_board_that_is_not_whole_is_refused(settings: dict[str, object], match: str) -> None:
    with pytest.raises(TopologyInvalid, match=match):
        read_machine(simulated(**settings), NONCE, NOW_NS)


def switch(made: Evidence, **changes: object) -> SwitchEvidence:
    return dataclasses.replace(made.switches[0], **changes)  # type: ignore[arg-type]


def refused(evidence: SwitchEvidence, error: type[AttestationError], match: str) -> None:
    with pytest.raises(error, match=match):
        read_switch_evidence(evidence, NONCE, NOW_NS, "switch[0]")


def test_a_switch_with_wrong_parts_is_refused(made: Evidence) -> None:
    good = made.switches[0]
    gpu = made.gpus[0]
    refused(switch(made, report=made.switches[1].report), EvidenceInconsistent, "device_id")
    refused(switch(made, chain=gpu.chain), ChainInvalid, "not the name")
    refused(switch(made, report=gpu.report), MalformedEvidence, "records")
    refused(
        SwitchEvidence(good.report[:4] + bytes(32) + good.report[36:], good.chain), NonceMismatch, "nonce"
    )


def test_every_truncation_of_a_switchs_report_is_refused(made: Evidence) -> None:
    report = made.switches[0].report
    for length in range(len(report)):
        with pytest.raises(MalformedEvidence):
            parse_switch_report(report[:length], "report")
    with pytest.raises(MalformedEvidence):
        parse_switch_report(report + b"\0", "report")


def test_switch_fields_of_other_lengths_are_refused(made: Evidence) -> None:
    report = made.switches[0].report
    opaque = spdm.RECORDS + SWITCH_RECORDS * spdm.RECORD_BYTES + 32 + 2
    for old, new in (
        (b"\x06\x00\x0e\x0096.10.55.00.01", b"\x06\x00\x0e\x0096.10.55.00.0g"),
        (b"\x06\x00\x0e\x00", b"\x63\x00\x0e\x00"),
        (b"\x16\x00\x08\x00", b"\x63\x00\x08\x00"),
        (b"\x1a\x00\x80\x00", b"\x63\x00\x80\x00"),
    ):
        assert report.count(old) == 1 and report.index(old) >= opaque
        with pytest.raises(MalformedEvidence):
            parse_switch_report(report.replace(old, new), "report")


@pytest.mark.usefixtures("remembered_signatures")
def test_every_changed_byte_of_the_genuine_gpu_and_switch_is_refused(samples: Samples) -> None:
    """One bit in every 29th byte of reports and certificates, all of them when exhaustive."""
    links, accepted = VerifiedLinks(), []
    gpu, single = samples.gpus()["single H100"], samples.switch()
    roots = {read_one(gpu, gpu.report[4:36], links), read_one(single, single.report[4:36], links)}
    for device in (gpu, single):
        nonce = device.report[4:36]
        parts = [device.report, *device.chain]
        for place, part in enumerate(parts):
            for offset in range(0, len(part), 1 if EXHAUSTIVE else 29):
                for bit in range(8) if EXHAUSTIVE else [offset % 8]:
                    flipped = part[:offset] + bytes((part[offset] ^ 1 << bit,)) + part[offset + 1 :]
                    changed = [*parts[:place], flipped, *parts[place + 1 :]]
                    try:
                        root = read_one(type(device)(changed[0], tuple(changed[1:])), nonce, links)
                    except AttestationError:
                        continue
                    if root in roots:
                        accepted.append((place, offset, bit))
            for length in range(0, len(part), 1 if EXHAUSTIVE else 29):
                changed = [*parts[:place], part[:length], *parts[place + 1 :]]
                with pytest.raises(AttestationError):
                    read_one(type(device)(changed[0], tuple(changed[1:])), nonce, links)
    assert accepted == []


def read_one(device: GpuEvidence | SwitchEvidence, nonce: bytes, links: VerifiedLinks) -> str:
    """Fingerprint of the root of one verified device."""
    if isinstance(device, SwitchEvidence):
        switch = read_switch_evidence(device, nonce, NOW_NS, "switch")
        check_signatures(switch, links, "switch")
        return switch.root_sha256
    gpu = read_evidence(device, nonce, NOW_NS, "gpu")
    check_signatures(gpu, links, "gpu")
    return gpu.root_sha256
