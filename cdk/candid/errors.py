"""What the Candid codec raises."""

from __future__ import annotations


class Error(Exception):
    """Base of every error that the in-canister library raises."""


class CandidError(Error):
    """A value or a message does not fit its Candid type.

    `path` names the place inside the value, outermost first, for example `("args", "to", "owner")`.
    """

    def __init__(self, problem: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path

    def within(self, step: str) -> CandidError:
        """The same error seen from the value that contains this one in `step`."""
        return CandidError(self.problem, (step, *self.path))

    def __str__(self) -> str:
        if not self.path:
            return self.problem
        return f"{'.'.join(self.path)}: {self.problem}"
