"""From where a system call may be made.

Letters as in the interface specification's "Overview of imports"; `*` is everything but the start function.
"""

from __future__ import annotations

from enum import IntFlag


class Mode(IntFlag):
    """The kind of entry point that is running."""

    s = 1
    I = 2  # noqa: E741 (the specification's letter)
    G = 4
    U = 8
    RQ = 16
    NRQ = 32
    TQ = 64
    CQ = 128
    Ry = 256
    Rt = 512
    CRy = 1024
    CRt = 2048
    C = 4096
    CC = 8192
    F = 16384
    T = 32768


EVERYWHERE = Mode(0xFFFF & ~Mode.s)

REPLICATED = Mode.s | Mode.I | Mode.G | Mode.U | Mode.RQ | Mode.Ry | Mode.Rt | Mode.C | Mode.T

MODE_NAMES = {
    Mode.s: "start",
    Mode.I: "init",
    Mode.G: "pre upgrade",
    Mode.U: "update",
    Mode.RQ: "replicated query",
    Mode.NRQ: "non-replicated query",
    Mode.TQ: "transform",
    Mode.CQ: "composite query",
    Mode.Ry: "reply callback",
    Mode.Rt: "reject callback",
    Mode.CRy: "composite query reply callback",
    Mode.CRt: "composite query reject callback",
    Mode.C: "cleanup",
    Mode.CC: "composite query cleanup",
    Mode.F: "inspect message",
    Mode.T: "system task",
}


def parse_modes(text: str) -> Mode:
    """Modes written as in the specification, e.g. `"U CQ Ry Rt"` or `"* s"`."""
    modes = Mode(0)
    for word in text.split():
        modes |= EVERYWHERE if word == "*" else Mode[word]
    return modes
