"""Anybody's part in attestation: hand the marketplace what vendors say."""

from attestation import Collateral, Evidence, encode_collateral
from attestation.collateral_needs import posting_batches, with_issuers
from leasehold.marketplace import Marketplace
from leasehold.models import CollateralInfo, CollateralKey, CollateralOutcome


def post(
    marketplace: Marketplace, collateral: Collateral, evidence: Evidence | None = None
) -> list[CollateralOutcome]:
    """Post all pieces, in as many calls as it takes, with the certificates of who signed them.

    Args:
        evidence: whose chains hold further certificates of authorities.

    Raises:
        CollateralRefused: a piece is not what it should be; those of earlier calls are kept.
        AttestationError: a manifest cannot be read.
    """
    return [
        outcome
        for batch in posting_batches(with_issuers(collateral, evidence))
        for outcome in marketplace.post_collateral(encode_collateral(batch))
    ]


def held(marketplace: Marketplace) -> list[CollateralInfo]:
    """Every piece that the marketplace holds."""
    found: list[CollateralInfo] = []
    after: CollateralKey | None = None
    while page := marketplace.collateral(after):
        found += page
        after = page[-1].key
    return found
