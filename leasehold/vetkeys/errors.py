"""What can go wrong with vetKeys."""

from leasehold.errors import LeaseholdError


class VetKeyError(LeaseholdError):
    """A key or ciphertext is malformed, belongs to something else, or was tampered with."""
