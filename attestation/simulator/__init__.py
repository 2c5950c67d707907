"""A machine that does not exist, whose evidence is in the genuine formats under a development root.

Off chain only (it signs with `cryptography`), and never imported by the verification core. Everything it
signs says SIMULATED; the keys of its roots are published in `development_keys`, so its evidence proves
nothing and is accepted only by policies marked `simulated`.
"""

from attestation.simulator.collateral import collateral_of
from attestation.simulator.machine import SimulatedMachine
from attestation.simulator.settings import BLACKWELL, Settings

__all__ = ["BLACKWELL", "Settings", "SimulatedMachine", "collateral_of"]
