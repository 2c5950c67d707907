// One agent of @icp-sdk/core on a network whose time is set forward between its calls.
import { readFileSync } from "node:fs";
import { HttpAgent, pollForResponse } from "@icp-sdk/core/agent";
import { ECDSAKeyIdentity, DelegationChain, DelegationIdentity, Ed25519KeyIdentity } from "@icp-sdk/core/identity";
import { Principal } from "@icp-sdk/core/principal";

const given = JSON.parse(readFileSync(0, "utf8"));
const canister = Principal.fromText(given.canister);

async function session(expiration) {
  const root = Ed25519KeyIdentity.generate();
  const key = await ECDSAKeyIdentity.generate();
  return DelegationIdentity.fromDelegation(key, await DelegationChain.create(root, key.getPublicKey(), expiration));
}

async function connect(identity, options = {}) {
  const checked = { shouldFetchRootKey: true, verifyQuerySignatures: true };
  return HttpAgent.create({ host: given.url, identity, ...checked, ...options });
}

async function bumps(agent) {
  const call = { methodName: "bump", arg: new Uint8Array(), effectiveCanisterId: canister };
  const { requestId } = await agent.call(canister, call);
  const { reply } = await pollForResponse(agent, canister, requestId);
  const query = await agent.query(canister, { methodName: "count", arg: new Uint8Array() });
  return [reply, query.reply.arg].map((bytes) => bytes[7]);
}

const old = await connect(Ed25519KeyIdentity.generate());
const signedIn = await connect(await session(new Date(Date.now() + 3_600_000)), { retryTimes: 0 });
const before = [await bumps(old), await bumps(signedIn)];
const moved = await fetch(`${given.url}/_/time`, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ advance_ns: given.by }),
});
const after = [await bumps(old), await bumps(await connect(Ed25519KeyIdentity.generate()))];
const expired = await bumps(signedIn).then(() => "", (error) => String(error));
console.log(JSON.stringify({ before, status: moved.status, after, expired }));
