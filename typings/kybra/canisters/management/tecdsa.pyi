from kybra import Opt, Principal, Record, Variant, Vec, blob, null, text

class EcdsaCurve(Variant, total=False):
    secp256k1: null

class KeyId(Record):
    curve: EcdsaCurve
    name: text

class EcdsaPublicKeyArgs(Record):
    canister_id: Opt[Principal]
    derivation_path: Vec[blob]
    key_id: KeyId

class EcdsaPublicKeyResult(Record):
    public_key: blob
    chain_code: blob

class SignWithEcdsaArgs(Record):
    message_hash: blob
    derivation_path: Vec[blob]
    key_id: KeyId

class SignWithEcdsaResult(Record):
    signature: blob
