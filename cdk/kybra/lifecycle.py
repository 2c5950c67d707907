"""The end of a canister's import, and the dispatcher that the runtime calls for every message."""

from __future__ import annotations

from . import methods, service, stable, tasks, timers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def finish() -> None:
    """Resolve every annotation of the imported canister; DefinitionError when one is wrong.

    The library's own services are left until they are used: most canisters call few of their methods.
    """
    methods.prepare_all()
    for declared in service.DECLARED:
        if not declared.function.__module__.startswith("kybra."):
            declared.warm()
    for map in stable.MAPS.values():
        map.prepare()


def entry_points() -> list[tuple[str, Callable[[], None]]]:
    """Exported method names (`canister_update transfer`) and code; positions are the dispatcher's indexes."""
    named = sorted(methods.METHODS.items())
    entries = [(f"canister_{method.kind} {name}", method.run) for name, method in named]
    return [*entries, (f"canister_update {timers.RUN_METHOD}", _run_timer)]


def _run_timer() -> None:
    methods.current = None
    timers.run_timer()


def dispatcher(report: Callable[[Exception], None] | None = None) -> Callable[[str, int], None]:
    """What the runtime calls as `dispatch(event, index)`, for the canister imported before.

    `report` is given what the canister did not handle; without it that is raised.
    """
    finish()
    run = [code for _, code in entry_points()]
    events: dict[str, Callable[[int], Any]] = {
        "reply": tasks.on_reply,
        "reject": tasks.on_reject,
        "cleanup": tasks.on_cleanup,
        "global_timer": lambda _: timers.on_global_timer(),
    }

    def handle(event: str, index: int) -> None:
        methods.current = None
        if event in events:
            events[event](index)
        elif event in methods.HOOKED:
            methods.HOOKED[event].run()

    def dispatch(event: str, index: int) -> None:
        try:
            if event == "method":
                run[index]()
            else:
                handle(event, index)
        except Exception as error:
            if report is None:
                raise
            report(error)

    return dispatch
