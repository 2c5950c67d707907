"""Base model against adapter, scored in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from leasehold.errors import JobFailedError


def score(model: Path, dataset: Path, adapter: Path) -> dict[str, dict[str, Any]]:
    """Base model and adapter on the test lines, in a process of its own (torch stays out of this one)."""
    command = [sys.executable, "-m", "tee_worker.trainer.evaluate", str(model), str(dataset)]
    done = subprocess.run(
        [*command, "--adapter", str(adapter)],
        capture_output=True,
        text=True,
        check=False,
        env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
    )
    if done.returncode != 0:
        raise JobFailedError(f"the evaluation failed:\n{done.stderr[-2000:]}")
    scores: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return scores
