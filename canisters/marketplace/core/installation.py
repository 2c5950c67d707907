"""Installing the marketplace, and the few switches its governors have afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace

from canisters.marketplace.core import accounts, limits, policies, validate
from canisters.marketplace.core.model import Config
from canisters.marketplace.core.state import State
from canisters.marketplace.core.types import BasisPoints, Message, Principal, Seconds

VETKD_KEY_NAMES = ("key_1", "test_key_1", "dfx_test_key")


@dataclass(frozen=True)
class InitArgs:
    """Arguments of `canister_init`; see marketplace.did."""

    ledger: Principal
    vault: Principal
    governors: tuple[Principal, ...]
    arbiter: Principal
    treasury: Principal
    platform_basis_points: BasisPoints
    vetkd_key_name: str
    allow_simulated: bool
    review_window_s: Seconds


@dataclass(frozen=True)
class Overview:
    """What `status` tells everyone; `held` is what the marketplace owes to all accounts together."""

    config: Config
    rentals: int
    held: int


def install(state: State, message: Message, self_id: Principal, args: InitArgs) -> None:
    """Write the configuration of a new marketplace; raises `InvalidArgument` for one that cannot work."""
    for field in ("ledger", "vault", "arbiter", "treasury"):
        validate.not_anonymous(field, getattr(args, field))
    for at, governor in enumerate(args.governors):
        validate.not_anonymous(f"governors[{at}]", governor)
    validate.number(
        "platform_basis_points", args.platform_basis_points, (0, limits.MAX_PLATFORM_BASIS_POINTS)
    )
    validate.number("review_window_s", args.review_window_s, (1, limits.MAX_REVIEW_WINDOW_S))
    if args.vetkd_key_name not in VETKD_KEY_NAMES:
        problem = f"is not a vetKD key; known are {', '.join(VETKD_KEY_NAMES)}"
        raise validate.refuse("vetkd_key_name", args.vetkd_key_name, problem)
    if args.allow_simulated and args.vetkd_key_name == "key_1":
        problem = "simulated evidence may not unlock keys of the production vetKD key; use test_key_1"
        raise validate.refuse("allow_simulated", True, problem)
    state.configure(
        Config(
            self_id=self_id,
            ledger=args.ledger,
            vault=args.vault,
            governors=args.governors,
            arbiter=args.arbiter,
            treasury=args.treasury,
            platform_basis_points=args.platform_basis_points,
            vetkd_key_name=args.vetkd_key_name,
            allow_simulated=args.allow_simulated,
            review_window_s=args.review_window_s,
            installed_at=message.now,
            paused=False,
            ledger_fee=None,
            vetkd_public_key=None,
        )
    )


def overview(state: State) -> Overview:
    """The public state of the marketplace."""
    return Overview(state.config, state.count("rentals"), -accounts.external_balance(state))


def set_paused(state: State, message: Message, paused: bool) -> None:
    """Stop or resume new business (governors only); exits are never stopped."""
    policies.require_governor(state, message)
    state.configure(replace(state.config, paused=paused))
