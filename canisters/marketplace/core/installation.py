"""Installing the marketplace, and the few switches its governors have afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from canisters.marketplace.core import accounts, governance, governance_log, limits, policies, validate
from canisters.marketplace.core.governance_model import Governance
from canisters.marketplace.core.model import Config
from canisters.marketplace.core.state import State
from canisters.marketplace.core.types import ANONYMOUS, BasisPoints, Message, Principal, Seconds

PRODUCTION_KEY = "key_1"
VETKD_KEY_NAMES = (PRODUCTION_KEY, "test_key_1", "dfx_test_key")
DEFAULT_PLATFORM_BASIS_POINTS = BasisPoints(250)
DEFAULT_REVIEW_WINDOW_S = Seconds(24 * 3_600)


class InitialGovernance(NamedTuple):
    """Who decides at first about what is accepted; see `governance`."""

    proposers: tuple[Principal, ...]
    approvers: tuple[Principal, ...]
    threshold: int
    delay_s: Seconds


@dataclass(frozen=True)
class InitArgs:
    """Arguments of `canister_init`; see marketplace.did. What is None is decided by `completed`."""

    ledger: Principal | None = None
    vault: Principal | None = None
    governors: tuple[Principal, ...] | None = None
    arbiter: Principal | None = None
    treasury: Principal | None = None
    platform_basis_points: BasisPoints | None = None
    vetkd_key_name: str | None = None
    allow_simulated: bool | None = None
    review_window_s: Seconds | None = None
    governance: InitialGovernance | None = None


@dataclass(frozen=True)
class Overview:
    """What `status` tells everyone; `held` is what the marketplace owes to all accounts together."""

    config: Config
    rentals: int
    held: int


def install(
    state: State,
    message: Message,
    self_id: Principal,
    args: InitArgs,
    peers: Mapping[str, Principal | None] | None = None,
) -> None:
    """Write the configuration of a new marketplace; raises `InvalidArgument` for one that cannot work.

    `peers` are the canisters of the same project, by name, as far as the tool that installs has told.
    """
    config = completed(message, self_id, args, peers or {})
    check(config)
    state.configure(config)
    given = args.governance
    rules = governance.initial(config.governors) if given is None else Governance(config.governors, *given)
    governance.establish(state, rules)
    policies.adopt_builtin(state, message)


def upgrade(state: State, message: Message) -> None:
    """What new code adds to what older code kept; nothing that was adopted changes."""
    policies.adopt_builtin(state, message)


def completed(
    message: Message, self_id: Principal, args: InitArgs, peers: Mapping[str, Principal | None]
) -> Config:
    """The configuration that `args` and the defaults make.

    Whoever installs becomes governor, arbiter and treasury. Ledger and vault are the project's own. The rest
    is what a production marketplace has: simulated evidence has to be allowed in so many words. Where it is,
    an anonymous installer makes a marketplace that governs itself, so that nobody does.
    """
    anonymous = bool(args.allow_simulated) and message.caller == ANONYMOUS
    installer = self_id if anonymous else message.caller
    return Config(
        self_id=self_id,
        ledger=args.ledger or _peer("ledger", peers),
        vault=args.vault or _peer("vault", peers),
        governors=(installer,) if args.governors is None else args.governors,
        arbiter=args.arbiter or installer,
        treasury=args.treasury or installer,
        platform_basis_points=(
            DEFAULT_PLATFORM_BASIS_POINTS
            if args.platform_basis_points is None
            else args.platform_basis_points
        ),
        vetkd_key_name=args.vetkd_key_name or PRODUCTION_KEY,
        allow_simulated=bool(args.allow_simulated),
        review_window_s=DEFAULT_REVIEW_WINDOW_S if args.review_window_s is None else args.review_window_s,
        installed_at=message.now,
        paused=False,
        ledger_fee=None,
        vetkd_public_key=None,
    )


def _peer(name: str, peers: Mapping[str, Principal | None]) -> Principal:
    found = peers.get(name)
    if found is None:
        problem = (
            f"is not given, and the canister has no environment variable PUBLIC_CANISTER_ID:{name}: "
            f"install with `icp deploy`, or name the {name} in the install argument"
        )
        raise validate.refuse(name, None, problem)
    return found


def check(args: Config) -> None:
    """Raises `InvalidArgument` for a configuration that cannot work."""
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
    if args.allow_simulated and args.vetkd_key_name == PRODUCTION_KEY:
        problem = "simulated evidence may not unlock keys of the production vetKD key; use test_key_1"
        raise validate.refuse("allow_simulated", True, problem)


def overview(state: State) -> Overview:
    """The public state of the marketplace."""
    return Overview(state.config, state.count("rentals"), -accounts.external_balance(state))


def set_paused(state: State, message: Message, paused: bool) -> None:
    """Stop or resume new business (governors only); exits are never stopped."""
    policies.require_governor(state, message)
    if state.config.paused != paused:
        state.configure(replace(state.config, paused=paused))
        governance_log.append(state, message, "paused" if paused else "resumed", "")
