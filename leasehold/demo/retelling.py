"""A rental's log and the book, put into words and sums."""

from collections import defaultdict

from leasehold.models import Event, Movement
from leasehold.network import Client


def all_pages_of_events(client: Client, rental: int) -> list[tuple[str, str]]:
    """(from, to) of every event of a rental."""
    found: list[tuple[str, str]] = []
    while page := client.marketplace.rental_events(rental, len(found)):
        found += [(event.from_status, event.to_status) for event in page]
    return found


def described(event: Event) -> str:
    """An event as one line: what happened, and the change of status if there was one."""
    what = event.kind.replace("_", " ")
    return what if event.from_status == event.to_status else f"{what}: rental is {event.to_status}"


def statuses(transitions: list[tuple[str, str]]) -> list[str]:
    """The statuses a rental had, in order."""
    seen: list[str] = []
    for _, status in transitions:
        if status and (not seen or seen[-1] != status):
            seen.append(status)
    return seen


def net_changes(movements: list[Movement]) -> dict[str, int]:
    """Each account's change over `movements`, in order of appearance."""
    changes: dict[str, int] = defaultdict(int)
    for movement in movements:
        changes[movement.from_account] -= movement.amount
        changes[movement.to_account] += movement.amount
    return dict(changes)


def readable(account: str, names: dict[str, str]) -> str:
    """`available/<principal>` with the player's name for the principal."""
    kind, _, owner = account.partition("/")
    return f"{kind}/{names.get(owner, owner)}" if owner else kind
