"""The canisters' `.did` files, from the installed package or from the source tree."""

from functools import lru_cache
from pathlib import Path

from leasehold.agent import Interface
from leasehold.errors import ConfigurationError

CANISTERS = ("ledger", "vault", "marketplace")

_PACKAGE = Path(__file__).parent


@lru_cache(maxsize=8)
def load_interface(name: str) -> Interface:
    """The interface of one of our canisters, or of the `management` canister.

    Raises:
        ConfigurationError: its `.did` file is not installed.
    """
    # An installed package carries copies made from canisters/ when it was built.
    places = (_PACKAGE / "did" / f"{name}.did", _PACKAGE.parent / "canisters" / name / f"{name}.did")
    for place in places:
        if place.is_file():
            return Interface.parse(place.read_text())
    raise ConfigurationError(f"the interface of {name!r} is missing; looked at {places[0]} and {places[1]}")
