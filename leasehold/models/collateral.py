"""Vendors' statements as the marketplace holds them."""

from leasehold.models.base import Bytes, Model, Sha256, Timestamp


class CollateralKey(Model):
    """What names a piece: its kind (`ocsp`, `rims`, `crls` …) and what it is about."""

    kind: str
    subject: str


class CollateralInfo(Model):
    """A piece that is held. It says itself from when until when it holds."""

    kind: str
    subject: str
    sha256: Sha256
    size: int
    valid_from: Timestamp
    valid_until: Timestamp
    posted_at: Timestamp

    @property
    def key(self) -> CollateralKey:
        """Its name."""
        return CollateralKey(kind=self.kind, subject=self.subject)


class CollateralOutcome(Model):
    """What became of a posted piece: `added`, `replaced`, `unchanged`, or `older` than what is held."""

    piece: str
    kind: str
    subject: str
    sha256: Sha256
    outcome: str


class CollateralPiece(Model):
    """A piece with its content."""

    info: CollateralInfo
    content: Bytes
