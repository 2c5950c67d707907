"""One test per finding of the adversarial review of the worker: each failed before its fix."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leasehold.errors import EvidenceRefused, InvalidArgument
from leasehold.models import Rental
from tee_worker import attempt as attempt_module
from tee_worker.attempt import RunningAttempt, failure_reason
from tee_worker.errors import DatasetRefused, ModelRefused, TrainingFailed
from tee_worker.evidence import SimulatedProvider
from tee_worker.supervisor import MAX_TRIES, RETRY_AFTER_S, Supervisor
from tee_worker.trainer import __main__ as trainer
from tee_worker.trainer.model_folder import check_model_folder
from tee_worker.trainer.rows import read_rows
from tests.leasehold.story import Story
from tests.leasehold.world import World

SECRET = "Jane Doe, born 1970"


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story.open(World(tmp_path))


class Daemon:
    """A supervisor whose clock moves when it sleeps, and that stops after some seconds."""

    def __init__(self, story: Story, folder: Path, seconds: float) -> None:
        self.now, self.ends, self.said = 0.0, seconds, list[str]()
        self.story = story
        self.supervisor = Supervisor(
            story.operator,
            story.offer.id,
            SimulatedProvider("test machine"),
            folder,
            tell=self.said.append,
            should_stop=lambda: self.now >= self.ends,
            sleep=self.sleep,
            clock=lambda: self.now,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.story.world.advance(seconds)


def status(story: Story, rental: Rental) -> Rental:
    return story.renter.marketplace.get_rental(rental.id)


def running_as(monkeypatch: pytest.MonkeyPatch, run: Callable[[RunningAttempt], Any]) -> None:
    monkeypatch.setattr(RunningAttempt, "run", run)


# --- The daemon ---


def test_an_error_of_no_kind_of_ours_does_not_end_the_daemon(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: a full disk, or a file system's refusal of a hostile archive, ended the daemon with the model in
    clear on disk, and its operator was slashed for the silence.
    """
    rental = story.rent()

    def run(self: RunningAttempt) -> None:
        (self.folder / "model.safetensors").write_bytes(b"clear")
        raise OSError(28, f"No space left on device {SECRET}")

    running_as(monkeypatch, run)
    daemon = Daemon(story, tmp_path / "work", 5)
    assert daemon.supervisor.serve() == 0
    assert not list((tmp_path / "work").rglob("*"))
    after = status(story, rental)
    assert (after.status, after.reason) == ("queued", "OSError")
    assert SECRET not in " ".join(daemon.said)


def test_a_rental_that_always_fails_does_not_keep_the_worker_from_others(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: a worker never looked past a rental it had handed back once, and the marketplace always named
    the oldest: one malformed dataset, at no cost, kept it idle for the whole queue timeout.
    """
    bad, good = story.rent(), story.rent()
    tried: list[int] = []

    def run(self: RunningAttempt) -> None:
        tried.append(self.rental)
        if self.rental == bad.id:
            raise DatasetRefused("malformed at line 3")

    running_as(monkeypatch, run)
    assert Daemon(story, tmp_path / "work", 12 * RETRY_AFTER_S).supervisor.serve() > 0
    assert status(story, bad).status == "queued"  # for others: it is no longer named to this operator
    assert tried.count(bad.id) == MAX_TRIES
    assert good.id in tried


def test_a_rental_whose_evidence_was_refused_does_not_keep_the_worker_from_others(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: after one refusal the worker never claimed that rental again, and the marketplace went on naming
    it: the worker was idle until somebody else took it.
    """
    bad, good = story.rent(), story.rent()
    tried: list[int] = []

    def run(self: RunningAttempt) -> None:
        tried.append(self.rental)
        if self.rental == bad.id:
            self.client.marketplace.return_rental(bad.id, "ends the attempt, as refused evidence does")
            raise EvidenceRefused({"kind": "PolicyRefused", "message": "not accepted", "claims": ()})

    running_as(monkeypatch, run)
    assert Daemon(story, tmp_path / "work", 4 * RETRY_AFTER_S).supervisor.serve() > 0
    assert tried.count(bad.id) == 2  # no longer named to this operator after that
    assert good.id in tried


def test_a_claim_that_was_refused_once_is_tried_again(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: a rental whose bond was not covered for a moment was never claimed again."""
    rental = story.rent()
    claim = story.operator.marketplace.claim_rental
    details = {"field": "offer", "value": "0", "problem": "not now"}
    refusals = iter([InvalidArgument("claim_rental", "InvalidArgument", details)])

    def claim_rental(offer: int, wanted: int) -> Any:
        for refusal in refusals:
            raise refusal
        return claim(offer, wanted)

    monkeypatch.setattr(story.operator.marketplace, "claim_rental", claim_rental)
    running_as(monkeypatch, lambda self: None)
    daemon = Daemon(story, tmp_path / "work", 2 * RETRY_AFTER_S)
    assert daemon.supervisor.serve(once=True) == 1
    assert status(story, rental).status == "attesting"


def test_uploads_of_the_worker_are_heard_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found: a result that took two minutes to upload was lost with its rental, for nothing was heard."""
    heard: list[str] = []
    running = RunningAttempt.__new__(RunningAttempt)
    running.session, running.folder = None, tmp_path  # type: ignore[assignment]
    monkeypatch.setattr(RunningAttempt, "heartbeat", lambda self: heard.append("heartbeat"))

    def upload(client: Any, source: Path, item: Any, work: Path, progress: Any = None) -> None:
        progress(1, 2)

    monkeypatch.setattr(attempt_module, "seal_and_upload", upload)
    running._seal_and_upload(tmp_path / "adapter.tar", None)  # type: ignore[arg-type]
    assert heard == ["heartbeat"]


def test_a_trainer_ends_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    """Found: the trainer of a killed daemon went on, beside the one that the restarted daemon began."""
    command = [sys.executable, "-m", "tee_worker.trainer", str(tmp_path / "job.json"), trainer.WITH_PARENT]
    os.mkfifo(tmp_path / "job.json")  # nobody writes to it: reading the job would take for ever
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == trainer.EXIT_ORPHANED


# --- What leaves the TEE ---


def test_a_refused_dataset_is_explained_without_its_content(tmp_path: Path) -> None:
    """Found: field names and labels of private rows stood in the reason, which is public to the rental's
    parties and passes through the operator's log.
    """
    rows: list[dict[str, Any]] = [{"text": "a", "label": "b"}, {"text": "a", "label": "b", SECRET: 1}]
    path = tmp_path / "private.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DatasetRefused, match=r"private\.jsonl: malformed at line 2$"):
        read_rows([path], split="train", task="text-classification")
    rows = [{"text": "a", "label": "b"}, {"text": "a", "label": "c"}]
    rows.append({"text": "a", "label": SECRET, "split": "test"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DatasetRefused, match=r"malformed at line 3$"):
        read_rows([path], split="train", task="text-classification")


def test_an_unexpected_error_of_the_trainer_is_told_by_its_kind_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: the text of whatever a library raised, rows included, went to the operator and into the log."""

    def train(*_: Any) -> None:
        raise ValueError(f"cannot encode {SECRET!r}")

    output = io.StringIO()
    job = {"model": "m", "datasets": ["d"], "output": "o", "checkpoints": "c", "hyperparameters": {}}
    (tmp_path / "job.json").write_text(json.dumps(job))
    monkeypatch.setattr("tee_worker.trainer.recipe.train", train)
    for name, result in (("dup", 1), ("dup2", 1), ("fdopen", output)):
        monkeypatch.setattr(os, name, lambda *_, result=result, **__: result)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(ValueError, match="Jane"):
        trainer.main(["trainer", str(tmp_path / "job.json")])
    told = json.loads(output.getvalue())
    assert told == {"event": "failed", "reason": "training_failed", "message": "ValueError"}


def test_a_reason_is_one_printable_line() -> None:
    """Found: control characters and lone surrogates reached terminals, and could not be sent."""
    reason = failure_reason(TrainingFailed("a\x1b[2J\nb\ud800"))
    assert reason == "training_failed: a [2J b"


# --- Models ---


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("adapter_config.json", {"base_model_name_or_path": "/elsewhere"}, "adapter_config.json"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["x/y--t.T", None]}}, "remote code"),
        ("config.json", {"model_type": "x", "text_config": {"auto_map": {}}}, "remote code"),
        ("config.json", {"model_type": "x", "attn_implementation": "some/kernel"}, "kernel to download"),
        ("config.json", {"model_type": "x", "a": [{"_attn_implementation": "some/kernel:f"}]}, "kernel"),
    ],
)
def test_a_model_folder_that_leads_elsewhere_is_refused(
    tmp_path: Path, name: str, content: dict[str, Any], problem: str
) -> None:
    """Found: only auto_map at the top of config.json was looked for; an adapter_config.json made the library
    load its base model from any path.
    """
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(ModelRefused, match=problem):
        check_model_folder(tmp_path)
