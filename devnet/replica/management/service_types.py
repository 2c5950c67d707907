"""Types of the management canister's methods for HTTP outcalls and threshold keys, as in `ic.did`.

`pricing_version` is in the specification's text beside it.
"""

from __future__ import annotations

from devnet.replica.candid import (
    BLOB,
    BOOL,
    NAT,
    NAT32,
    NAT64,
    NULL,
    PRINCIPAL,
    TEXT,
    Opt,
    QueryFunction,
    Record,
    Variant,
    Vec,
)

_HEADERS = Vec(Record({"name": TEXT, "value": TEXT}))
HTTP_RESPONSE = Record({"status": NAT, "headers": _HEADERS, "body": BLOB})
TRANSFORM_ARGUMENT = Record({"response": HTTP_RESPONSE, "context": BLOB})
HTTP_REQUEST_ARGS = Record(
    {
        "url": TEXT,
        "max_response_bytes": Opt(NAT64),
        "method": Variant(dict.fromkeys(("get", "head", "post", "put", "delete", "patch"), NULL)),
        "headers": _HEADERS,
        "body": Opt(BLOB),
        "transform": Opt(
            Record({"function": QueryFunction((TRANSFORM_ARGUMENT,), (HTTP_RESPONSE,)), "context": BLOB})
        ),
        "is_replicated": Opt(BOOL),
        "pricing_version": Opt(NAT32),
    }
)

PUBLIC_KEY = Record({"public_key": BLOB, "chain_code": BLOB})
SIGNATURE = Record({"signature": BLOB})
ECDSA_KEY_ID = Record({"curve": Variant({"secp256k1": NULL}), "name": TEXT})
ECDSA_PUBLIC_KEY_ARGS = Record(
    {"canister_id": Opt(PRINCIPAL), "derivation_path": Vec(BLOB), "key_id": ECDSA_KEY_ID}
)
SIGN_WITH_ECDSA_ARGS = Record({"message_hash": BLOB, "derivation_path": Vec(BLOB), "key_id": ECDSA_KEY_ID})
SCHNORR_KEY_ID = Record({"algorithm": Variant({"bip340secp256k1": NULL, "ed25519": NULL}), "name": TEXT})
SCHNORR_PUBLIC_KEY_ARGS = Record(
    {"canister_id": Opt(PRINCIPAL), "derivation_path": Vec(BLOB), "key_id": SCHNORR_KEY_ID}
)
SIGN_WITH_SCHNORR_ARGS = Record(
    {
        "message": BLOB,
        "derivation_path": Vec(BLOB),
        "key_id": SCHNORR_KEY_ID,
        "aux": Opt(Variant({"bip341": Record({"merkle_root_hash": BLOB})})),
    }
)

VETKD_KEY_ID = Record({"curve": Variant({"bls12_381_g2": NULL}), "name": TEXT})
VETKD_PUBLIC_KEY_ARGS = Record({"canister_id": Opt(PRINCIPAL), "context": BLOB, "key_id": VETKD_KEY_ID})
VETKD_PUBLIC_KEY = Record({"public_key": BLOB})
VETKD_DERIVE_KEY_ARGS = Record(
    {"input": BLOB, "context": BLOB, "transport_public_key": BLOB, "key_id": VETKD_KEY_ID}
)
VETKD_DERIVE_KEY = Record({"encrypted_key": BLOB})
