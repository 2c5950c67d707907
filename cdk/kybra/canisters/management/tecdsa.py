"""Threshold ECDSA: keys that no single node holds (IC interface specification, `ecdsa_public_key`)."""

from kybra import Opt, Principal, Record, Variant, Vec, blob, null, text


class EcdsaCurve(Variant, total=False):
    """The curve of a key."""

    secp256k1: null


class KeyId(Record):
    """A master key of the network: `key_1`, or for tests `test_key_1` and `dfx_test_key`."""

    curve: EcdsaCurve
    name: text


class EcdsaPublicKeyArgs(Record):
    """`ecdsa_public_key`; without `canister_id` the caller's own key."""

    canister_id: Opt[Principal]
    derivation_path: Vec[blob]
    key_id: KeyId


class EcdsaPublicKeyResult(Record):
    """SEC1-compressed public key, and the chain code to derive further keys off the network."""

    public_key: blob
    chain_code: blob


class SignWithEcdsaArgs(Record):
    """`sign_with_ecdsa`; cycles for the signature are attached to the call. `message_hash` is 32 bytes."""

    message_hash: blob
    derivation_path: Vec[blob]
    key_id: KeyId


class SignWithEcdsaResult(Record):
    """The signature, r and s, 32 bytes each."""

    signature: blob
