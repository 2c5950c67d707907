"""The marketplace with a stop-watch in it: where the instructions of a message go.

Functions of the marketplace and of the library are replaced by ones that note what they take, here only: the
marketplace that is deployed has no marks. What a marked function calls that is marked too counts there.
What the marks themselves take is measured with marked functions that do nothing, and subtracted.
"""

# mypy: ignore-errors

import json

import _ic0
import _stable
from kybra import methods, query, text

from canisters.marketplace import convert, main
from canisters.marketplace.core import validate
from canisters.marketplace.core.storage import Table

spent = {}
marks_made = {}  # (part, part of the caller) to number
running = []
since = [0]
REST = "core"


def mark(part, function):
    """`function`, whose instructions are added to `part`."""

    def marked(*args, **kwargs):
        now = _ic0.performance_counter(0)
        caller = running[-1] if running else None
        if caller is not None:
            spent[caller] = spent.get(caller, 0) + now - since[0]
        marks_made[part, caller] = marks_made.get((part, caller), 0) + 1
        running.append(part)
        since[0] = _ic0.performance_counter(0)
        try:
            return function(*args, **kwargs)
        finally:
            now = _ic0.performance_counter(0)
            running.pop()
            spent[part] = spent.get(part, 0) + now - since[0]
            since[0] = _ic0.performance_counter(0)

    return marked


def mark_all(owner, part, names):
    for name in names:
        setattr(owner, name, mark(part, getattr(owner, name)))


class Codec:
    """A table's codec with marks."""

    def __init__(self, codec):
        self.encode = mark("records", codec.encode)
        self.decode = mark("records", codec.decode)


def calibrated():
    """What a mark adds to the marked part, and to the part that calls it."""

    def nothing():
        return None

    marked, times = mark("inner", nothing), range(100)
    spent.clear()
    mark("outer", lambda: [marked() for _ in times])()
    start = _ic0.performance_counter(0)
    [nothing() for _ in times]
    plain = (_ic0.performance_counter(0) - start) // len(times)
    return max(0, spent["inner"] // len(times) - plain), max(0, spent["outer"] // len(times) - plain)


def without_marks():
    """Of `spent`, less what the marks took."""
    found = dict(spent)
    own, of_caller = calibrated()
    for (part, caller), number in marks_made.items():
        if part in found:
            found[part] -= number * own
        if caller in found:
            found[caller] -= number * of_caller
    return found


def prepared(prepare):
    def prepare_and_mark(method):
        prepare(method)
        method.decode = mark("decode", method.decode)
        method.encode = mark("encode", method.encode)
        if method.name in ("create_rental", "get_rental"):
            method.function = mark(REST, method.function)

    return prepare_and_mark


def run(method_run):
    def run_and_tell(method):
        spent.clear()
        marks_made.clear()
        del running[:]
        method_run(method)
        if method.name in ("create_rental", "get_rental"):
            found = without_marks()
            last.clear()
            last.update(found)

    return run_and_tell


last = {}
mark_all(convert, "decode", ["rental_args"])
mark_all(convert, "encode", ["rental"])
mark_all(validate, "authorise", ["signed_in", "not_paused"])
mark_all(main, "authorise", ["message_now"])
mark_all(main.rentals, "authorise", ["visible"])
mark_all(_stable, "maps", ["get", "put", "remove", "contains", "items", "keys", "length"])
for table in vars(main.state).values():
    if isinstance(table, Table):
        table._codec = Codec(table._codec)
methods.Method.prepare = prepared(methods.Method.prepare)
methods.Method.run = run(methods.Method.run)
methods.METHODS["get_rental"].kind = "update"  # a query could not keep what it noted


@query
def marks() -> text:
    """What the parts of the last marked message took, as JSON."""
    return json.dumps(last)
