"""Simulated evidence as files, for the commands about evidence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attestation import encode_bundle, encode_collateral
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from leasehold.agent import Principal

NONCE = bytes(range(32))
OPERATOR = Principal.parse("rrkah-fqaaa-aaaaa-aaaaq-cai")
BINDING = ("--nonce", NONCE.hex(), "--operator", str(OPERATOR))
# Within the validity of the development certificates.
NOW_NS = 1_790_000_000 * 10**9
AT = ("--at", str(NOW_NS))
SESSION_PUBLIC_KEY = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
# The generator of BLS12-381 G1.
TRANSPORT_PUBLIC_KEY = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)


@dataclass(frozen=True)
class Files:
    """Writes evidence into `folder`."""

    folder: Path

    def machine(
        self, gpus: int = 1, switches: int = 0, cpu: str = "sev-snp", **settings: Any
    ) -> SimulatedMachine:
        """A machine with these `Settings`."""
        return SimulatedMachine("tests", gpus, Settings(**settings), switches, cpu)

    def bundle(self, machine: SimulatedMachine | None = None, name: str = "bundle") -> Path:
        """What the machine presents."""
        found = (machine or self.machine()).collect(
            NONCE, OPERATOR.raw, SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY
        )
        return self.write(name, encode_bundle(found))

    def collateral(self, machine: SimulatedMachine, name: str = "collateral") -> Path:
        """What the simulated vendors say about it."""
        return self.write(name, encode_collateral(collateral_of(machine, NOW_NS)))

    def write(self, name: str, content: bytes | str) -> Path:
        """Any file."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path
