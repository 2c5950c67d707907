"""A node's state folder: what is in it, who may use it, and how to empty it.

A running node holds a lock on the folder for as long as it lives, however it ends.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from devnet.errors import DevnetError, StateFolderError

STATUS_FILE: Final = "status.json"
LOCK_FILE: Final = "lock"
LOG_FILE: Final = "node.log"
CLOCK_FILE: Final = "clock.json"
SEED_FILE: Final = "node_seed"
ROOT_KEY_FILE: Final = "root_key.der"
IDENTITIES_FILE: Final = "identities.json"
REPLICA_FOLDER: Final = "replica"
DOMAINS_FILE: Final = "custom-domains.txt"

# What makes a network; without its keys the rest is of no use, so they go last.
_NETWORK: Final = (CLOCK_FILE, IDENTITIES_FILE, STATUS_FILE, LOG_FILE, ROOT_KEY_FILE, SEED_FILE)
_LOCK_ATTEMPTS: Final = 5
_POLL_S: Final = 0.05


class AlreadyRunning(DevnetError):
    """Another process runs a node on this state folder."""


def reset(folder: Path) -> bool:
    """Forget keys, canisters, identities and time; False if there was nothing to forget.

    Files of the user's own, such as the custom domains, stay.

    Raises:
        AlreadyRunning: a node runs on the folder.
        StateFolderError: something cannot be deleted.
    """
    if not folder.exists():
        return False
    with lock(folder):
        existed = (folder / SEED_FILE).exists() or (folder / REPLICA_FOLDER).exists()
        try:
            if (folder / REPLICA_FOLDER).exists():
                shutil.rmtree(folder / REPLICA_FOLDER)
            for name in _NETWORK:
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise StateFolderError(f"cannot forget what is in {folder}: {error}") from error
    return existed


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when the process ends.

    Raises:
        AlreadyRunning: another process holds it.
        StateFolderError: the folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / LOCK_FILE, "a")
    except OSError as error:
        raise StateFolderError(f"cannot use the state folder {folder}: {error}") from error
    with file:
        if not _try_lock(file):
            raise AlreadyRunning(f"a node already runs on the state folder {folder}; stop it first")
        yield


def is_locked(folder: Path) -> bool:
    """Whether a node runs on the folder."""
    try:
        with open(folder / LOCK_FILE) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except BlockingIOError:
        return True
    return False


def _try_lock(file: IO[str]) -> bool:
    """Try a few times, since whoever looks for a running node holds the lock for a moment."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_S)
        else:
            return True
    return False
