"""Runs a canister's Python source on this machine, for fast tests of its endpoints."""

from .simulator import Simulator
from .system import PendingCall, Rejected, System, Trapped

__all__ = ["PendingCall", "Rejected", "Simulator", "System", "Trapped"]
