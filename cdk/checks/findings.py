"""What a check found."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLACE = re.compile(r"^(?P<file>[^\s:]+\.(?:py|did)):(?P<line>\d+): (?P<problem>.*)$", re.DOTALL)


@dataclass(frozen=True, order=True)
class Finding:
    """A problem and its place: a file relative to the project's root, a line from 1 (0: all of it)."""

    file: str
    line: int
    who: str
    problem: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.who}: {self.problem}"

    def as_json(self) -> dict[str, str | int]:
        """For `--json`."""
        return {"file": self.file, "line": self.line, "who": self.who, "problem": self.problem}


def from_message(message: str, file: str, who: str = "cdk") -> Finding:
    """The finding that an error's text makes; `file` where the text begins with no place."""
    match = _PLACE.match(message)
    if match is None:
        return Finding(file, 0, who, message)
    return Finding(match["file"], int(match["line"]), who, match["problem"])
