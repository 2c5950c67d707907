"""What can be measured, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks import (
    attestation_instructions,
    attestation_signatures,
    commands,
    cpu_attestation_instructions,
    devnet_latency,
    instructions,
    marketplace_instructions,
    message_parts,
    modules,
    startup,
    throughput,
)
from benchmarks.canisters import install_programs
from benchmarks.devnet_process import devnet
from benchmarks.figures import Section
from leasehold.agent import Agent, Identity


def attestation() -> list[Section]:
    """Verification alone: in canisters that do nothing else, and off chain."""
    return [
        Section("One signature, inside a canister", attestation_signatures.measure()),
        Section("Verification of evidence by itself", attestation_instructions.measure()),
        Section("Verification of a CPU's evidence by itself", cpu_attestation_instructions.measure()),
        Section("Verification of evidence off chain", attestation_signatures.measure_off_chain()),
    ]


def local_node() -> Section:
    """Latency and throughput of the local node."""
    with devnet() as node, Agent(node.url, Identity.generate(), bytes.fromhex(node.root_key)) as agent:
        canister = install_programs(agent)
        figures = [*devnet_latency.measure(canister), *throughput.measure(canister)]
        figures += devnet_latency.measure_marketplace(agent)
    return Section("Local node with a state folder, through HTTP", figures)


ALL: Final[Mapping[str, Callable[[], list[Section]]]] = {
    "modules": lambda: [modules.measure()],
    "instructions": instructions.measure,
    "marketplace": lambda: [marketplace_instructions.measure()],
    "parts": message_parts.measure,
    "attestation": attestation,
    "devnet": lambda: [local_node()],
    "startup": lambda: [Section("Start of the local node", startup.measure())],
    "demo": lambda: [commands.measure_demo()],
    "tests": lambda: [commands.measure_tests()],
}
USUAL: Final = ("modules", "instructions", "marketplace", "parts", "attestation", "devnet", "startup")
