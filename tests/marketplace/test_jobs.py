"""What an attested session reports: progress, checkpoints, the result; bounds and heartbeats."""

from dataclasses import replace
from typing import Any

import pytest

from canisters.marketplace.core import jobs, limits, views
from canisters.marketplace.core.errors import InvalidArgument, InvalidState
from canisters.marketplace.core.model import Progress
from canisters.marketplace.core.types import Seconds, Status
from tests.marketplace.world import SECOND, WORKER, World, artifact

POINT = Progress(step=1, total_steps=10, epoch=0.1, loss=0.7, eval_loss=None, eval_accuracy=None)


def refused(call: Any, *args: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        call(*args)
    return caught.value


def test_progress_is_kept_in_order_and_read_in_pages(world: World) -> None:
    rental = world.running()
    for step in range(5):
        world.heartbeat(rental, replace(POINT, step=step), replace(POINT, step=step, eval_loss=0.5))
    points = jobs.progress_page(world.state, rental, 0, 100)
    assert [point.progress.step for point in points] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert jobs.progress_page(world.state, rental, 8, 100) == points[8:]
    assert jobs.progress_page(world.state, rental, 2, 3) == points[2:5]
    assert jobs.progress_page(world.state, rental + 1, 0, 100) == []


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("step", 11),
        ("loss", float("nan")),
        ("loss", float("inf")),
        ("epoch", float("-inf")),
        ("eval_loss", float("nan")),
        ("eval_accuracy", 1e13),
    ],
)
def test_progress_numbers_are_finite_and_in_range(world: World, field: str, bad: float) -> None:
    rental = world.running()
    before = world.snapshot()
    problem = refused(world.heartbeat, rental, POINT, replace(POINT, **{field: bad}))
    assert problem.field == f"progress[1].{field}"
    assert world.snapshot() == before


def test_a_batch_of_progress_is_bounded(world: World) -> None:
    rental = world.running()
    world.heartbeat(rental, *[POINT] * limits.MAX_PROGRESS_BATCH)
    assert refused(world.heartbeat, rental, *[POINT] * (limits.MAX_PROGRESS_BATCH + 1)).field == "progress"


def test_a_full_progress_log_still_takes_heartbeats(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PROGRESS_POINTS", 3)
    rental = world.running()
    world.heartbeat(rental, POINT, POINT, POINT)
    assert "empty list" in refused(world.heartbeat, rental, POINT).problem
    world.later(100)
    assert world.heartbeat(rental).deadline == world.now + 120 * SECOND


def test_heartbeats_do_not_fill_the_log(world: World) -> None:
    rental = world.running()
    events = world.rental(rental).events
    assert world.heartbeat(rental, POINT).events == events
    assert world.checkpoint(rental).events == events + 1


def test_the_heartbeat_deadline_is_never_after_the_end_of_the_duration(world: World) -> None:
    rental = world.running(max_duration_s=Seconds(150))
    world.later(100)
    assert world.heartbeat(rental).deadline == world.now + 50 * SECOND
    world.later(50)
    world.reap()
    over = world.rental(rental)
    assert over.status is Status.FAILED
    assert over.reason == "no result within 150 s of compute"


def test_a_checkpoint_sent_twice_counts_once(world: World) -> None:
    rental = world.running()
    world.later(10)
    checkpoint = artifact("same")
    for _ in range(2):
        world.do(jobs.submit_checkpoint, world.session(rental), rental, checkpoint)
    assert world.rental(rental).checkpoints == 1


def test_checkpoints_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CHECKPOINTS", 1)
    rental = world.running()
    world.checkpoint(rental)
    assert "less often" in refused(world.checkpoint, rental).problem


def test_a_result_sent_twice_is_answered_twice_and_another_is_not_taken(world: World) -> None:
    rental = world.running()
    first = world.finish(rental)
    world.later(5)
    assert world.finish(rental) == first
    with pytest.raises(InvalidState):
        world.do(jobs.submit_result, world.session(rental), rental, artifact("other"), "{}")


@pytest.mark.parametrize(
    "metrics", ["", "[]", "1", "{", '"text"', "{}" + " " * limits.MAX_METRICS_BYTES, "[" * 10_000]
)
def test_metrics_are_one_bounded_json_object(world: World, metrics: str) -> None:
    rental = world.running()
    call = (jobs.submit_result, world.session(rental), rental, artifact("adapter"), metrics)
    assert refused(world.do, *call).field == "metrics"
    assert world.rental(rental).status is Status.RUNNING


def test_metrics_at_their_bound_are_taken(world: World) -> None:
    rental = world.running()
    metrics = "{}" + " " * (limits.MAX_METRICS_BYTES - 2)
    world.do(jobs.submit_result, world.session(rental), rental, artifact("adapter"), metrics)


def test_a_job_tells_the_worker_all_it_needs(world: World) -> None:
    rental = world.create().id
    job = views.job_view(world.claim(rental))
    assert job.listing == world.listing
    assert job.datasets == (world.dataset,)
    assert job.deadline == world.now + 600 * SECOND
    assert (job.max_duration_s, job.checkpoint) == (1_000, None)


def test_a_resumed_job_has_the_time_that_is_left_and_the_checkpoint(world: World) -> None:
    rental = world.running()
    world.work(rental, 300)
    saved = world.checkpoint(rental).checkpoint
    world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    job = views.job_view(world.claim(rental))
    assert (job.max_duration_s, job.checkpoint) == (700, saved)
    world.attest(rental)
    attempt = world.rental(rental).attempt
    assert attempt is not None and attempt.ends_at == world.now + 700 * SECOND


def test_a_rental_whose_time_is_used_up_by_checkpoints_does_not_queue_again(world: World) -> None:
    rental = world.running(max_duration_s=Seconds(100))
    world.later(99.5)
    world.checkpoint(rental)
    world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    assert world.rental(rental).status is Status.FAILED
