"""What a subnet's canisters use and used, in total.

Source: IC interface specification, "Subnet information" and `subnet_metrics`, which show the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from devnet.replica.subnet import Subnet


@dataclass(frozen=True)
class SubnetMetrics:
    """Totals of the subnet as it is now; fields as in `subnet_metrics`."""

    num_canisters: int = 0
    canister_state_bytes: int = 0
    consumed_cycles_total: int = 0
    update_transactions_total: int = 0


def measure(subnet: Subnet) -> SubnetMetrics:
    """Add up the canisters."""
    canisters = subnet.canisters.values()
    return SubnetMetrics(
        num_canisters=len(canisters),
        canister_state_bytes=sum(canister.memory_bytes for canister in canisters),
        consumed_cycles_total=subnet.consumed_by_deleted
        + sum(canister.consumed.total for canister in canisters),
        update_transactions_total=subnet.messages_executed,
    )
