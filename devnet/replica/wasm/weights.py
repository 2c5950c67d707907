"""What the Internet Computer counts for each WebAssembly instruction; for all others it counts 1.

Source: the replica's `instruction_to_cost` (embedders crate, September 2026); opcodes from the WebAssembly
core specification 3.0, "Binary Format", "Instructions".
"""

from __future__ import annotations

FREE = (0x00, 0x01, 0x0F, 0x1A)
"""`unreachable`, `nop`, `return` and `drop` take no fuel, but weigh 1."""

LOADS_AND_STORES = range(0x28, 0x3F)
WIDE_ACCESS = 2
"""Weight of a load or store in a memory with 64-bit addresses."""

WEIGHTS: dict[int, int] = {opcode: 1 for opcode in FREE} | {
    0x04: 2,  # if
    0x0C: 2,  # br
    0x0D: 2,  # br_if
    0x0E: 2,  # br_table
    0x10: 5,  # call
    0x11: 10,  # call_indirect
    0x12: 3,  # return_call
    0x13: 60,  # return_call_indirect
    0x23: 2,  # global.get
    0x24: 2,  # global.set
    0x25: 5,  # table.get
    0x26: 5,  # table.set
    0x3F: 20,  # memory.size
    0x40: 300,  # memory.grow
    0xD1: 5,  # ref.is_null
    0xD2: 130,  # ref.func
}
WEIGHTS |= dict.fromkeys((*range(0x6D, 0x71), *range(0x7F, 0x83)), 10)  # integer division and remainder
WEIGHTS |= dict.fromkeys(range(0x5B, 0x67), 3)  # float comparisons
WEIGHTS |= dict.fromkeys((*range(0x8D, 0x91), *range(0x9B, 0x9F)), 2)  # ceil, floor, trunc, nearest
WEIGHTS |= dict.fromkeys((*range(0x92, 0x95), *range(0xA0, 0xA3)), 2)  # float add, sub, mul
WEIGHTS |= {0x91: 5, 0x9F: 8, 0x95: 3, 0xA3: 5, 0x98: 2, 0xA6: 3}  # sqrt, div, copysign
WEIGHTS |= dict.fromkeys((0x96, 0x97, 0xA4, 0xA5), 18)  # float min and max
WEIGHTS |= dict.fromkeys((*range(0xA8, 0xAC), *range(0xAE, 0xB2)), 20)  # float to integer
WEIGHTS |= dict.fromkeys((0xB2, 0xB4, 0xB7, 0xB9), 3)  # signed integer to float
WEIGHTS |= dict.fromkeys((0xB3, 0xB5, 0xB8, 0xBA), 16)  # unsigned integer to float

_BULK_WEIGHT = 100
PREFIXED = {
    **dict.fromkeys(range(8), (0, 20)),  # saturating float to integer
    0x08: (2, _BULK_WEIGHT),  # memory.init
    0x09: (1, 300),  # data.drop
    0x0A: (2, _BULK_WEIGHT),  # memory.copy
    0x0B: (1, _BULK_WEIGHT),  # memory.fill
    0x0C: (2, _BULK_WEIGHT),  # table.init
    0x0D: (1, 300),  # elem.drop
    0x0E: (2, _BULK_WEIGHT),  # table.copy
    0x0F: (1, 300),  # table.grow
    0x10: (1, 100),  # table.size
    0x11: (1, _BULK_WEIGHT),  # table.fill
}
"""Instructions behind 0xFC: how many numbers follow, and the weight."""

SIMD_WEIGHTS = {
    **dict.fromkeys((0x0D, 0x62, 0x6B, 0x6C, 0x7F), 3),
    **dict.fromkeys((0x6D, 0x7D, 0x8B, 0x8C, 0x8D, 0x9D, 0x9F, 0xAB, 0xAC, 0xAD, 0xB5, 0xCB, 0xCD), 2),
    **dict.fromkeys((0x26, 0x28, 0x30, 0x32, 0x3A, 0x3C, *range(0xBC, 0xC0)), 2),
    **dict.fromkeys((0x67, 0x68, 0x69, 0x6A, 0x74, 0x75, 0x7A, 0x94, 0xE0, 0xE1, 0xE4, 0xE5, 0xE6), 2),
    **dict.fromkeys((0xEC, 0xED, 0xF0, 0xF1, 0xF2, 0xF8, 0xFC), 2),
    0xCC: 3,
    0xD5: 4,
    0xE3: 5,
    0xE7: 10,
    0xE8: 4,
    0xE9: 4,
    0xEF: 14,
    0xF3: 12,
    0xF4: 4,
    0xF5: 5,
    0xF9: 4,
    0xFB: 4,
    0xFD: 3,
}
"""Instructions behind 0xFD that weigh more than 1."""
