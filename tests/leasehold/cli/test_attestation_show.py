import hashlib
import json
from itertools import pairwise
from pathlib import Path

import pytest

from attestation.intel.quote import HEADER_BYTES
from leasehold.evidence import snp_fields
from leasehold.evidence.fields import flags, printed
from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_every_part_is_named_and_none_is_called_verified(shell: Shell, files: Files) -> None:
    machine = files.machine(8, 4, gpu_mode="protected-pcie")
    bundle = files.bundle(machine)
    found = json.loads(shell.run("attestation", "show", bundle, "--json").stdout)
    assert (found["verified"], found["simulated"], found["problems"]) == (False, True, {})
    sections = found["sections"]
    parts = ["cpu", *(f"gpu[{index}]" for index in range(8)), *(f"switch[{index}]" for index in range(4))]
    for part in parts:
        chain = 3 if part == "cpu" else 5
        names = [name for name in sections if name == part or name.startswith(f"{part}.chain")]
        assert len(names) == 1 + chain
    assert sections["bundle"]["sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert sections["cpu"]["measurement"] == machine.settings.measurement
    assert sections["cpu"]["guest policy"].endswith(f"ABI {_abi(bundle)}")
    assert sections["gpu[3]"]["driver"] == machine.settings.driver
    assert sections["gpu[3]"]["protected pcie"] == "on"
    assert len([field for field in sections["gpu[3]"] if field.startswith("measurement ")]) == 64
    assert len([field for field in sections["switch[3]"] if field.startswith("measurement ")]) == 31
    assert sections["gpu[3].chain[4]"]["same bytes as"] == "a development root: SIMULATED"
    assert sections["guest"]["environment"] == "SIMULATED"


def _abi(bundle: Path) -> str:
    policy = bundle.read_bytes()[14 + 8 :][:2]
    return f"{policy[1]}.{policy[0]}"


def test_people_get_the_same_with_a_warning(shell: Shell, files: Files) -> None:
    result = shell.run("attestation", "show", files.bundle())
    assert result.stderr.startswith("NOT VERIFIED")
    assert "SIMULATED" in result.stderr
    for text in ("chip id", "report data", "gpu[0].chain[1]", "vbios", "committed tcb", "valid "):
        assert text in result.stdout


def test_a_tdx_quote_is_shown_with_its_chain(shell: Shell, files: Files) -> None:
    found = json.loads(
        shell.run("attestation", "show", files.bundle(files.machine(cpu="tdx")), "--json").stdout
    )
    cpu = found["sections"]["cpu"]
    assert {"mrtd", "rtmr0", "rtmr3", "mrseam", "td attributes", "quoting enclave mrsigner"} <= set(cpu)
    assert "PCK Certificate" in found["sections"]["cpu.chain[0]"]["subject"]


def test_a_part_that_cannot_be_read_does_not_hide_the_others(shell: Shell, files: Files) -> None:
    bundle = files.bundle()
    data = bytearray(bundle.read_bytes())
    # The SEV-SNP report's version, its first byte: after the header, the kind and the length.
    data[14] = 99
    result = shell.run("attestation", "show", files.write("wrong", bytes(data)), "--json", code=5)
    found = json.loads(result.stdout)
    assert "version 99" in found["problems"]["cpu"]
    assert found["sections"]["gpu[0]"]["mode"] == "single-gpu"
    quote = bytearray(files.bundle(files.machine(cpu="tdx")).read_bytes())
    quote[14 + HEADER_BYTES + 123] |= 0x02  # a reserved attribute
    result = shell.run("attestation", "show", files.write("wrong", bytes(quote)), code=5)
    assert "cpu.chain" in result.stdout
    assert result.stderr.splitlines()[-1] == "error: cannot be read: cpu, cpu.chain"


@pytest.mark.parametrize("content", [b"", b"LHEV\x01", b"x" * 300_000])
def test_what_is_no_bundle_is_refused(shell: Shell, files: Files, content: bytes) -> None:
    text = shell.run("attestation", "show", files.write("rubbish", content), code=5).stderr
    assert text.startswith("error: ") and text.count("\n") == 1


def test_the_layout_of_a_report_leaves_out_only_reserved_bytes() -> None:
    tables = (snp_fields.LAYOUT, snp_fields.LAYOUT_SINCE_3, snp_fields.LAYOUT_SINCE_5)
    spans = sorted((at, at + size) for table in tables for _, at, size, _ in table)
    gaps = [(end, at) for (_, end), (at, _) in pairwise(spans) if end != at]
    assert spans[0][0] == 0 and spans[-1][1] == 0x208
    assert gaps == [(0x4C, 0x50), (0x18B, 0x1A0), (0x1EB, 0x1EC), (0x1EF, 0x1F0)]


def test_bits_and_texts_are_written_out() -> None:
    assert flags(0b101, {0: "zero"}) == "0x5: zero, bit 2"
    assert flags(0, {0: "zero"}) == "0x0: none"
    assert printed(b"AB\0\0") == "AB"
    assert printed(b"\x01") == "01"
