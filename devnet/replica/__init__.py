"""Executes canister Wasm modules: system API, messages, management canister, state."""

from devnet.replica.api import (
    CanisterView,
    Clock,
    Ingress,
    IngressState,
    IngressStatus,
    Limits,
    Query,
    Reject,
    RejectCode,
    ThresholdKeys,
)
from devnet.replica.replica import Replica

__all__ = [
    "CanisterView",
    "Clock",
    "Ingress",
    "IngressState",
    "IngressStatus",
    "Limits",
    "Query",
    "Reject",
    "RejectCode",
    "Replica",
    "ThresholdKeys",
]
