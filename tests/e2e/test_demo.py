"""`leasehold demo` as a person runs it: the real model, the real dataset, its JSON report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_tells_the_whole_story_and_leaves_nothing_running(tmp_path: Path) -> None:
    report_file = tmp_path / "report.json"
    command = [
        sys.executable,
        "-m",
        "leasehold",
        "demo",
        "--json",
        str(report_file),
        "--folder",
        str(tmp_path / "d"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(report_file.read_text())
    assert report["statuses"] == ["queued", "attesting", "running", "settling", "succeeded"]
    assert report["accuracy_after"] > report["accuracy_before"] + 0.4
    assert report["loss_after"] < report["loss_before"] / 2
    assert sum(int(amount) for amount in report["amounts"].values()) == 0
    assert report["attestation"]["simulated"] is True
    assert set(report["canisters"]) == {"ledger", "vault", "marketplace"}
    assert all(len(one["module_sha256"]) == 64 for one in report["canisters"].values())
    assert len(report["seconds"]) == 8
    assert "SIMULATED" in done.stdout
    status = subprocess.run(
        [
            sys.executable,
            "-m",
            "devnet",
            "status",
            "--json",
            "--state",
            str(tmp_path / "d" / ".leasehold" / "devnet"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(status.stdout)["running"] is False
