// Decrypts and verifies an encrypted vetKey, and derives the same public key offline from the master key.
import { readFileSync } from "node:fs";
import {
  DerivedPublicKey, EncryptedVetKey, IbeCiphertext, IbeIdentity, IbeSeed, MasterPublicKey, TransportSecretKey,
} from "@dfinity/vetkeys";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const given = JSON.parse(readFileSync(0, "utf8"));

const secret = TransportSecretKey.deserialize(bytes(given.transport_secret));
if (given.step === "transport") {
  console.log(JSON.stringify({ transport_public: hex(secret.publicKeyBytes()) }));
} else {
  const publicKey = DerivedPublicKey.deserialize(bytes(given.public_key));
  const canisterKey = MasterPublicKey.deserialize(bytes(given.master_key)).deriveCanisterKey(bytes(given.canister));
  const input = bytes(given.input);
  const vetKey = EncryptedVetKey.deserialize(bytes(given.encrypted_key)).decryptAndVerify(secret, publicKey, input);
  const message = new TextEncoder().encode("sealed offline");
  const sealed = IbeCiphertext.encrypt(publicKey, IbeIdentity.fromBytes(input), message, IbeSeed.random());
  console.log(JSON.stringify({
    vetkey: hex(vetKey.serialize()),
    derived_offline: hex(canisterKey.deriveSubKey(bytes(given.context)).publicKeyBytes()),
    opened: new TextDecoder().decode(IbeCiphertext.deserialize(sealed.serialize()).decrypt(vetKey)),
  }));
}
