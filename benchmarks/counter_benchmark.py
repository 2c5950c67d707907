"""Python programs in a canister, beside what another CPython canister kit publishes of the same programs.

Published: README of github.com/smart-social-contracts/basilisk (0.16), measured on PocketIC; its programs are
in `benchmarks/counter/`. Ours are in `benchmarks/programs/` and compute the same; the local node counts with
the network's weights, as PocketIC does. `noop` and `increment` are left out: what they count is not said.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figures import Figure, Section
from leasehold.agent import Canister


@dataclass(frozen=True)
class Program:
    """A program: its method, its name, the published instructions, and the part of them that is our goal."""

    method: str
    name: str
    published: int
    share: float = 1.0


THIRD_LESS = 2 / 3
PROGRAMS = (
    Program("run_loop", "fib(25) in a loop", 36_553),
    Program("run_fib", "fib(20), recursive", 29_617_193),
    Program("run_ackermann", "ackermann(3, 6)", 284_158_839),
    Program("run_sum", "sum of 1 to 10,000 in a loop", 12_767_523, THIRD_LESS),
    Program("run_dict", "500 dict inserts and reads", 3_407_101, THIRD_LESS),
    Program("run_list", "500 list appends and a sort", 602_711),
    Program("run_strings", "100 string appends", 275_375),
)


def measure(canister: Canister) -> Section:
    """Every program; the goal is the published figure, or two thirds of it."""
    figures = []
    for program in PROGRAMS:
        goal = program.published * program.share
        note = f"published {program.published:,}"
        figures.append(Figure(program.name, canister.call(program.method), "instructions", goal, note=note))
    return Section("Python programs in a canister", figures)
