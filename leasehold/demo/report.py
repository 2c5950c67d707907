"""What a demo run found, as one JSON object."""

from pydantic import BaseModel, ConfigDict


class CanisterReport(BaseModel):
    """A deployed module."""

    model_config = ConfigDict(frozen=True)

    canister_id: str
    module_sha256: str
    module_bytes: int


class DemoReport(BaseModel):
    """What the story measured; amounts are decimal strings in base units of the token.

    `amounts` is each account's change in the marketplace's book over the whole run (`external` is the
    ledger's side), `amounts_sum` their sum, which double entry makes zero.
    """

    simulated: bool = True
    rental: int | None = None
    statuses: list[str] = []
    loss_before: float | None = None
    loss_after: float | None = None
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    training_loss: list[float] = []
    token: str = ""
    price: dict[str, str] = {}
    amounts: dict[str, str] = {}
    amounts_sum: str = ""
    attestation: dict[str, object] = {}
    canisters: dict[str, CanisterReport] = {}
    seconds: dict[str, float] = {}
