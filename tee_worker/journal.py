"""What a restarted worker must know to go on: the rental it holds and the keys of its attempt.

One JSON file in the work folder, which lies inside the guest (encrypted memory or tmpfs): the session and
transport keys are in it and never leave the TEE. Replaced atomically, mode 0600.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Attempt(BaseModel):
    """One claimed rental and the keys made for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    offer: int
    rental: int
    session_seed: bytes
    transport_secret: bytes


class Journal:
    """The journal file of one work folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "attempt.json"

    def read(self) -> Attempt | None:
        """The attempt under way, or None."""
        try:
            return Attempt.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, attempt: Attempt) -> None:
        """Record `attempt` durably before anything is done in its name."""
        staging = self.path.with_suffix(".writing")
        descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(attempt.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        staging.replace(self.path)

    def clear(self) -> None:
        """Forget the attempt; its keys are gone with it."""
        self.path.unlink(missing_ok=True)
