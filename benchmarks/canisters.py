"""The modules that are measured: ours, and a canister of small programs that measures itself."""

from __future__ import annotations

from pathlib import Path

from cdk.build import build
from leasehold.agent import Agent, Canister, Interface
from leasehold.management import Management

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = "benchmarks/programs"
OUR_CANISTERS = ("ledger", "vault", "marketplace")


def install_programs(agent: Agent) -> Canister:
    """Install the measuring canister on the agent's network."""
    built = build(PROGRAMS, ROOT)
    management = Management(agent)
    canister = management.create()
    management.install(canister, built.packed)
    return agent.canister(canister, Interface.parse(built.did))
