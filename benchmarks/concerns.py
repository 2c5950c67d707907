"""What can be measured, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks import (
    attestation_instructions,
    commands,
    cpu_attestation_instructions,
    devnet_latency,
    instructions,
    marketplace_instructions,
    modules,
    throughput,
)
from benchmarks.canisters import install_programs
from benchmarks.devnet_process import devnet
from benchmarks.figures import Figure, Section
from leasehold.agent import Agent, Identity


def attestation() -> list[Section]:
    """Verification alone, in canisters that do nothing else."""
    measured = {
        "Verification of evidence by itself": attestation_instructions.measure(),
        "Verification of a CPU's evidence by itself": cpu_attestation_instructions.measure(),
    }
    return [
        Section(title, [Figure(name, value * 1e6, "instructions") for name, value in millions.items()])
        for title, millions in measured.items()
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
    "attestation": attestation,
    "devnet": lambda: [local_node()],
    "demo": lambda: [commands.measure_demo()],
    "tests": lambda: [commands.measure_tests()],
}
USUAL: Final = ("modules", "instructions", "marketplace", "attestation", "devnet")
