"""Identities of the person at the command line: PEM files in a folder only they can read."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from leasehold.agent import Identity
from leasehold.errors import ConfigurationError

HOME_VARIABLE = "LEASEHOLD_HOME"
IDENTITY_VARIABLE = "LEASEHOLD_IDENTITY"
DEFAULT_NAME = "default"
ANONYMOUS = "anonymous"
MAX_PEM_BYTES = 10_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """The configuration folder: `$LEASEHOLD_HOME`, or `leasehold` in the XDG configuration folder."""
    if chosen := environment.get(HOME_VARIABLE):
        return Path(chosen)
    base = environment.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "leasehold"


class IdentityStore:
    """Named identities, each an unencrypted PEM file of mode 0600.

    Args:
        folder: made when the first identity is stored.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "identities"

    def names(self) -> list[str]:
        """Names of the stored identities, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.pem"))

    def load(self, name: str) -> Identity:
        """A stored identity; `anonymous` is always there.

        Raises:
            ConfigurationError: there is none of that name, or others could read its key.
            IdentityError: its file is no key.
        """
        if name == ANONYMOUS:
            return Identity.ANONYMOUS
        path = self._path(name)
        if not path.is_file():
            hint = f"make it with `leasehold identity new {name}`"
            raise ConfigurationError(f"there is no identity {name!r}; {hint}")
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigurationError(f"others can read the key file {path}; run `chmod 600 {path}`")
        return Identity.from_pem(path.read_bytes())

    def save(self, name: str, identity: Identity) -> Path:
        """Store an identity under a new name.

        Raises:
            ConfigurationError: the name is taken or malformed.
        """
        path = self._path(name)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise ConfigurationError(f"there is an identity {name!r} already; choose another name") from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(identity.to_pem())
        return path

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name == ANONYMOUS:
            raise ConfigurationError(
                f"{name!r} cannot name an identity; use up to 64 letters, digits, '-', '_' and '.'"
            )
        return self.folder / f"{name}.pem"


def read_pem(path: Path) -> Identity:
    """The identity in a PEM file, such as `icp identity export NAME` prints.

    Raises:
        ConfigurationError: it cannot be read.
        IdentityError: it is no key.
    """
    try:
        with path.open("rb") as file:
            pem = file.read(MAX_PEM_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if len(pem) > MAX_PEM_BYTES:
        raise ConfigurationError(f"{path} is too large for a key file")
    return Identity.from_pem(pem)
