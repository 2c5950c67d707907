"""The token's settings, given at installation and never changed."""

from __future__ import annotations

from typing import NamedTuple

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.balances import MAX_TOKENS
from canisters.ledger.core.storage import OrderedMap, check_version
from canisters.ledger.core.values import Value, decode_value, encode_value

MAX_MEMO_LENGTH = 32
MAX_NAME_LENGTH = 100
"""Characters of the token's name and symbol."""

_VERSION = 1
_KEY = b"settings"


class Settings(NamedTuple):
    """What the token is."""

    minting_account: Account
    name: str
    symbol: str
    decimals: int
    fee: int
    """Base units charged for a transfer or an approval, and burned."""

    def metadata(self) -> list[tuple[str, int | str]]:
        """The token's ICRC-1 metadata: numbers are Nat, the rest is Text."""
        return [
            ("icrc1:name", self.name),
            ("icrc1:symbol", self.symbol),
            ("icrc1:decimals", self.decimals),
            ("icrc1:fee", self.fee),
            ("icrc1:max_memo_length", MAX_MEMO_LENGTH),
        ]


def save(rows: OrderedMap, settings: Settings) -> None:
    """Store the settings. ValueError if a name is too long or the fee too large."""
    for text in (settings.name, settings.symbol):
        if not 0 < len(text) <= MAX_NAME_LENGTH:
            raise ValueError(f"token name and symbol have 1 to {MAX_NAME_LENGTH} characters, not {len(text)}")
    if settings.fee > MAX_TOKENS:
        raise ValueError(f"the fee is at most {MAX_TOKENS}")
    value: dict[str, Value] = {
        "minting_account": settings.minting_account.value(),
        "name": settings.name,
        "symbol": settings.symbol,
        "decimals": settings.decimals,
        "fee": settings.fee,
    }
    rows.insert(_KEY, bytes((_VERSION,)) + encode_value(value))


def load(rows: OrderedMap) -> Settings:
    """The stored settings. LookupError before installation."""
    record = rows.get(_KEY)
    if record is None:
        raise LookupError("the ledger has no settings: it was not installed with arguments")
    check_version(record, _VERSION, "settings")
    value = decode_value(record[1:])
    assert isinstance(value, dict)
    return Settings(
        Account.from_value(value["minting_account"]),
        str(value["name"]),
        str(value["symbol"]),
        _number(value["decimals"]),
        _number(value["fee"]),
    )


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value
