"""What all models have in common: frozen, in the units of the canisters, amounts as text in JSON."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

MAX_NAT64 = (1 << 64) - 1

# An amount in the ledger's base unit; in JSON a decimal string, since JavaScript's numbers are too small.
Tokens = Annotated[int, Field(ge=0), PlainSerializer(str, when_used="json")]
# The same with a sign.
SignedTokens = Annotated[int, PlainSerializer(str, when_used="json")]
# Nanoseconds since 1970.
Timestamp = Annotated[int, Field(ge=0, le=MAX_NAT64)]
Seconds = Annotated[int, Field(ge=0, le=MAX_NAT64)]
# A byte string; hexadecimal in JSON.
Bytes = Annotated[bytes, PlainSerializer(bytes.hex, when_used="json")]
Sha256 = Annotated[bytes, Field(min_length=32, max_length=32), PlainSerializer(bytes.hex, when_used="json")]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]


class Model(BaseModel):
    """A record of a canister. Fields that a newer canister adds are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def candid(self) -> dict[str, Any]:
        """The record as `leasehold.agent` takes it."""
        fields = type(self).model_fields.items()
        return {field.alias or name: _candid(getattr(self, name)) for name, field in fields}

    def json_object(self) -> dict[str, Any]:
        """The record as the command line prints it."""
        return self.model_dump(mode="json", by_alias=True)


def _candid(value: Any) -> Any:
    # Principals stay what they are; pydantic's own dump would take them apart.
    if isinstance(value, Model):
        return value.candid()
    return [_candid(one) for one in value] if isinstance(value, list) else value
