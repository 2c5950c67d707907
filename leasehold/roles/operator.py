"""Offering machines."""

from collections.abc import Sequence

from leasehold.agent import Principal
from leasehold.errors import UsageError
from leasehold.models import Offer, OfferArgs, new_request_id
from leasehold.network import Client

MIN_BOND_BASIS_POINTS = 3_000


def post_offer(
    client: Client,
    *,
    title: str,
    rate_per_second: int,
    max_duration_s: int,
    hardware: str,
    policies: Sequence[str],
    worker: Principal | None = None,
    bond_basis_points: int = MIN_BOND_BASIS_POINTS,
    request_id: bytes | None = None,
) -> Offer:
    """Post an offer; the bond is taken from the caller's available balance when a rental is claimed.

    Args:
        rate_per_second: in base units.
        worker: identity of the worker daemon; the caller by default.
        request_id: the same value again answers the same offer.

    Raises:
        UsageError: the bond is below what the marketplace accepts.
    """
    if not MIN_BOND_BASIS_POINTS <= bond_basis_points <= 10_000:
        raise UsageError(
            f"a bond has {MIN_BOND_BASIS_POINTS} to 10000 basis points of the compute price, "
            f"got {bond_basis_points}"
        )
    return client.marketplace.post_offer(
        OfferArgs(
            request_id=request_id or new_request_id(),
            title=title,
            rate_per_second=rate_per_second,
            max_duration_s=max_duration_s,
            bond_basis_points=bond_basis_points,
            policies=list(policies),
            hardware=hardware,
            worker=worker or client.principal,
        )
    )


def bond_for(rate_per_second: int, duration_s: int, bond_basis_points: int) -> int:
    """The bond of a rental of this length, in base units."""
    return rate_per_second * duration_s * bond_basis_points // 10_000
