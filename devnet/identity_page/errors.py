"""Errors of the identity page; each is answered with status 400 and its text."""

from devnet.errors import DevnetError


class IdentityError(DevnetError, ValueError):
    """A name, origin, key, lifetime or target that the identity page does not take."""
