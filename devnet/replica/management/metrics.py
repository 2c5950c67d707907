"""Management methods that tell what canisters consumed, and about the subnet as a whole.

Source: IC interface specification, `canister_metrics` to `list_canisters`. The subnet is this one node: it
has no blocks, so its rounds of execution stand for them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from devnet.principal import principal_text
from devnet.replica import rejects
from devnet.replica.management import interface
from devnet.replica.management.methods import Callers, method
from devnet.replica.subnet_metrics import measure

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall

REGISTRY_VERSION = 1


@method(interface.CANISTER, interface.CANISTER_METRICS, Callers.CONTROLLERS, query=True)
def canister_metrics(management: Management, call: ManagementCall, argument: Any) -> Any:
    return {"cycles_consumed": vars(call.canister.consumed)}


@method(interface.SUBNET, interface.SUBNET_METRICS, Callers.CANISTERS, subject="")
def subnet_metrics(management: Management, call: ManagementCall, argument: Any) -> Any:
    _check_own(management, argument)
    subnet = management.subnet
    return {"block_height": subnet.rounds, **vars(measure(subnet))}


@method(interface.NODE_METRICS_ARGS, interface.NODE_METRICS, Callers.CANISTERS, subject="")
def node_metrics_history(management: Management, call: ManagementCall, argument: Any) -> Any:
    """One sample, made now."""
    _check_own(management, argument)
    now = management.subnet.now()
    if now < argument["start_at_timestamp_nanos"]:
        return []
    node = {
        "node_id": management.node_id,
        "num_blocks_proposed_total": management.subnet.rounds,
        "num_block_failures_total": 0,
    }
    return [{"timestamp_nanos": now, "node_metrics": [node]}]


@method(interface.SUBNET, interface.SUBNET_INFO, Callers.CANISTERS, subject="")
def subnet_info(management: Management, call: ManagementCall, argument: Any) -> Any:
    _check_own(management, argument)
    return {"replica_version": _software(), "registry_version": REGISTRY_VERSION}


@method(None, interface.CANISTER_RANGES, Callers.ANYONE, subject="", query=True, update=False)
def list_canisters(management: Management, call: ManagementCall, argument: Any) -> Any:
    """Whoever asks counts as an admin of this subnet."""
    return {"canisters": _ranges(sorted(management.subnet.canisters))}


def _ranges(identifiers: list[bytes]) -> list[dict[str, bytes]]:
    """Sorted ids as inclusive ranges of consecutive ones."""
    ranges: list[dict[str, bytes]] = []
    for identifier in identifiers:
        if ranges and _number(identifier) == _number(ranges[-1]["end"]) + 1:
            ranges[-1]["end"] = identifier
        else:
            ranges.append({"start": identifier, "end": identifier})
    return ranges


def _number(identifier: bytes) -> int:
    """A canister id's place in the order of ids: its first 8 bytes."""
    return int.from_bytes(identifier[:8], "big")


def _check_own(management: Management, argument: Any) -> None:
    if argument["subnet_id"] != management.subnet_id:
        raise rejects.canister_rejected(
            f"There is no subnet {principal_text(argument['subnet_id'])}: "
            f"this network has only {principal_text(management.subnet_id)}."
        )


def _software() -> str:
    try:
        return f"leasehold-devnet {version('leasehold')}"
    except PackageNotFoundError:
        return "leasehold-devnet"
