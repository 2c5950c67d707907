"""What can go wrong with sealed files and archives."""

from leasehold.errors import LeaseholdError


class SealingError(LeaseholdError):
    """A sealed file cannot be opened, or is not the file that was promised."""


class PackingError(LeaseholdError):
    """A folder or archive contains something that must not travel."""
