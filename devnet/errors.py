"""Errors of the development node: one base class, one subclass per failure a caller may handle."""


class DevnetError(Exception):
    """Base of every error that `devnet` raises on purpose."""


class StateFolderError(DevnetError):
    """The state folder cannot be used: unreadable, of another version, or held by another node."""


class PrincipalError(DevnetError, ValueError):
    """Text or bytes that are no principal."""


class CandidError(DevnetError, ValueError):
    """Candid bytes that cannot be decoded as the expected type, or a value that does not fit its type."""
