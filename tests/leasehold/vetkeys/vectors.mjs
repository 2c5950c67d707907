// Runs one operation of @dfinity/vetkeys on hexadecimal arguments: the oracle of test_vetkeys.py.
import * as vetkeys from '@dfinity/vetkeys';

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'));

const operations = {
  derive: (master, canister, context) =>
    vetkeys.MasterPublicKey.deserialize(master).deriveCanisterKey(canister).deriveSubKey(context).publicKeyBytes(),
  encrypt: (publicKey, identity, message, seed) =>
    vetkeys.IbeCiphertext.encrypt(
      vetkeys.DerivedPublicKey.deserialize(publicKey),
      vetkeys.IbeIdentity.fromBytes(identity),
      message,
      vetkeys.IbeSeed.fromBytes(seed),
    ).serialize(),
  decrypt: (vetkey, ciphertext) =>
    vetkeys.IbeCiphertext.deserialize(ciphertext).decrypt(vetkeys.VetKey.deserialize(vetkey)),
  unwrap: (transportSecret, encryptedKey, publicKey, input) =>
    vetkeys.EncryptedVetKey.deserialize(encryptedKey)
      .decryptAndVerify(
        vetkeys.TransportSecretKey.deserialize(transportSecret),
        vetkeys.DerivedPublicKey.deserialize(publicKey),
        input,
      )
      .serialize(),
};

const [operation, ...values] = process.argv.slice(2);
console.log(hex(operations[operation](...values.map(bytes))));
