"""Renting: quote, create, follow, and download the result."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leasehold.artifacts import fetch_and_open
from leasehold.errors import JobFailedError, TimedOutError, UsageError
from leasehold.models import (
    Event,
    Hyperparameters,
    Item,
    ProgressPoint,
    Rental,
    RentalArgs,
    new_request_id,
)
from leasehold.network import DEFAULT_FOLDER, Client
from leasehold.sealing import unpack_archive
from leasehold.vault import ProgressCallback

WORK = DEFAULT_FOLDER / "work"
FIRST_PAUSE_S = 0.25
MAX_PAUSE_S = 2.0
_PAGE = 100
MAX_TOKENS = 1 << 96
"""The largest amount the marketplace takes."""


@dataclass(frozen=True)
class Update:
    """What is new about a rental.

    Args:
        rental: as it is now.
        events, progress: new ones since the last update.
    """

    rental: Rental
    events: tuple[Event, ...]
    progress: tuple[ProgressPoint, ...]


def rental_args(
    *,
    listing: str,
    datasets: Sequence[str],
    hyperparameters: Hyperparameters,
    policy: str,
    max_rate_per_second: int,
    max_duration_s: int,
    max_price: int | None = None,
    queue_timeout_s: int = 3600,
    request_id: bytes | None = None,
) -> RentalArgs:
    """What `create_rental` needs. The same one sent again, after a doubtful failure, is done once.

    Args:
        max_price: in base units; without it, take it from a quote before creating (`priced`).
    """
    if not datasets:
        raise UsageError("a rental needs a dataset to train on")
    return RentalArgs(
        request_id=request_id or new_request_id(),
        listing=listing,
        datasets=list(datasets),
        hyperparameters=hyperparameters,
        policy=policy,
        max_rate_per_second=max_rate_per_second,
        max_duration_s=max_duration_s,
        max_price=MAX_TOKENS if max_price is None else max_price,
        queue_timeout_s=queue_timeout_s,
    )


def follow(
    client: Client,
    rental: int,
    *,
    until: Callable[[Rental], bool] = lambda rental: rental.is_over,
    timeout_s: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Update]:
    """Yield what is new about a rental until it is over.

    Args:
        until: when to stop; after the update for which it holds.
        timeout_s: give up after this long.

    Raises:
        TimedOutError
    """
    started = clock()
    events = progress = 0
    pause = FIRST_PAUSE_S
    while True:
        # The rental first: what is read after it is at least as new, so the last update lacks nothing.
        current = client.marketplace.get_rental(rental)
        new_events = client.marketplace.rental_events(rental, events, _PAGE)
        new_progress = client.marketplace.rental_progress(rental, progress, 1000)
        events += len(new_events)
        progress += len(new_progress)
        if new_events or new_progress:
            yield Update(current, tuple(new_events), tuple(new_progress))
            pause = FIRST_PAUSE_S
        elif until(current):
            return
        else:
            if timeout_s is not None and clock() - started >= timeout_s:
                raise TimedOutError(f"rental {rental} is still {current.status!r} after {timeout_s:.0f} s")
            sleep(pause)
            pause = min(pause * 1.5, MAX_PAUSE_S)


def ensure_succeeded(rental: Rental) -> None:
    """Check that a rental has brought a result.

    Raises:
        JobFailedError: it ended otherwise; with the reason.
    """
    if rental.is_over and rental.status != "succeeded":
        raise JobFailedError(
            f"rental {rental.id} ended {rental.status!r}: {rental.reason or 'no reason given'}"
        )


def download_result(
    client: Client, rental: Rental, folder: Path, work: Path = WORK, progress: ProgressCallback | None = None
) -> tuple[str, ...]:
    """Download and open the adapter of a succeeded rental.

    Args:
        folder: is made; receives the adapter's files.
        work: a folder for files on the way.

    Returns:
        names of the adapter's files.

    Raises:
        JobFailedError, UsageError: there is no result.
    """
    # Whoever could name another result could have the renter open an adapter of their own making.
    rental = client.marketplace.certified_rental(rental.id)
    ensure_succeeded(rental)
    if rental.result is None or rental.status != "succeeded":
        raise UsageError(
            f"rental {rental.id} is {rental.status!r}; its result can be opened once it is succeeded"
            + (", so accept it first" if rental.status == "settling" else "")
        )
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; choose another folder")
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    archive = work / f"result-{rental.id}.tar"
    item = Item.result(rental.id)
    fetch_and_open(client, rental.result, item, archive, work, progress=progress)
    try:
        return unpack_archive(archive, folder, "adapter")
    finally:
        archive.unlink()
