// Calls and queries a canister with @icp-sdk/core, which verifies certificates and query signatures.
import { readFileSync } from "node:fs";
import { HttpAgent, AnonymousIdentity, pollForResponse, CanisterStatus } from "@icp-sdk/core/agent";
import { Ed25519KeyIdentity, ECDSAKeyIdentity, DelegationChain, DelegationIdentity } from "@icp-sdk/core/identity";
import { Secp256k1KeyIdentity } from "@icp-sdk/core/identity/secp256k1";
import { Principal } from "@icp-sdk/core/principal";

const given = JSON.parse(readFileSync(0, "utf8"));
const canister = Principal.fromText(given.canister);
const soon = () => new Date(Date.now() + 60_000);

async function delegated() {
  const root = Ed25519KeyIdentity.generate();
  const session = await ECDSAKeyIdentity.generate();
  const chain = await DelegationChain.create(root, session.getPublicKey(), soon(), { targets: [canister] });
  return DelegationIdentity.fromDelegation(session, chain);
}

const identities = {
  anonymous: async () => new AnonymousIdentity(),
  ed25519: async () => Ed25519KeyIdentity.generate(),
  p256: async () => ECDSAKeyIdentity.generate(),
  secp256k1: async () => Secp256k1KeyIdentity.generate(),
  delegated,
};

async function update(agent, callSync) {
  const { requestId, response } = await agent.call(canister, {
    methodName: given.update, arg: new Uint8Array(), effectiveCanisterId: canister, callSync,
  });
  const polled = await pollForResponse(agent, canister, requestId);
  return { status: response.status, reply: Buffer.from(polled.reply).toString("hex") };
}

const answers = {};
for (const [name, make] of Object.entries(identities)) {
  const identity = await make();
  const agent = await HttpAgent.create({
    host: given.url, identity, shouldFetchRootKey: true, verifyQuerySignatures: true,
  });
  const query = await agent.query(canister, { methodName: given.query, arg: new Uint8Array() });
  const rejected = await agent.query(canister, { methodName: "no_such_method", arg: new Uint8Array() });
  answers[name] = {
    sender: Buffer.from(identity.getPrincipal().toUint8Array()).toString("hex"),
    query: Buffer.from(query.reply?.arg ?? []).toString("hex"),
    rejected: rejected.reject_code,
    sync: await update(agent, true),
    async: await update(agent, false),
  };
}
const agent = await HttpAgent.create({ host: given.url, shouldFetchRootKey: true });
const state = await CanisterStatus.request({
  agent, canisterId: canister, paths: ["time", "module_hash", "controllers", "candid", "subnet"],
});
answers.state = {
  module_hash: state.get("module_hash"),
  controllers: state.get("controllers").map(String),
  candid: state.get("candid"),
  nodes: state.get("subnet").nodeKeys.size,
};
console.log(JSON.stringify(answers));
