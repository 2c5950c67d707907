"""Names that were given to canisters, besides `<canister-id>.localhost`.

Source: interface specification of `icp-cli-network-launcher` 1.1.0, `--custom-domains-file`: lines of
`domain:principal`. The `icp` command line writes the file anew whenever canisters come and go.
"""

from __future__ import annotations

import logging
from pathlib import Path

from devnet.errors import PrincipalError
from devnet.principal import is_opaque, principal_from_text

log = logging.getLogger(__name__)


class Domains:
    """The names in a file, which is read again whenever it changes. Lines that cannot be used are logged."""

    def __init__(self, file: Path | None) -> None:
        """Args:
        file: need not exist (yet); None: there are no names.
        """
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._names: dict[str, bytes] = {}

    def canister(self, name: str) -> bytes | None:
        """The canister of a host name in lower case, None if it has none."""
        self._refresh()
        return self._names.get(name)

    def _refresh(self) -> None:
        if self._file is None:
            return
        try:
            status = self._file.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                self._names = _parsed(self._file)
                self._seen = seen
        except FileNotFoundError:
            self._names, self._seen = {}, None
        except (OSError, UnicodeDecodeError) as error:
            log.warning("cannot read the custom domains: %s", error)


def _parsed(file: Path) -> dict[str, bytes]:
    names = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not line.strip():
            continue
        name, _, text = line.strip().rpartition(":")
        try:
            canister_id = principal_from_text(text)
        except PrincipalError as error:
            log.warning("%s, line %d: %s", file, number, error)
            continue
        if not name or not is_opaque(canister_id):
            log.warning("%s, line %d: a line is DOMAIN:CANISTER-ID, got %r", file, number, line)
            continue
        names[name.lower()] = canister_id
    return names
